-- Rulings that the router goes by next time, and what became of the change of the catalogue that each
-- proposes. Of the call there are hashes of its features, until the precedent is withdrawn.
CREATE TABLE precedent (
  instance_id     BIGINT NOT NULL PRIMARY KEY REFERENCES instance (id),
  jurisdiction_id BIGINT NOT NULL,
  at              BIGINT NOT NULL,
  made_by         TEXT    NOT NULL,
  unit            TEXT    NOT NULL,
  category        TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  traits          TEXT    NOT NULL,
  withdrawn_at    BIGINT,
  decision        TEXT,                      -- of the proposal: accepted, rejected; NULL: none yet
  agreed_by       TEXT,                      -- the first of two who accept it
  decided_by      TEXT,
  decided_at      BIGINT,
  note            TEXT    NOT NULL
);
CREATE INDEX precedent_of_jurisdiction ON precedent (jurisdiction_id, at);
