-- Sign-ins that failed, counted by account and hour until the hour is over: then an entry of the audit log
-- says how many there were. A storm of them fills no disk.

CREATE TABLE failed_sign_in (
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  subject         TEXT    NOT NULL,          -- person:7; account:unknown for names that nobody has
  outcome         TEXT    NOT NULL,          -- wrong_login, wrong_code, too_many_attempts, unknown_subject
  hour            BIGINT  NOT NULL,          -- its first millisecond
  attempts        BIGINT  NOT NULL,
  last_at         BIGINT  NOT NULL,
  address         TEXT    NOT NULL,          -- from where the last one came
  PRIMARY KEY (jurisdiction_id, subject, outcome, hour)
);
