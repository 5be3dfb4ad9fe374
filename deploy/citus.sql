-- Distributes contentd's tables over the workers of a Citus cluster (see CITUS.md). Run it with psql on
-- the coordinator, as the owner of the tables, after every `contentd migrate`, while no server runs:
--
--   psql --file=deploy/citus.sql "$CONTENT_DATABASE_URL"
--
-- It leaves alone what is distributed already, so it can be run again. Everything is done in one
-- transaction. --set=shards=N sets the number of shards (32 unless told otherwise, at most 256), which
-- is fixed the first time.

\set ON_ERROR_STOP on
\if :{?shards}
\else
  \set shards 32
\endif

BEGIN;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
    RAISE 'this database has no Citus: CREATE EXTENSION citus on every node first';
  ELSIF to_regclass('audit_event') IS NULL THEN
    RAISE 'the schema is missing or too old: run `contentd migrate` first';
  ELSIF NOT EXISTS (SELECT FROM pg_dist_node WHERE groupid = 0) THEN
    RAISE 'the coordinator has no name: SELECT citus_set_coordinator_host(...) first';
  ELSIF NOT EXISTS (SELECT FROM pg_dist_node WHERE shouldhaveshards) THEN
    RAISE 'there are no workers: SELECT citus_add_node(...) first';
  END IF;
END $$;

CREATE TEMP TABLE undistributed ON COMMIT DROP AS
  SELECT name FROM unnest(ARRAY['article_state', 'article', 'article_label', 'article_search', 'comment',
                                'comment_report', 'comment_report_count', 'request', 'article_name',
                                'article_feed', 'article_change', 'audit_event'])
                   WITH ORDINALITY AS tables (name, number)
  WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = name::regclass)
  ORDER BY number;

-- Everything of an article is in the shards of its bucket, which are together on one worker.
SELECT create_distributed_table('article_state', 'bucket', shard_count => :shards,
                                colocate_with => 'none')
FROM undistributed WHERE name = 'article_state';
SELECT create_distributed_table(name, 'bucket', colocate_with => 'article_state')
FROM undistributed WHERE name IN ('article', 'article_label', 'article_search', 'comment', 'comment_report',
                                  'comment_report_count', 'request');

-- These stay on the coordinator, where servers are told of changes. Citus has to know of them, so that
-- what one transaction writes there and to a worker is committed on both or on neither. (No reference
-- tables: of those every node has a copy, and reads see one or another.)
SELECT citus_add_local_table_to_metadata(name)
FROM undistributed WHERE name IN ('article_name', 'article_feed', 'article_change', 'audit_event');

COMMIT;
