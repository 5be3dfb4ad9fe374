-- compatible: yes
-- Servers of version 7 know neither blocks nor reports: until they are replaced, they let blocked authors
-- write, and leave the reports on comments that they delete, which the queue then passes by.
--
-- Authors who may not write comments, and what readers have reported.

DO $$
DECLARE
  new_table text;
  g record;
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'comment'::regclass);
BEGIN
  -- On Citus, on the coordinator.
  CREATE TABLE author_block (
    author_id  text COLLATE "C" PRIMARY KEY,
    reason     text NOT NULL,
    block_time timestamptz NOT NULL
  );

  -- One row for each reader who has reported a comment.
  CREATE TABLE comment_report (
    article_key bigint NOT NULL,
    bucket      smallint NOT NULL,
    settled     boolean NOT NULL,  -- a moderator has judged the comment since
    comment_id  uuid NOT NULL,
    reporter_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (article_key, bucket, comment_id, reporter_id)
  );
  CREATE INDEX comment_report_by_reporter ON comment_report (reporter_id, article_key, comment_id);

  -- Only for the queue of moderators: how many rows of comment_report are not settled. A comment that
  -- has none has no row here.
  CREATE TABLE comment_report_count (
    article_key  bigint NOT NULL,
    report_count integer NOT NULL,
    bucket       smallint NOT NULL,
    comment_id   uuid NOT NULL,
    PRIMARY KEY (article_key, bucket, comment_id)
  );
  CREATE INDEX comment_report_count_by_count
    ON comment_report_count (report_count, comment_id, article_key);

  -- Whose the comments are, and who may write them: their rows are changed, but rows here also go.
  FOREACH new_table IN ARRAY ARRAY['author_block', 'comment_report', 'comment_report_count'] LOOP
    FOR g IN SELECT CASE a.privilege_type WHEN 'UPDATE' THEN 'UPDATE, DELETE'
                                          ELSE a.privilege_type END AS privileges,
                    a.is_grantable,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
             FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
             WHERE c.oid = 'comment'::regclass AND a.grantee <> c.relowner LOOP
      EXECUTE format('GRANT %s ON %I TO %s%s', g.privileges, new_table, g.grantee,
                     CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    IF owner <> current_user THEN
      EXECUTE format('ALTER TABLE %I OWNER TO %I', new_table, owner);
    END IF;
  END LOOP;
END $$;
