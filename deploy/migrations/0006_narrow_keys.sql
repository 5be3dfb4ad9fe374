-- compatible: no
-- This writes every table anew, in one transaction.
--
-- Articles have a narrow key. Only article_name and article_state know names. All tables that grow can
-- be distributed by `bucket`, which is in every primary key; it follows from article_key (see
-- service/store/article_key.h), so no other index needs it. Columns are in the order that wastes the
-- fewest bytes on alignment. There are no triggers, no sequences, and no foreign keys: no row of
-- article_state or comment is ever removed, and whoever writes what refers to one has locked its article.

-- Before any work: what holds one of them, such as an autovacuum, has to go first.
LOCK TABLE article_name, article_state, article, article_label, article_search, comment, request
  IN ACCESS EXCLUSIVE MODE;

-- The number of milliseconds is made up, but it puts the keys in the order of publishing, and before all
-- those to come.
CREATE TEMP TABLE keyed ON COMMIT DROP AS
  SELECT article_id, key AS article_key, (key & 255)::smallint AS bucket
  FROM (SELECT article_id,
               (1400000000000 + row_number() OVER (ORDER BY publish_time, article_id) << 21)
                 | (hashtextextended(article_id, 0) & 2097151) AS key
        FROM article_state) AS numbered;
ALTER TABLE keyed ADD PRIMARY KEY (article_id);
ANALYZE keyed;

-- Whose the tables are that are replaced, and who may do what with them.
CREATE TEMP TABLE owned ON COMMIT DROP AS
  SELECT c.relname, quote_ident(pg_get_userbyid(c.relowner)) AS owner
  FROM pg_class c
  WHERE c.oid IN ('article_name'::regclass, 'article_state'::regclass, 'article'::regclass,
                  'article_label'::regclass, 'article_search'::regclass, 'comment'::regclass,
                  'request'::regclass)
    AND pg_get_userbyid(c.relowner) <> current_user;
CREATE TEMP TABLE granted ON COMMIT DROP AS
  SELECT c.relname, a.privilege_type, a.is_grantable,
         CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
  WHERE a.grantee <> c.relowner
    AND c.oid IN ('article_name'::regclass, 'article_state'::regclass, 'article'::regclass,
                  'article_label'::regclass, 'article_search'::regclass, 'comment'::regclass,
                  'request'::regclass);

-- Every name that an article has or had. On Citus, on the coordinator.
ALTER TABLE article_name RENAME TO old_article_name;
CREATE TABLE article_name (
  article_key bigint NOT NULL,
  name        text COLLATE "C" NOT NULL
);
INSERT INTO article_name (article_key, name)
SELECT k.article_key, n.name FROM old_article_name n JOIN keyed k USING (article_id) ORDER BY 1, 2;
DROP TABLE old_article_name;
ALTER TABLE article_name ADD PRIMARY KEY (name);
CREATE INDEX article_name_by_article ON article_name (article_key);

-- The text. It stays in the article's row while it fits into a page.
ALTER TABLE article RENAME TO old_article;
CREATE TABLE article (
  article_key   bigint NOT NULL,
  text_revision bigint NOT NULL,  -- the revision at which the text last changed: its etag
  update_time   timestamptz NOT NULL,
  word_count    integer NOT NULL,
  bucket        smallint NOT NULL,
  title         text NOT NULL,
  authors       jsonb NOT NULL,
  language_code text NOT NULL,
  summary       text NOT NULL,
  sections      jsonb NOT NULL,
  tags          jsonb NOT NULL,
  source_uri    text NOT NULL,
  body          text COMPRESSION lz4 NOT NULL
) WITH (toast_tuple_target = 8160);
INSERT INTO article
SELECT k.article_key, a.text_revision, a.update_time, a.word_count, k.bucket, a.title, a.authors,
       a.language_code, a.summary, a.sections, a.tags, a.source_uri, a.body
FROM old_article a JOIN keyed k USING (article_id) ORDER BY k.article_key;
DROP TABLE old_article;
ALTER TABLE article ADD PRIMARY KEY (article_key, bucket);

-- What articles are listed by: one row for every author, tag, and author with a tag.
ALTER TABLE article_label RENAME TO old_article_label;
CREATE TABLE article_label (
  article_key  bigint NOT NULL,
  publish_time timestamptz NOT NULL,  -- the article's
  bucket       smallint NOT NULL,
  kind         text COLLATE "C" NOT NULL CHECK (kind IN ('author', 'tag', 'author and tag')),
  value        text COLLATE "C" NOT NULL
);
INSERT INTO article_label
SELECT k.article_key, l.publish_time, k.bucket, l.kind, l.value
FROM old_article_label l JOIN keyed k USING (article_id) ORDER BY k.article_key;
DROP TABLE old_article_label;
ALTER TABLE article_label ADD PRIMARY KEY (article_key, bucket, kind, value);
CREATE INDEX article_label_by_time ON article_label (kind, value, publish_time, article_key);

