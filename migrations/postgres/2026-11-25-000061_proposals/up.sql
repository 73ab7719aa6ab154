-- What one person proposes and another one approves: workflows, calendars, rights.

CREATE TABLE proposal (
  id              BIGINT  NOT NULL PRIMARY KEY,
  jurisdiction_id BIGINT  NOT NULL REFERENCES jurisdiction (id),
  kind            TEXT    NOT NULL,          -- definition, calendar, person
  subject         TEXT    NOT NULL,          -- definition:referral, person:7
  body            TEXT    NOT NULL,          -- the file as it was sent; a person as JSON
  base            TEXT    NOT NULL,          -- what it was made beside: it lapses when that changes
  made_by         BIGINT  NOT NULL,
  made_at         BIGINT  NOT NULL,
  until_at        BIGINT  NOT NULL,          -- it lapses
  state           TEXT    NOT NULL,          -- open, approved, withdrawn
  decided_by      BIGINT,
  decided_at      BIGINT
);
CREATE INDEX proposal_of_jurisdiction ON proposal (jurisdiction_id, id);
