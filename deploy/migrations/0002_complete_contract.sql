-- Names that can change, a feed of articles, search, moderation, and what the life of a comment needs.

-- Every name (the {article} of articles/{article}) that an article has or had. An article is kept,
-- for ever and in every table, under the first of its names, its article_id; names are never given to
-- another article. The one table whose key cannot hold article_id: on Citus, a reference table.
CREATE TABLE article_name (
  name       text COLLATE "C" PRIMARY KEY,
  article_id text COLLATE "C" NOT NULL
);
CREATE INDEX article_name_by_article ON article_name (article_id);
INSERT INTO article_name (name, article_id) SELECT article_id, article_id FROM article_state;

-- Position of the last change of what readers see of any article. Its one row is locked last in a
-- transaction, by publishing alone, so that positions are in the order of the commits.
CREATE TABLE article_feed (position bigint NOT NULL);

ALTER TABLE article_state
  ADD COLUMN name text COLLATE "C",            -- the current one
  ADD COLUMN feed_position bigint,             -- of the last change but comments
  ADD COLUMN published_position bigint,        -- of the change that last brought it to readers
  -- Whether readers saw it before its last change: whoever did must hear of its end, and nobody else.
  ADD COLUMN ever_readable boolean;
UPDATE article_state s
SET name = s.article_id, feed_position = n.position, published_position = n.position,
    ever_readable = (s.publish_time <= now())
FROM (SELECT article_id, row_number() OVER (ORDER BY publish_time, article_id) AS position
      FROM article_state) n
WHERE n.article_id = s.article_id;
INSERT INTO article_feed (position) SELECT coalesce(max(feed_position), 0) FROM article_state;
ALTER TABLE article_state
  ALTER COLUMN name SET NOT NULL,
  ALTER COLUMN feed_position SET NOT NULL,
  ALTER COLUMN published_position SET NOT NULL,
  ALTER COLUMN ever_readable SET NOT NULL;
CREATE INDEX article_state_by_feed ON article_state (feed_position);

-- Lists by author and tag page by key too: a label for each author with each tag.
ALTER TABLE article_label
  DROP CONSTRAINT article_label_kind_check,
  ADD CHECK (kind IN ('author', 'tag', 'author and tag'));
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT a.article_id, 'author and tag', a.value || E'\n' || t.value, a.publish_time
FROM article_label a JOIN article_label t USING (article_id)
WHERE a.kind = 'author' AND t.kind = 'tag';

-- What articles are searched by; no row for one that is retracted. search holds, besides the words,
-- the lexemes 'config=' || config, so that words are found in their own language only, and
-- 'language=' || the first part of the article's BCP 47 tag.
CREATE TABLE article_search (
  article_id   text COLLATE "C" PRIMARY KEY REFERENCES article_state,
  config       text COLLATE "C" NOT NULL,  -- text search configuration
  publish_time timestamptz NOT NULL,       -- the article's
  search       tsvector NOT NULL
);
CREATE INDEX article_search_by_words ON article_search USING gin (search);
CREATE INDEX article_search_by_config ON article_search (config);

-- Which text search configuration stands for which language (the first part of a BCP 47 tag). A
-- language that is not here is searched without stems and stop words ('simple').
CREATE TABLE search_language (
  language text COLLATE "C" PRIMARY KEY,
  config   text COLLATE "C" NOT NULL
);
INSERT INTO search_language (language, config) VALUES
  ('ar', 'arabic'), ('ca', 'catalan'), ('da', 'danish'), ('de', 'german'), ('el', 'greek'),
  ('en', 'english'), ('es', 'spanish'), ('eu', 'basque'), ('fi', 'finnish'), ('fr', 'french'),
  ('ga', 'irish'), ('hi', 'hindi'), ('hu', 'hungarian'), ('hy', 'armenian'), ('id', 'indonesian'),
  ('it', 'italian'), ('lt', 'lithuanian'), ('ne', 'nepali'), ('nb', 'norwegian'),
  ('nl', 'dutch'), ('nn', 'norwegian'), ('no', 'norwegian'), ('pt', 'portuguese'),
  ('ro', 'romanian'), ('ru', 'russian'), ('sr', 'serbian'), ('sv', 'swedish'), ('ta', 'tamil'),
  ('tr', 'turkish'), ('yi', 'yiddish');

-- The same statement as in store/search.cc, once for what is there already.
INSERT INTO article_search (article_id, config, publish_time, search)
SELECT a.article_id, c.config, s.publish_time,
       setweight(to_tsvector(c.config::regconfig, a.title), 'A') ||
       setweight(to_tsvector(c.config::regconfig, a.summary), 'B') ||
       setweight(to_tsvector(c.config::regconfig, left(a.body, 100000)), 'C') ||
       array_to_tsvector(ARRAY['config=' || c.config, 'language=' || c.language])
FROM article a
JOIN article_state s USING (article_id)
CROSS JOIN LATERAL (
  SELECT coalesce(l.config, 'simple'), t.language
  FROM (SELECT lower(split_part(a.language_code, '-', 1))) AS t (language)
  LEFT JOIN search_language l USING (language)
) AS c (config, language)
WHERE NOT s.retracted;

-- A comment is shown if it is VISIBLE (1) or has replies that are shown; that is what reply_count
-- counts now. Whoever saw a comment must hear of its end: ever_shown.
DROP INDEX comment_by_thread, comment_by_parent;
ALTER TABLE comment ADD COLUMN shown boolean NOT NULL DEFAULT true,  -- without writing every row anew
                    ADD COLUMN ever_shown boolean NOT NULL DEFAULT true;
UPDATE comment SET shown = false, ever_shown = false WHERE state <> 1 AND reply_count = 0;
ALTER TABLE comment ALTER COLUMN shown DROP DEFAULT, ALTER COLUMN ever_shown DROP DEFAULT;
CREATE INDEX comment_shown ON comment (article_id, comment_id) WHERE shown;
CREATE INDEX comment_shown_by_thread ON comment (article_id, thread_key) WHERE shown;
CREATE INDEX comment_shown_by_parent ON comment (article_id, parent_id, comment_id)
  WHERE shown AND parent_id IS NOT NULL;
-- Changes after a revision.
CREATE INDEX comment_by_revision ON comment (article_id, revision) WHERE ever_shown;
-- A deleted comment has no author.
CREATE INDEX comment_by_author ON comment (author_id, article_id, comment_id) WHERE author_id <> '';
-- PENDING (2) and HIDDEN (3).
CREATE INDEX comment_by_state ON comment (state, comment_id, article_id) WHERE state IN (2, 3);

-- Every write may carry a request_id now, and it is kept for a time only.
ALTER TABLE request
  ALTER COLUMN comment_id DROP NOT NULL,
  ADD COLUMN revision bigint,   -- of the article, after the write
  ADD COLUMN outcome smallint;  -- PublishOutcome, of a publishing
-- Version 1 took its fingerprints of other things. An empty one fits every request.
UPDATE request r SET revision = c.text_revision, outcome = 0, fingerprint = ''
FROM comment c WHERE c.article_id = r.article_id AND c.comment_id = r.comment_id;
ALTER TABLE request ALTER COLUMN revision SET NOT NULL, ALTER COLUMN outcome SET NOT NULL;
CREATE INDEX request_by_time ON request (create_time);
