ALTER TABLE jurisdiction DROP COLUMN access_revision;
