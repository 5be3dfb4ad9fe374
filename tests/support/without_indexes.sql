-- For filling an empty schema within one transaction, in which nobody else is there: drops the indexes,
-- which are made faster at once than row by row. The last statement is SELECT pg_temp.make_indexes().
SET LOCAL session_replication_role = replica;
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL synchronous_commit = off;

CREATE TEMP TABLE dropped_index ON COMMIT DROP AS
  SELECT indexname, indexdef FROM pg_indexes
  WHERE schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname);

DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT indexname FROM dropped_index LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
END $$;

CREATE FUNCTION pg_temp.make_indexes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE definition text; BEGIN
  FOR definition IN SELECT indexdef FROM dropped_index LOOP EXECUTE definition; END LOOP;
END $$;
