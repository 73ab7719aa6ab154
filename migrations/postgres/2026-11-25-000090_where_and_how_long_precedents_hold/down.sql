ALTER TABLE precedent DROP COLUMN valid_until;
ALTER TABLE precedent DROP COLUMN valid_from;
ALTER TABLE precedent DROP COLUMN territory;
