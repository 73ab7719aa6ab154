DROP INDEX call_trace_newest;
CREATE INDEX call_trace_recent ON call_trace (jurisdiction_id, at) WHERE seq = 1;
ALTER TABLE call_trace DROP COLUMN about;
