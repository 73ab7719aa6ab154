-- Accounts: how people sign in, their sessions, and what is remembered of failures.
-- The same in ../../postgres, which differs in the names of types only.

CREATE TABLE account (
  person_id       INTEGER NOT NULL PRIMARY KEY REFERENCES person (id),
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  login           TEXT    NOT NULL UNIQUE,   -- small letters
  password        TEXT,                      -- argon2id with its parameters (PHC string); NULL: none chosen yet
  password_at     INTEGER,
  earlier         TEXT    NOT NULL,          -- JSON array: hashes of passwords that may not come back yet
  setup_hash      BLOB,                      -- of the code by which the person chooses a password
  setup_until     INTEGER,
  totp            BLOB,                      -- the secret shared with the person's device
  totp_at         INTEGER,                   -- since when it is demanded; NULL: not confirmed yet
  totp_step       INTEGER NOT NULL,          -- the last time step that was used: no code counts twice
  subject         TEXT    UNIQUE,            -- whom the identity provider calls so
  made_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX account_of_jurisdiction ON account (jurisdiction_id);

-- One row for each session that has not ended. Only the hash of its secret is kept.
CREATE TABLE session (
  hash            BLOB    NOT NULL PRIMARY KEY,
  person_id       INTEGER NOT NULL,
  jurisdiction_id INTEGER NOT NULL,
  began_at        INTEGER NOT NULL,
  used_at         INTEGER NOT NULL,          -- roughly
  until_at        INTEGER NOT NULL,
  factor          INTEGER NOT NULL,          -- whether a second factor was shown
  address         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_person ON session (person_id);

-- Failures by account and address: they hold over a restart.
CREATE TABLE throttle (
  name     TEXT    NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_at  INTEGER NOT NULL,
  until_at INTEGER NOT NULL                  -- when the row may be forgotten
) STRICT, WITHOUT ROWID;

-- JSON object {acts, units}: what a token is narrowed to; nothing there narrows nothing.
ALTER TABLE token ADD COLUMN scope TEXT NOT NULL DEFAULT '{}';
