-- Instants are integer milliseconds UTC. Ids are given by the service (blocks from id_block).
-- The same tables as in ../../postgres, which differs in the names of types only.

CREATE TABLE id_block (
  name TEXT    NOT NULL PRIMARY KEY,
  next INTEGER NOT NULL                      -- the first id not given out yet
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jurisdiction (
  id       INTEGER NOT NULL PRIMARY KEY,
  code     TEXT    NOT NULL UNIQUE,
  name_zh  TEXT    NOT NULL,
  name_en  TEXT    NOT NULL,
  zone     TEXT    NOT NULL,                 -- IANA time zone
  calendar TEXT    NOT NULL,                 -- code of its calendar
  bodies   TEXT    NOT NULL,                 -- JSON object: party -> unit code
  revision INTEGER NOT NULL                  -- grows with every change of the rows below
) STRICT;

CREATE TABLE unit (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  name_zh         TEXT    NOT NULL,
  name_en         TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  parent          TEXT,
  active          INTEGER NOT NULL,
  PRIMARY KEY (jurisdiction_id, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  name            TEXT    NOT NULL,
  email           TEXT,
  phone           TEXT,
  grants          TEXT    NOT NULL,          -- JSON array of {role, unit}
  active          INTEGER NOT NULL
) STRICT;
CREATE INDEX person_of_jurisdiction ON person (jurisdiction_id);

CREATE TABLE category (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON
  PRIMARY KEY (jurisdiction_id, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  version         TEXT    NOT NULL,
  source          TEXT    NOT NULL,
  loaded_at       INTEGER NOT NULL,
  UNIQUE (jurisdiction_id, code, version)
) STRICT;

CREATE TABLE definition (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  workflow        TEXT    NOT NULL,
  number          INTEGER NOT NULL,          -- 1 for the workflow's first version
  source          TEXT    NOT NULL,          -- YAML, byte for byte as published
  hash            BLOB    NOT NULL,
  published_at    INTEGER NOT NULL,
  published_by    TEXT    NOT NULL,
  retired_at      INTEGER,
  UNIQUE (jurisdiction_id, workflow, number)
) STRICT;

CREATE TABLE token (
  id              INTEGER NOT NULL PRIMARY KEY,
  hash            BLOB    NOT NULL UNIQUE,   -- the secret itself is never stored
  person_id       INTEGER NOT NULL REFERENCES person (id),
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  label           TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  revoked_at      INTEGER,
  last_used_at    INTEGER
) STRICT;
CREATE INDEX token_of_person ON token (person_id);

CREATE TABLE instance (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  family_id       INTEGER NOT NULL,
  parent_id       INTEGER,
  workflow        TEXT    NOT NULL,
  definition_id   INTEGER NOT NULL REFERENCES definition (id),
  state           TEXT    NOT NULL,          -- path of the active leaf
  status          TEXT    NOT NULL,
  stage           TEXT    NOT NULL,
  holder          TEXT,
  tier            INTEGER NOT NULL,
  version         INTEGER NOT NULL,          -- sequence number of the last event
  data            TEXT    NOT NULL,          -- JSON: entries, fields, clocks, children, outcome
  head            BLOB    NOT NULL,          -- hash of the last event
  opened_at       INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  closed_at       INTEGER,
  due_at          INTEGER                    -- earliest due of the clocks in force
) STRICT;
CREATE INDEX instance_of_parent ON instance (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX instance_open ON instance (jurisdiction_id, holder, id) WHERE closed_at IS NULL;

-- A rowid table with a second unique index: WITHOUT ROWID was measured 32 % slower.
CREATE TABLE event (
  position        INTEGER NOT NULL PRIMARY KEY,
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  seq             INTEGER NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  kind            TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON text, byte for byte what was hashed
  hash            BLOB    NOT NULL,
  UNIQUE (instance_id, seq)
) STRICT;

CREATE TABLE clock (
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  name            TEXT    NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  wake_at         INTEGER NOT NULL,          -- a frozen clock has no row
  due_at          INTEGER NOT NULL,
  tier            INTEGER NOT NULL,
  entry           INTEGER NOT NULL,
  step            INTEGER NOT NULL,
  lease_until     INTEGER,                   -- PostgreSQL only: which node works on it; saves work, decides nothing
  PRIMARY KEY (instance_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX clock_wake ON clock (wake_at);

CREATE TABLE message (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  seq             INTEGER NOT NULL,
  person_id       INTEGER NOT NULL,
  channel         TEXT    NOT NULL,
  tier            INTEGER NOT NULL,
  subject         TEXT    NOT NULL,
  body            TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  due_at          INTEGER NOT NULL,
  attempts        INTEGER NOT NULL,
  state           TEXT    NOT NULL,
  sent_at         INTEGER,
  error           TEXT,                      -- what the last failed attempt said
  lease_until     INTEGER
) STRICT;
CREATE INDEX message_due ON message (channel, due_at) WHERE state = 'waiting';
CREATE INDEX message_of_instance ON message (instance_id);
CREATE INDEX message_of_person ON message (person_id, id);

CREATE TABLE answer (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  actor           TEXT    NOT NULL,
  key             TEXT    NOT NULL,
  request_hash    BLOB    NOT NULL,
  instance_id     INTEGER,
  seq             INTEGER,
  body            TEXT    NOT NULL,
  at              INTEGER NOT NULL,
  UNIQUE (actor, key)
) STRICT;

CREATE TABLE personal (
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  field           TEXT    NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  value           TEXT    NOT NULL,
  PRIMARY KEY (instance_id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE party (
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  unit            TEXT    NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  from_seq        INTEGER NOT NULL,
  to_seq          INTEGER,
  PRIMARY KEY (instance_id, unit)
) STRICT, WITHOUT ROWID;
CREATE INDEX party_of_unit ON party (jurisdiction_id, unit, instance_id);

CREATE TABLE occurrence (
  job      TEXT    NOT NULL,
  due_at   INTEGER NOT NULL,
  taken_at INTEGER NOT NULL,
  PRIMARY KEY (job, due_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE alarm (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER,
  at              INTEGER NOT NULL,
  kind            TEXT    NOT NULL,
  instance_id     INTEGER,
  detail          TEXT    NOT NULL,
  cleared_at      INTEGER
) STRICT;
CREATE UNIQUE INDEX alarm_open ON alarm (kind, coalesce(jurisdiction_id, 0), coalesce(instance_id, 0))
  WHERE cleared_at IS NULL;
