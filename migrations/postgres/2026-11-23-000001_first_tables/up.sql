-- Instants are integer milliseconds UTC. Ids are given by the service (blocks from id_block).
-- The same tables as in ../../sqlite, which differs in the names of types only.

CREATE TABLE id_block (
  name TEXT    NOT NULL PRIMARY KEY,
  next BIGINT  NOT NULL -- the first id not given out yet
);

CREATE TABLE setting (
  name  TEXT    NOT NULL PRIMARY KEY,
  value TEXT    NOT NULL
);

CREATE TABLE jurisdiction (
  id       BIGINT  NOT NULL PRIMARY KEY,
  code     TEXT    NOT NULL UNIQUE,
  name_zh  TEXT    NOT NULL,
  name_en  TEXT    NOT NULL,
  zone     TEXT    NOT NULL,                 -- IANA time zone
  calendar TEXT    NOT NULL,                 -- code of its calendar
  bodies   TEXT    NOT NULL,                 -- JSON object: party -> unit code
  revision BIGINT  NOT NULL -- grows with every change of the rows below
);

CREATE TABLE unit (
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  name_zh         TEXT    NOT NULL,
  name_en         TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  parent          TEXT,
  active          BOOLEAN NOT NULL,
  PRIMARY KEY (jurisdiction_id, code)
);

CREATE TABLE person (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  name            TEXT    NOT NULL,
  email           TEXT,
  phone           TEXT,
  grants          TEXT    NOT NULL,          -- JSON array of {role, unit}
  active          BOOLEAN NOT NULL
);
CREATE INDEX person_of_jurisdiction ON person (jurisdiction_id);

CREATE TABLE category (
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON
  PRIMARY KEY (jurisdiction_id, code)
);

CREATE TABLE calendar (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  code            TEXT    NOT NULL,
  version         TEXT    NOT NULL,
  source          TEXT    NOT NULL,
  loaded_at       BIGINT  NOT NULL,
  UNIQUE (jurisdiction_id, code, version)
);

CREATE TABLE definition (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  workflow        TEXT    NOT NULL,
  number          BIGINT  NOT NULL,          -- 1 for the workflow's first version
  source          TEXT    NOT NULL,          -- YAML, byte for byte as published
  hash            BYTEA   NOT NULL,
  published_at    BIGINT  NOT NULL,
  published_by    TEXT    NOT NULL,
  retired_at      BIGINT,
  UNIQUE (jurisdiction_id, workflow, number)
);

CREATE TABLE token (
  id              BIGINT  NOT NULL PRIMARY KEY,
  hash            BYTEA   NOT NULL UNIQUE,   -- the secret itself is never stored
  person_id       BIGINT  NOT NULL REFERENCES person (id),
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  label           TEXT    NOT NULL,
  created_at      BIGINT  NOT NULL,
  expires_at      BIGINT,
  revoked_at      BIGINT,
  last_used_at    BIGINT
);
CREATE INDEX token_of_person ON token (person_id);

