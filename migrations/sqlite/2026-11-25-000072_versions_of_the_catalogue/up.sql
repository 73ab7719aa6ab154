-- The catalogue of categories as a whole, version by version: drafted by one, published by another,
-- in force from an instant. What the table category has counts until the first of them is in force.
CREATE TABLE catalogue (
  jurisdiction_id INTEGER NOT NULL REFERENCES jurisdiction (id),
  number          INTEGER NOT NULL,          -- 1, 2, … in each jurisdiction
  body            TEXT    NOT NULL,          -- JSON array of categories
  note            TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         INTEGER NOT NULL,
  published_by    TEXT,
  published_at    INTEGER,
  effective_at    INTEGER,                   -- of a published version
  withdrawn_at    INTEGER,                   -- of a draft that is not wanted any more
  PRIMARY KEY (jurisdiction_id, number)
) STRICT, WITHOUT ROWID;
