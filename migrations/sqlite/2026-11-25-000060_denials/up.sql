-- What was denied: sign-ins that failed, requests that no role of a person allows. Counted by hour until the
-- hour is over: then an entry of the audit log says how many there were. A storm of them fills no disk.

CREATE TABLE denial (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  kind            TEXT    NOT NULL,          -- sign_in_failed, request_denied
  subject         TEXT    NOT NULL,          -- person:7; account:unknown for names that nobody has
  outcome         TEXT    NOT NULL,          -- wrong_login, wrong_code …; the act that was denied
  hour            INTEGER NOT NULL,          -- its first millisecond
  attempts        INTEGER NOT NULL,
  last_at         INTEGER NOT NULL,
  address         TEXT    NOT NULL,          -- from where the last one came
  PRIMARY KEY (jurisdiction_id, kind, subject, outcome, hour)
) STRICT, WITHOUT ROWID;
