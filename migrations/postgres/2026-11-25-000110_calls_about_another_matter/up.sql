-- A call whose matter was linked to another one, or merged into it: of many about one thing a few are
-- compared. The index answers which calls are the newest, and about what, without reading them.
ALTER TABLE call_trace ADD COLUMN about BIGINT; -- that other matter; NULL: it stands for itself
DROP INDEX call_trace_recent;
CREATE INDEX call_trace_newest ON call_trace (jurisdiction_id, at, instance_id, about) WHERE seq = 1;
