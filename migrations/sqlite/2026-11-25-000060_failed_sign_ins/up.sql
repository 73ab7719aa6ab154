-- Sign-ins that failed, counted by account and hour until the hour is over: then an entry of the audit log
-- says how many there were. A storm of them fills no disk.

CREATE TABLE failed_sign_in (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  subject         TEXT    NOT NULL,          -- person:7; account:unknown for names that nobody has
  outcome         TEXT    NOT NULL,          -- wrong_login, wrong_code, too_many_attempts, unknown_subject
  hour            INTEGER NOT NULL,          -- its first millisecond
  attempts        INTEGER NOT NULL,
  last_at         INTEGER NOT NULL,
  address         TEXT    NOT NULL,          -- from where the last one came
  PRIMARY KEY (jurisdiction_id, subject, outcome, hour)
) STRICT, WITHOUT ROWID;
