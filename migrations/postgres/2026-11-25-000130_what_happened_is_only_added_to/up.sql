-- What happened, and what was signed of it, is only added to: whoever has a hand in the database and means no
-- harm is stopped here. Who may drop a trigger is stopped by rights (deploy/postgresql-roles.sql), and found by
-- `fenliu verify`.
CREATE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER event_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON event
  FOR EACH STATEMENT EXECUTE FUNCTION only_added();
CREATE TRIGGER audit_entry_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION only_added();
CREATE TRIGGER checkpoint_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION only_added();
CREATE TRIGGER checkpoint_head_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint_head
  FOR EACH STATEMENT EXECUTE FUNCTION only_added();