-- What articles are searched by; see 0002 and 0005. `contentd migrate` indexes what is missing here.
ALTER TABLE article_search RENAME TO old_article_search;
CREATE TABLE article_search (
  article_key  bigint NOT NULL,
  publish_time timestamptz NOT NULL,       -- the article's; infinity while it is scheduled
  bucket       smallint NOT NULL,
  config       text COLLATE "C" NOT NULL,  -- text search configuration
  search       tsvector NOT NULL
);
INSERT INTO article_search
SELECT k.article_key, f.publish_time, k.bucket, f.config, f.search
FROM old_article_search f JOIN keyed k USING (article_id) ORDER BY k.article_key;
DROP TABLE old_article_search;
ALTER TABLE article_search ADD PRIMARY KEY (article_key, bucket);
CREATE INDEX article_search_by_words ON article_search USING gin (search);
CREATE INDEX article_search_by_config ON article_search (config);

-- What every write that concerns an article locks and changes. Small, and half empty, so that an update
-- for a comment stays in its page.
ALTER TABLE article_state RENAME TO old_article_state;
CREATE TABLE article_state (
  article_key        bigint NOT NULL,
  revision           bigint NOT NULL,
  comment_count      bigint NOT NULL,
  feed_position      bigint NOT NULL,       -- of the last change but comments
  published_position bigint NOT NULL,       -- of the change that last brought it to readers
  publish_time       timestamptz NOT NULL,
  bucket             smallint NOT NULL,
  comment_policy     smallint NOT NULL,
  retracted          boolean NOT NULL,
  scheduled          boolean NOT NULL,      -- publish_time is still to come; a server clears this
  ever_readable      boolean NOT NULL,      -- whether readers saw it before its last change
  name               text COLLATE "C" NOT NULL,  -- the current one
  first_name         text COLLATE "C" NOT NULL   -- never changes: what caches know the article by
) WITH (fillfactor = 50);
INSERT INTO article_state
SELECT k.article_key, s.revision, s.comment_count, s.feed_position, s.published_position,
       s.publish_time, k.bucket, s.comment_policy, s.retracted, s.scheduled, s.ever_readable, s.name,
       s.article_id
FROM old_article_state s JOIN keyed k USING (article_id) ORDER BY k.article_key;
DROP TABLE old_article_state;
ALTER TABLE article_state ADD PRIMARY KEY (article_key, bucket);
CREATE INDEX article_state_by_time ON article_state (publish_time, article_key)
  WHERE NOT retracted AND NOT scheduled;
CREATE INDEX article_state_by_schedule ON article_state (publish_time) WHERE scheduled;
CREATE INDEX article_state_by_feed ON article_state (feed_position);

-- `shown` is part of the primary key, where it takes no room: so lists of what is shown need no other
-- index, and pass by what is not shown without reading its rows. (No comment_id is used twice in an
-- article: servers make them of the time and of random bits.)
--
-- This table only grows. Vacuuming after every million comments, instead of a share of the table,
-- costs the same per comment whatever the size. It freezes what it visits, so nothing is left to do when
-- transaction ids run out.
ALTER TABLE comment RENAME TO old_comment;
CREATE TABLE comment (
  article_key         bigint NOT NULL,
  revision            bigint NOT NULL,  -- the article's, when anything in this row last changed
  text_revision       bigint NOT NULL,  -- ... when its text or state did: its etag
  create_time         timestamptz NOT NULL,
  update_time         timestamptz NOT NULL,
  reply_count         integer NOT NULL,  -- replies that are shown
  edit_count          integer NOT NULL,
  bucket              smallint NOT NULL,
  depth               smallint NOT NULL,
  state               smallint NOT NULL,
  shown               boolean NOT NULL,  -- VISIBLE, or with replies that are shown
  ever_shown          boolean NOT NULL,
  comment_id          uuid NOT NULL,
  parent_id           uuid,
  -- The ids of the comments above and of this one, 16 bytes each: sorts depth-first.
  thread_key          bytea NOT NULL,
  author_id           text NOT NULL,  -- empty in a deleted comment
  author_display_name text NOT NULL,
  body                text COMPRESSION lz4 NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,
        autovacuum_freeze_min_age = 0);
