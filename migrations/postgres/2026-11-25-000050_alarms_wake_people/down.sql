DROP INDEX alarm_told;
ALTER TABLE alarm DROP COLUMN told_at;
