-- Rulings that the router goes by next time, and what became of the change of the catalogue that each
-- proposes. Of the call there are hashes of its features, until the precedent is withdrawn.
CREATE TABLE precedent (
  instance_id     INTEGER NOT NULL PRIMARY KEY REFERENCES instance (id),
  jurisdiction_id INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  made_by         TEXT    NOT NULL,
  unit            TEXT    NOT NULL,
  category        TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  traits          TEXT    NOT NULL,
  withdrawn_at    INTEGER,
  decision        TEXT,                      -- of the proposal: accepted, rejected; NULL: none yet
  agreed_by       TEXT,                      -- the first of two who accept it
  decided_by      TEXT,
  decided_at      INTEGER,
  note            TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX precedent_of_jurisdiction ON precedent (jurisdiction_id, at);
