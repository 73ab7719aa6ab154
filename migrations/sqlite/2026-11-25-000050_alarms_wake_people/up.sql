-- Each new alarm is told to the people whom the settings name, once. Whatever stands already wakes nobody.

ALTER TABLE alarm ADD COLUMN told_at INTEGER;
UPDATE alarm SET told_at = at;
CREATE INDEX alarm_told ON alarm (told_at);
