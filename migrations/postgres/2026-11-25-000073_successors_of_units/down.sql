ALTER TABLE unit DROP COLUMN successor;
