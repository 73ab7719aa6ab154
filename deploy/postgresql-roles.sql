-- Two roles for PostgreSQL: one owns the tables and changes their form (`fenliu migrate`), one is the service's
-- and may only add to what happened: events, the audit log, checkpoints. A break-in by way of the service, or a slip
-- of the hand with its password, can then rewrite none of them.
--
-- Run it in the service's database as a superuser, before the first start and after each `fenliu migrate`; as often
-- as you like, also while the service runs:
--
--   psql -v ON_ERROR_STOP=1 -d fenliu -f postgresql-roles.sql
--   psql -d fenliu -c '\password fenliu_owner' -c '\password fenliu_service'      -- once
--   fenliu migrate --database 'postgres://fenliu_owner:…@HOST/fenliu?…'
--   psql -v ON_ERROR_STOP=1 -d fenliu -f postgresql-roles.sql
--
-- The service has FENLIU_DATABASE_URL=postgres://fenliu_service:…@HOST/fenliu?…; nobody else knows the owner's
-- password. `fenliu import` is the owner's, too.

DO $$
DECLARE
  role_name TEXT;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['fenliu_owner', 'fenliu_service'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role_name);
    END IF;
    EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOCREATEDB', role_name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
  END LOOP;
  IF pg_has_role('fenliu_service', 'fenliu_owner', 'MEMBER') THEN
    RAISE EXCEPTION 'fenliu_service is a member of fenliu_owner: REVOKE fenliu_owner FROM fenliu_service';
  END IF;
  -- Whoever owns the database may make tables in it.
  EXECUTE format('ALTER DATABASE %I OWNER TO fenliu_owner', current_database());
  EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC, fenliu_service;
GRANT USAGE, CREATE ON SCHEMA public TO fenliu_owner;
GRANT USAGE ON SCHEMA public TO fenliu_service;

-- What a later version adds can be read and added to at once; the rest comes when this runs again.
ALTER DEFAULT PRIVILEGES FOR ROLE fenliu_owner IN SCHEMA public
  GRANT SELECT, INSERT ON TABLES TO fenliu_service;
ALTER DEFAULT PRIVILEGES FOR ROLE fenliu_owner IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO fenliu_service;

-- Everything that is there, whoever made it, is the owner's; each table with the service's rights.
DO $$
DECLARE
  made RECORD;
  rights TEXT;
BEGIN
  FOR made IN
    SELECT c.oid::regclass AS name, c.relname, c.relowner FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
  LOOP
    -- It would lock the table, also where there is nothing to change.
    IF made.relowner <> 'fenliu_owner'::regrole THEN
      EXECUTE format('ALTER TABLE %s OWNER TO fenliu_owner', made.name);
    END IF;
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, fenliu_service', made.name);
    rights := CASE
      WHEN made.relname = '__diesel_schema_migrations' THEN 'SELECT'
      WHEN made.relname IN ('event', 'audit_entry', 'checkpoint', 'checkpoint_head') THEN 'SELECT, INSERT'
      ELSE 'SELECT, INSERT, UPDATE, DELETE'
    END;
    EXECUTE format('GRANT %s ON TABLE %s TO fenliu_service', rights, made.name);
  END LOOP;
  FOR made IN
    SELECT p.oid::regprocedure AS name, p.proname FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'only_added'
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO fenliu_owner', made.name);
  END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fenliu_service;