CREATE TABLE instance (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  family_id       BIGINT  NOT NULL,
  parent_id       BIGINT,
  workflow        TEXT    NOT NULL,
  definition_id   BIGINT  NOT NULL REFERENCES definition (id),
  state           TEXT    NOT NULL,          -- path of the active leaf
  status          TEXT    NOT NULL,
  stage           TEXT    NOT NULL,
  holder          TEXT,
  tier            BIGINT  NOT NULL,
  version         BIGINT  NOT NULL,          -- sequence number of the last event
  data            TEXT    NOT NULL,          -- JSON: entries, fields, clocks, children, outcome
  head            BYTEA   NOT NULL,          -- hash of the last event
  opened_at       BIGINT  NOT NULL,
  updated_at      BIGINT  NOT NULL,
  closed_at       BIGINT,
  due_at          BIGINT  -- earliest due of the clocks in force
) WITH (fillfactor = 70, toast_tuple_target = 8160); -- room for updates in place; rows stay whole
CREATE INDEX instance_of_parent ON instance (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX instance_open ON instance (jurisdiction_id, holder, id) WHERE closed_at IS NULL;

-- The hot tables below have no foreign keys here (SQLite has them): PostgreSQL would look up and lock
-- the instance once for each row, and the batch is written with its instances or not at all.

-- Positions are given before the commit: readers of the stream must mind gaps (src/store/event.rs).
CREATE TABLE event (
  position        BIGSERIAL NOT NULL PRIMARY KEY,
  instance_id     BIGINT  NOT NULL,
  seq             BIGINT  NOT NULL,
  jurisdiction_id BIGINT  NOT NULL,
  at              BIGINT  NOT NULL,
  kind            TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON text, byte for byte what was hashed
  hash            BYTEA   NOT NULL,
  UNIQUE (instance_id, seq)
) WITH (toast_tuple_target = 8160);

CREATE TABLE clock (
  instance_id     BIGINT  NOT NULL,
  name            TEXT    NOT NULL,
  jurisdiction_id BIGINT  NOT NULL,
  wake_at         BIGINT  NOT NULL,          -- a frozen clock has no row
  due_at          BIGINT  NOT NULL,
  tier            BIGINT  NOT NULL,
  entry           BIGINT  NOT NULL,
  step            BIGINT  NOT NULL,
  lease_until     BIGINT,                   -- PostgreSQL only: which node works on it; saves work, decides nothing
  PRIMARY KEY (instance_id, name)
);
CREATE INDEX clock_wake ON clock (wake_at);

CREATE TABLE message (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  instance_id     BIGINT  NOT NULL,
  seq             BIGINT  NOT NULL,
  person_id       BIGINT  NOT NULL,
  channel         TEXT    NOT NULL,
  tier            BIGINT  NOT NULL,
  subject         TEXT    NOT NULL,
  body            TEXT    NOT NULL,
  created_at      BIGINT  NOT NULL,
  due_at          BIGINT  NOT NULL,
  attempts        BIGINT  NOT NULL,
  state           TEXT    NOT NULL,
  sent_at         BIGINT,
  error           TEXT,                      -- what the last failed attempt said
  lease_until     BIGINT
);
CREATE INDEX message_due ON message (channel, due_at) WHERE state = 'waiting';
CREATE INDEX message_of_instance ON message (instance_id);
CREATE INDEX message_of_person ON message (person_id, id);

CREATE TABLE answer (
  id              BIGSERIAL NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  actor           TEXT    NOT NULL,
  key             TEXT    NOT NULL,
  request_hash    BYTEA   NOT NULL,
  instance_id     BIGINT,
  seq             BIGINT,
  body            TEXT    NOT NULL,
  at              BIGINT  NOT NULL,
  UNIQUE (actor, key)
);

CREATE TABLE personal (
  instance_id     BIGINT  NOT NULL,
  field           TEXT    NOT NULL,
  jurisdiction_id BIGINT  NOT NULL,
  value           TEXT    NOT NULL,
  PRIMARY KEY (instance_id, field)
);

CREATE TABLE party (
  instance_id     BIGINT  NOT NULL,
  unit            TEXT    NOT NULL,
  jurisdiction_id BIGINT  NOT NULL,
  from_seq        BIGINT  NOT NULL,
  to_seq          BIGINT,
  PRIMARY KEY (instance_id, unit)
);
CREATE INDEX party_of_unit ON party (jurisdiction_id, unit, instance_id);

CREATE TABLE occurrence (
  job      TEXT    NOT NULL,
  due_at   BIGINT  NOT NULL,
  taken_at BIGINT  NOT NULL,
  PRIMARY KEY (job, due_at)
);

CREATE TABLE alarm (
  id              BIGSERIAL NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT,
  at              BIGINT  NOT NULL,
  kind            TEXT    NOT NULL,
  instance_id     BIGINT,
  detail          TEXT    NOT NULL,
  cleared_at      BIGINT
);
CREATE UNIQUE INDEX alarm_open ON alarm (kind, coalesce(jurisdiction_id, 0), coalesce(instance_id, 0))
  WHERE cleared_at IS NULL;
