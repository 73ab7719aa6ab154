-- What happened, and what was signed of it, is only added to: whoever has a hand in the database and means no
-- harm is stopped here. Who drops the triggers is found by `fenliu verify`.
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN
  SELECT RAISE(ABORT, 'rows of event are only added');
END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN
  SELECT RAISE(ABORT, 'rows of event are only added');
END;
CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'rows of audit_entry are only added');
END;
CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN
  SELECT RAISE(ABORT, 'rows of audit_entry are only added');
END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN
  SELECT RAISE(ABORT, 'rows of checkpoint are only added');
END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN
  SELECT RAISE(ABORT, 'rows of checkpoint are only added');
END;
CREATE TRIGGER checkpoint_head_no_update BEFORE UPDATE ON checkpoint_head BEGIN
  SELECT RAISE(ABORT, 'rows of checkpoint_head are only added');
END;
CREATE TRIGGER checkpoint_head_no_delete BEFORE DELETE ON checkpoint_head BEGIN
  SELECT RAISE(ABORT, 'rows of checkpoint_head are only added');
END;
