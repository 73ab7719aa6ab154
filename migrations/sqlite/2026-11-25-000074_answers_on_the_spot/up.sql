-- What can be answered on the spot, by category: every version stays.
CREATE TABLE spot_answer (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  version         INTEGER NOT NULL,          -- 1, 2, … of each code
  unit            TEXT    NOT NULL,          -- whose answer it is
  category        TEXT    NOT NULL,
  title           TEXT    NOT NULL,
  body            TEXT    NOT NULL,
  words           TEXT    NOT NULL,          -- by which it is found, besides its title; separated by spaces
  valid_until     INTEGER,
  made_by         TEXT    NOT NULL,
  made_at         INTEGER NOT NULL,
  ended_at        INTEGER,
  PRIMARY KEY (jurisdiction_id, code, version)
) STRICT, WITHOUT ROWID;
