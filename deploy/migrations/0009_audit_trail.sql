-- compatible: yes
-- What servers of version 8 do is not in the trail.
--
-- Who did what to articles, comments and authors.

DO $$
DECLARE
  new_table text;
  g record;
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'comment'::regclass);
BEGIN
  -- On Citus, on the coordinator: an act may be about no article, and the trail is read by time.
  -- Columns that do not apply are 0 or empty, as are those that an erasure has emptied.
  CREATE TABLE audit_event (
    event_id      uuid PRIMARY KEY,   -- of version 7: the time of the act
    article_key   bigint NOT NULL,
    revision      bigint NOT NULL,    -- of the article, after the act
    item_count    bigint NOT NULL,
    action        smallint NOT NULL,  -- AuditAction
    outcome       smallint NOT NULL,  -- PublishOutcome
    state         smallint NOT NULL,  -- CommentState, after a moderation
    erased        boolean NOT NULL,
    comment_id    uuid,
    caller        text COLLATE "C" NOT NULL,
    person_id     text COLLATE "C" NOT NULL,
    author_id     text COLLATE "C" NOT NULL,
    name          text COLLATE "C" NOT NULL,  -- the article's, after the act
    previous_name text COLLATE "C" NOT NULL
  );
  CREATE INDEX audit_event_by_article ON audit_event (article_key, event_id);
  CREATE INDEX audit_event_by_action ON audit_event (action, event_id);
  CREATE INDEX audit_event_by_caller ON audit_event (caller, event_id) WHERE caller <> '';
  CREATE INDEX audit_event_by_caller_and_action ON audit_event (caller, action, event_id)
    WHERE caller <> '';
  CREATE INDEX audit_event_by_person ON audit_event (person_id, event_id) WHERE person_id <> '';
  CREATE INDEX audit_event_by_author ON audit_event (author_id, event_id) WHERE author_id <> '';

  -- The values of --audit-retention that servers have, and when one of them last had it.
  CREATE TABLE audit_retention (
    retention interval PRIMARY KEY,
    used_time timestamptz NOT NULL
  );

  -- Whose the comments are. Who may add comments may serve; who may only read them does not get to read
  -- the trail.
  FOREACH new_table IN ARRAY ARRAY['audit_event', 'audit_retention'] LOOP
    FOR g IN SELECT a.is_grantable,
                    CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                   ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
             FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
             WHERE c.oid = 'comment'::regclass AND a.grantee <> c.relowner
               AND a.privilege_type = 'INSERT' LOOP
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %s%s', new_table, g.grantee,
                     CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    IF owner <> current_user THEN
      EXECUTE format('ALTER TABLE %I OWNER TO %I', new_table, owner);
    END IF;
  END LOOP;
END $$;
