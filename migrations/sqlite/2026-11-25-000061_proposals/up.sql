-- What one person proposes and another one approves: workflows, calendars, rights.

CREATE TABLE proposal (
  id              INTEGER NOT NULL PRIMARY KEY,
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  kind            TEXT    NOT NULL,          -- definition, calendar, person
  subject         TEXT    NOT NULL,          -- definition:referral, person:7
  body            TEXT    NOT NULL,          -- the file as it was sent; a person as JSON
  base            TEXT    NOT NULL,          -- what it was made beside: it lapses when that changes
  made_by         INTEGER NOT NULL,
  made_at         INTEGER NOT NULL,
  until_at        INTEGER NOT NULL,          -- it lapses
  state           TEXT    NOT NULL,          -- open, approved, withdrawn
  decided_by      INTEGER,
  decided_at      INTEGER
) STRICT;
CREATE INDEX proposal_of_jurisdiction ON proposal (jurisdiction_id, id);
