-- By what a call is recognised when somebody calls about the same again: written with the call, gone
-- with what the caller said. Neither the text is in it nor the number: hashes of words, a keyed digest.
CREATE TABLE call_trace (
  instance_id     INTEGER NOT NULL REFERENCES instance (id),
  seq             INTEGER NOT NULL,          -- the event that brought the call; 1: the opening
  jurisdiction_id INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  place           TEXT    NOT NULL,
  phone           TEXT,                      -- a keyed digest of the number
  traits          TEXT    NOT NULL,          -- hashes of features of the text; empty: it was not read
  PRIMARY KEY (instance_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_trace_recent ON call_trace (jurisdiction_id, at) WHERE seq = 1;
CREATE INDEX call_trace_phone ON call_trace (phone, at) WHERE phone IS NOT NULL;
