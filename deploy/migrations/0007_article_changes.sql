-- compatible: no
-- Servers of version 6 would change articles without writing article_change.
--
-- The feed of articles as an outbox: the changes are rows of their own, next to the feed's position.

LOCK TABLE article_state IN ACCESS EXCLUSIVE MODE;  -- before any work

-- Position of each article's last change. An article has one row, which is replaced when it changes
-- again. On Citus, this table and article_feed stay on the coordinator: a watcher reads both in one
-- snapshot, and the articles, which may be elsewhere, afterwards.
-- Each change leaves a dead row in the way of watchers that begin with all articles, so it is vacuumed after a
-- fiftieth of the table and not after a fifth.
CREATE TABLE article_change (
  position    bigint PRIMARY KEY,
  article_key bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02);
INSERT INTO article_change (position, article_key) SELECT feed_position, article_key FROM article_state;
DROP INDEX article_state_by_feed;
ANALYZE article_change;

-- Who may publish may write here too: the owner and the rights are those of article_label, which is
-- written alike.
DO $$
DECLARE
  g record;
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'article_label'::regclass);
BEGIN
  FOR g IN SELECT a.privilege_type, a.is_grantable,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                 ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
           FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
           WHERE c.oid = 'article_label'::regclass AND a.grantee <> c.relowner LOOP
    EXECUTE format('GRANT %s ON article_change TO %s%s', g.privilege_type, g.grantee,
                   CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
  IF owner <> current_user THEN
    EXECUTE format('ALTER TABLE article_change OWNER TO %I', owner);
  END IF;
END $$;
