-- The catalogue of categories as a whole, version by version: drafted by one, published by another,
-- in force from an instant. What the table category has counts until the first of them is in force.
CREATE TABLE catalogue (
  jurisdiction_id BIGINT NOT NULL REFERENCES jurisdiction (id),
  number          BIGINT NOT NULL,          -- 1, 2, … in each jurisdiction
  body            TEXT    NOT NULL,          -- JSON array of categories
  note            TEXT    NOT NULL,
  made_by         TEXT    NOT NULL,
  made_at         BIGINT NOT NULL,
  published_by    TEXT,
  published_at    BIGINT,
  effective_at    BIGINT,                   -- of a published version
  withdrawn_at    BIGINT,                   -- of a draft that is not wanted any more
  PRIMARY KEY (jurisdiction_id, number)
);
