-- Alerts that reach a person: contacts, personal rules, duty rosters, receipts, subscriptions.
-- The same in ../../sqlite, which differs in the names of types only.

-- JSON objects: `rules` {language, normal, urgent, quiet}; `verified` {channel: {address, at}}.
ALTER TABLE person ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE person ADD COLUMN verified TEXT NOT NULL DEFAULT '{}';

-- A code that was sent to an address and waits to be told back.
CREATE TABLE verification (
  person_id       BIGINT  NOT NULL,
  channel         TEXT    NOT NULL,
  jurisdiction_id BIGINT  NOT NULL,
  address         TEXT    NOT NULL,
  code_hash       BYTEA   NOT NULL,
  sent_at         BIGINT  NOT NULL,
  until_at        BIGINT  NOT NULL,
  tries_left      BIGINT  NOT NULL,
  PRIMARY KEY (person_id, channel)
);

-- Less urgent alerts to a person wait until the end; a mute without an end cannot be written.
CREATE TABLE mute (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  person_id       BIGINT  NOT NULL,
  from_at         BIGINT  NOT NULL,
  until_at        BIGINT  NOT NULL,
  reason          TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  ended_at        BIGINT,                   -- ended before its time
  reminded_at     BIGINT
);
CREATE INDEX mute_of_person ON mute (person_id, until_at);

-- Who is on duty for a role in a unit.
CREATE TABLE roster (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  code            TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON: title, unit, role, rotations
  UNIQUE (jurisdiction_id, code)
);

-- Somebody stands in: an override, or one half of a swap.
CREATE TABLE stand_in (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  roster          TEXT    NOT NULL,
  from_at         BIGINT  NOT NULL,
  until_at        BIGINT  NOT NULL,
  person_id       BIGINT,                   -- who comes; nobody if NULL
  instead_of      BIGINT,                   -- who goes; NULL: besides those on duty
  swap            BIGINT,                   -- both halves of a swap have the same number
  agreed_at       BIGINT,                   -- NULL: a swap that waits for the other's word
  note            TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         BIGINT  NOT NULL
);
CREATE INDEX stand_in_of_roster ON stand_in (jurisdiction_id, roster, until_at);

-- What one shift leaves to the next.
CREATE TABLE handover (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  roster          TEXT    NOT NULL,
  at              BIGINT  NOT NULL,
  person_id       BIGINT  NOT NULL,
  note            TEXT    NOT NULL,
  read_at         BIGINT,
  read_by         BIGINT
);
CREATE INDEX handover_of_roster ON handover (jurisdiction_id, roster, id);

-- A unit's own system, or a robot of a chat group, that is told by HTTP.
CREATE TABLE subscription (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL,
  unit            TEXT    NOT NULL,
  kind            TEXT    NOT NULL,          -- standard, wecom, dingtalk
  url             TEXT    NOT NULL,
  secret          TEXT    NOT NULL,
  wants           TEXT    NOT NULL,          -- JSON array of change, alert
  active          BOOLEAN NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         BIGINT  NOT NULL
);
CREATE INDEX subscription_of_unit ON subscription (jurisdiction_id, unit);

-- Messages: those of the house itself have no instance, those to systems no person. What the columns mean
-- stands in ../../sqlite.
ALTER TABLE message
  ALTER COLUMN instance_id DROP NOT NULL,
  ALTER COLUMN person_id DROP NOT NULL,
  ADD COLUMN subscription_id BIGINT,
  ADD COLUMN kind TEXT NOT NULL DEFAULT 'alert',
  ADD COLUMN urgent BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN clock TEXT,
  ADD COLUMN entry BIGINT,
  ADD COLUMN offer TEXT,
  ADD COLUMN deadline_at BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN unknowns BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN reference TEXT,
  ADD COLUMN delivered_at BIGINT,
  ADD COLUMN acknowledged_at BIGINT,
  ADD COLUMN instead_of BIGINT,
  ADD COLUMN bundle BIGINT;
UPDATE message SET urgent = (tier >= 2)::int, deadline_at = created_at + 86400000;
CREATE INDEX message_reference ON message (reference) WHERE reference IS NOT NULL;
CREATE INDEX message_sent ON message (person_id, sent_at) WHERE sent_at IS NOT NULL;
