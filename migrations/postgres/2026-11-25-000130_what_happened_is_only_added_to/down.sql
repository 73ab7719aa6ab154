DROP TRIGGER event_only_added ON event;
DROP TRIGGER audit_entry_only_added ON audit_entry;
DROP TRIGGER checkpoint_only_added ON checkpoint;
DROP TRIGGER checkpoint_head_only_added ON checkpoint_head;
DROP FUNCTION only_added();
