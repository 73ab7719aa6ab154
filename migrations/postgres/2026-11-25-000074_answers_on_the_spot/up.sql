-- What can be answered on the spot, by category: every version stays.
CREATE TABLE spot_answer (
  jurisdiction_id BIGINT NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  version         BIGINT NOT NULL,          -- 1, 2, … of each code
  unit            TEXT    NOT NULL,          -- whose answer it is
  category        TEXT    NOT NULL,
  title           TEXT    NOT NULL,
  body            TEXT    NOT NULL,
  words           TEXT    NOT NULL,          -- by which it is found, besides its title; separated by spaces
  valid_until     BIGINT,
  made_by         TEXT    NOT NULL,
  made_at         BIGINT NOT NULL,
  ended_at        BIGINT,
  PRIMARY KEY (jurisdiction_id, code, version)
);
