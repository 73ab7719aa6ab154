-- Alerts that reach a person: contacts, personal rules, duty rosters, receipts, subscriptions.
-- The same in ../../postgres, which differs in the names of types only.

-- JSON objects: `rules` {language, normal, urgent, quiet}; `verified` {channel: {address, at}}.
ALTER TABLE person ADD COLUMN rules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE person ADD COLUMN verified TEXT NOT NULL DEFAULT '{}';

-- A code that was sent to an address and waits to be told back.
CREATE TABLE verification (
  person_id       INTEGER NOT NULL,
  channel         TEXT    NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  address         TEXT    NOT NULL,
  code_hash       BLOB    NOT NULL,
  sent_at         INTEGER NOT NULL,
  until_at        INTEGER NOT NULL,
  tries_left      INTEGER NOT NULL,
  PRIMARY KEY (person_id, channel)
) STRICT;

-- Less urgent alerts to a person wait until the end; a mute without an end cannot be written.
CREATE TABLE mute (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  person_id       INTEGER NOT NULL,
  from_at         INTEGER NOT NULL,
  until_at        INTEGER NOT NULL,
  reason          TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  ended_at        INTEGER,                   -- ended before its time
  reminded_at     INTEGER
) STRICT;
CREATE INDEX mute_of_person ON mute (person_id, until_at);

-- Who is on duty for a role in a unit.
CREATE TABLE roster (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  code            TEXT    NOT NULL,
  body            TEXT    NOT NULL,          -- JSON: title, unit, role, rotations
  UNIQUE (jurisdiction_id, code)
) STRICT;

-- Somebody stands in: an override, or one half of a swap.
CREATE TABLE stand_in (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  roster          TEXT    NOT NULL,
  from_at         INTEGER NOT NULL,
  until_at        INTEGER NOT NULL,
  person_id       INTEGER,                   -- who comes; nobody if NULL
  instead_of      INTEGER,                   -- who goes; NULL: besides those on duty
  swap            INTEGER,                   -- both halves of a swap have the same number
  agreed_at       INTEGER,                   -- NULL: a swap that waits for the other's word
  note            TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX stand_in_of_roster ON stand_in (jurisdiction_id, roster, until_at);

-- What one shift leaves to the next.
CREATE TABLE handover (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  roster          TEXT    NOT NULL,
  at              INTEGER NOT NULL,
  person_id       INTEGER NOT NULL,
  note            TEXT    NOT NULL,
  read_at         INTEGER,
  read_by         INTEGER
) STRICT;
CREATE INDEX handover_of_roster ON handover (jurisdiction_id, roster, id);

-- A unit's own system, or a robot of a chat group, that is told by HTTP.
CREATE TABLE subscription (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  unit            TEXT    NOT NULL,
  kind            TEXT    NOT NULL,          -- standard, wecom, dingtalk
  url             TEXT    NOT NULL,
  secret          TEXT    NOT NULL,
  wants           TEXT    NOT NULL,          -- JSON array of change, alert
  active          INTEGER NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX subscription_of_unit ON subscription (jurisdiction_id, unit);

-- Messages: those of the house itself have no instance, those to systems no person.
CREATE TABLE message_new (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL,
  instance_id     INTEGER REFERENCES instance (id),
  seq             INTEGER NOT NULL,          -- the event; 0 for messages of the house itself
  person_id       INTEGER,
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
  lease_until     INTEGER,
  subscription_id INTEGER,
  kind            TEXT    NOT NULL DEFAULT 'alert',  -- alert, code, reply, digest, mute, handover, coverage, test, change
  urgent          INTEGER NOT NULL DEFAULT 0, -- neither bundled nor held back by quiet hours or a mute
  clock           TEXT,                      -- the clock whose ladder speaks …
  entry           INTEGER,                   -- … and the state entry that armed it
  offer           TEXT,                      -- the command that the link and the reply may give
  deadline_at     INTEGER NOT NULL DEFAULT 0, -- given up on this channel if not handed over by then
  unknowns        INTEGER NOT NULL DEFAULT 0, -- attempts of which nobody knows whether they arrived
  reference       TEXT,                      -- what the gateway calls it
  delivered_at    INTEGER,
  acknowledged_at INTEGER,
  instead_of      INTEGER,                   -- the message on another channel that was given up
  bundle          INTEGER                    -- left inside the summary under this message's id
) STRICT;
INSERT INTO message_new (id, jurisdiction_id, instance_id, seq, person_id, channel, tier, subject, body, created_at,
                         due_at, attempts, state, sent_at, error, lease_until, urgent, deadline_at)
  SELECT id, jurisdiction_id, instance_id, seq, person_id, channel, tier, subject, body, created_at,
         due_at, attempts, state, sent_at, error, lease_until, tier >= 2, created_at + 86400000
  FROM message;
DROP TABLE message;
ALTER TABLE message_new RENAME TO message;
CREATE INDEX message_due ON message (channel, due_at) WHERE state = 'waiting';
CREATE INDEX message_of_instance ON message (instance_id);
CREATE INDEX message_of_person ON message (person_id, id);
CREATE INDEX message_reference ON message (reference) WHERE reference IS NOT NULL;
CREATE INDEX message_sent ON message (person_id, sent_at) WHERE sent_at IS NOT NULL;
