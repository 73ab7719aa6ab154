-- What was done outside matters, chained; and signed checkpoints over all chains.

CREATE TABLE audit_entry (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  seq             INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  kind            TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON; hashed byte for byte
  hash            BLOB    NOT NULL,
  PRIMARY KEY (jurisdiction_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint (
  number    INTEGER NOT NULL PRIMARY KEY,
  at        INTEGER NOT NULL,
  body      TEXT    NOT NULL,                -- JSON; signed byte for byte
  signature BLOB    NOT NULL,
  key       BLOB    NOT NULL                 -- the public key that verifies it
) STRICT, WITHOUT ROWID;

-- Where each matter stood that had changed since the checkpoint before.
CREATE TABLE checkpoint_head (
  checkpoint  INTEGER NOT NULL REFERENCES checkpoint (number),
  instance_id INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  hash        BLOB    NOT NULL,
  PRIMARY KEY (checkpoint, instance_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX checkpoint_head_of_instance ON checkpoint_head (instance_id, seq);
