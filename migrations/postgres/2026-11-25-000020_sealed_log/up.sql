-- What was done outside matters, chained; and signed checkpoints over all chains.

CREATE TABLE audit_entry (
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  seq             BIGINT  NOT NULL,
  at              BIGINT  NOT NULL,
  kind            TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON; hashed byte for byte
  hash            BYTEA    NOT NULL,
  PRIMARY KEY (jurisdiction_id, seq)
);

CREATE TABLE checkpoint (
  number    BIGINT  NOT NULL PRIMARY KEY,
  at        BIGINT  NOT NULL,
  body      TEXT    NOT NULL,                -- JSON; signed byte for byte
  signature BYTEA    NOT NULL,
  key       BYTEA    NOT NULL                 -- the public key that verifies it
);

-- Where each matter stood that had changed since the checkpoint before.
CREATE TABLE checkpoint_head (
  checkpoint  BIGINT  NOT NULL REFERENCES checkpoint (number),
  instance_id BIGINT  NOT NULL,
  seq         BIGINT  NOT NULL,
  hash        BYTEA    NOT NULL,
  PRIMARY KEY (checkpoint, instance_id)
);
CREATE INDEX checkpoint_head_of_instance ON checkpoint_head (instance_id, seq);
