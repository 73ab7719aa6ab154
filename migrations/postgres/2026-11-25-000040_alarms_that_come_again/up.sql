-- An alarm that is raised again while it is open is counted, and says what came last.

ALTER TABLE alarm ADD COLUMN times BIGINT NOT NULL DEFAULT 1;
