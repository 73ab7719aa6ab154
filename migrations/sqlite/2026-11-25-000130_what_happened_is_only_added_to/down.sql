DROP TRIGGER event_no_update;
DROP TRIGGER event_no_delete;
DROP TRIGGER audit_entry_no_update;
DROP TRIGGER audit_entry_no_delete;
DROP TRIGGER checkpoint_no_update;
DROP TRIGGER checkpoint_no_delete;
DROP TRIGGER checkpoint_head_no_update;
DROP TRIGGER checkpoint_head_no_delete;
