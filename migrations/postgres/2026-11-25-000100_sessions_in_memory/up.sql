-- Grows with every session that is ended: each node then forgets what it remembers of sessions.
ALTER TABLE jurisdiction ADD COLUMN access_revision BIGINT NOT NULL DEFAULT 0;