INSERT INTO comment
SELECT k.article_key, c.revision, c.text_revision, c.create_time, c.update_time, c.reply_count,
       c.edit_count, k.bucket, c.depth, c.state, c.shown, c.ever_shown, c.comment_id, c.parent_id,
       c.thread_key, c.author_id, c.author_display_name, c.body
FROM old_comment c JOIN keyed k USING (article_id);
DROP TABLE old_comment;
ALTER TABLE comment ADD PRIMARY KEY (article_key, bucket, comment_id, shown);
CREATE INDEX comment_shown_by_thread ON comment (article_key, thread_key) WHERE shown;
CREATE INDEX comment_shown_by_parent ON comment (article_key, parent_id, comment_id)
  WHERE shown AND parent_id IS NOT NULL;
-- Changes after a revision.
CREATE INDEX comment_by_revision ON comment (article_key, revision) WHERE ever_shown;
CREATE INDEX comment_by_author ON comment (author_id, article_key, comment_id) WHERE author_id <> '';
-- An article's comments have one bucket. A planner that took the two columns as independent would
-- expect a 256th of them, and read and sort them all by the primary key instead of a page by its index.
CREATE STATISTICS comment_bucket (dependencies) ON article_key, bucket FROM comment;
-- PENDING (2) and HIDDEN (3).
CREATE INDEX comment_by_state ON comment (state, comment_id, article_key) WHERE state IN (2, 3);

-- Writes that carried a request_id, by the day (UTC) on which they were done. A server makes the days to
-- come, and drops those that are old enough (service/store/upkeep/requests.cc). What finds no day is in
-- request_default, as is what claims to be much older, or of a day to come.
ALTER TABLE request RENAME TO old_request;
CREATE TABLE request (
  article_key bigint NOT NULL,
  revision    bigint NOT NULL,    -- of the article, after the write
  create_day  date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
  bucket      smallint NOT NULL,
  outcome     smallint NOT NULL,  -- PublishOutcome, of a publishing
  request_id  uuid NOT NULL,
  comment_id  uuid,
  fingerprint bytea NOT NULL      -- of what was asked for; an empty one fits every request
) PARTITION BY RANGE (create_day);
CREATE TABLE request_default PARTITION OF request DEFAULT;
CREATE INDEX request_default_by_day ON request_default (create_day, bucket);
DO $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day date;
BEGIN
  FOR day IN SELECT generate_series(greatest(today - 30, least(today, min(create_day))), today + 2,
                                    interval '1 day')
             FROM (SELECT (create_time AT TIME ZONE 'UTC')::date AS create_day FROM old_request) AS r LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF request FOR VALUES FROM (%L) TO (%L) '
                   'WITH (autovacuum_enabled = off)',
                   'request_' || to_char(day, 'YYYYMMDD'), day, day + 1);
  END LOOP;
END $$;
INSERT INTO request
SELECT k.article_key, r.revision, (r.create_time AT TIME ZONE 'UTC')::date, k.bucket, r.outcome,
       r.request_id, r.comment_id, r.fingerprint
FROM old_request r JOIN keyed k USING (article_id);
DROP TABLE old_request;
ALTER TABLE request ADD PRIMARY KEY (article_key, bucket, request_id, create_day);

ANALYZE article_name, article_state, article, article_label, article_search, comment, request;

-- The default partition is also read by itself.
INSERT INTO granted (relname, privilege_type, is_grantable, grantee)
SELECT 'request_default', privilege_type, is_grantable, grantee FROM granted WHERE relname = 'request';
DO $$
DECLARE g granted;
BEGIN
  FOR g IN SELECT * FROM granted LOOP
    EXECUTE format('GRANT %s ON %I TO %s%s', g.privilege_type, g.relname, g.grantee,
                   CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
END $$;

-- With the tables, their owners get the partitions, which servers make and drop.
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT p.relid::regclass AS relation, owned.owner
           FROM owned CROSS JOIN LATERAL (
             SELECT relid FROM pg_partition_tree(owned.relname::text::regclass)
             UNION SELECT owned.relname::text::regclass
           ) AS p LOOP
    EXECUTE format('ALTER TABLE %s OWNER TO %s', o.relation, o.owner);
    IF o.relation = 'comment'::regclass THEN
      EXECUTE format('ALTER STATISTICS comment_bucket OWNER TO %s', o.owner);
    END IF;
  END LOOP;
END $$;
