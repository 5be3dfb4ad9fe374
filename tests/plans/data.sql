-- 100,000 articles of a few KB, 1,000,000 comments on one of them, 200,000 on others: what the plans
-- are looked at with. Whatever is counted is right. Runs after support/without_indexes.sql.

-- Paragraphs of 60 words; of 5,000 words the first are used far more often than the last.
SELECT setseed(0.5);
CREATE TEMP TABLE paragraph ON COMMIT DROP AS
  SELECT number, text, setweight(to_tsvector('english', text), 'C') AS search
  FROM (
    SELECT number, string_agg('w' || translate(to_hex((5000 * random() ^ 3)::integer + 256),
                                               '0123456789', 'ghijklmnop'), ' ') AS text
    FROM generate_series(0, 999) AS number, generate_series(1, 60)
    GROUP BY number
  ) AS texts;
ALTER TABLE paragraph ADD PRIMARY KEY (number);
ANALYZE paragraph;

-- One in 50 is retracted, one in 1,000 not yet due, one in 100 renamed.
CREATE TEMP TABLE numbered ON COMMIT DROP AS
  SELECT *, (article_key & 255)::smallint AS bucket FROM (
  SELECT i, (1400000000000 + i::bigint) << 21 | i * 2654435761::bigint % 2097152 AS article_key,
         'art-' || i AS first_name,
         CASE WHEN i % 100 = 3 THEN 'new-' || i ELSE 'art-' || i END AS name,
         CASE WHEN i % 1000 = 0 THEN timestamptz '2999-01-01' ELSE timestamptz '2020-01-01' END
           + i * interval '30 minutes' AS publish_time,
         i % 50 = 7 AS retracted
  FROM generate_series(1, 100000) AS i) AS made;
ALTER TABLE numbered ADD PRIMARY KEY (i);
ANALYZE numbered;

INSERT INTO article_state (bucket, article_key, first_name, revision, comment_count, comment_policy,
                           publish_time, retracted, scheduled, name, feed_position,
                           published_position, ever_readable)
SELECT bucket, article_key, first_name,
       CASE WHEN i = 1 THEN 1000001 WHEN i BETWEEN 2 AND 20001 THEN 11 ELSE 1 END,
       CASE WHEN i = 1 THEN 970000 WHEN i BETWEEN 2 AND 20001 AND i % 20 <> 2 THEN 10 ELSE 0 END,
       1, publish_time, retracted, NOT retracted AND publish_time > now(), name, i, i, true
FROM numbered;
UPDATE article_feed SET position = 100000;
INSERT INTO article_change (position, article_key) SELECT i, article_key FROM numbered;

INSERT INTO article_name (name, article_key) SELECT first_name, article_key FROM numbered;
INSERT INTO article_name (name, article_key)
SELECT name, article_key FROM numbered WHERE name <> first_name;

INSERT INTO article (bucket, article_key, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
SELECT bucket, article_key, 1, 'Title number' || i,
       jsonb_build_array(jsonb_build_object('display_name', 'author-' || i % 1000)), publish_time,
       'en', 'What it says.', concat_ws(E'\n\n', a.text, b.text, c.text, d.text, e.text, f.text, g.text),
       '[]', jsonb_build_array('tag-' || i % 100, 'all'), '', 420
FROM numbered
JOIN paragraph a ON a.number = i % 1000
JOIN paragraph b ON b.number = i * 3 % 997
JOIN paragraph c ON c.number = i * 7 % 991
JOIN paragraph d ON d.number = i * 11 % 983
JOIN paragraph e ON e.number = i * 13 % 977
JOIN paragraph f ON f.number = i * 17 % 971
JOIN paragraph g ON g.number = i * 19 % 967;

INSERT INTO article_search (bucket, article_key, config, publish_time, search)
SELECT bucket, article_key, 'english', CASE WHEN publish_time > now() THEN 'infinity' ELSE publish_time END,
       setweight(to_tsvector('english', 'Title number' || i), 'A') || a.search || b.search ||
       c.search || d.search || e.search || f.search || g.search ||
       array_to_tsvector(ARRAY['config=english', 'language=en'])
FROM numbered
JOIN paragraph a ON a.number = i % 1000
JOIN paragraph b ON b.number = i * 3 % 997
JOIN paragraph c ON c.number = i * 7 % 991
JOIN paragraph d ON d.number = i * 11 % 983
JOIN paragraph e ON e.number = i * 13 % 977
JOIN paragraph f ON f.number = i * 17 % 971
JOIN paragraph g ON g.number = i * 19 % 967
WHERE NOT retracted;

-- A tag that every article has, tags of 1,000 and authors of 100 articles each, and an author of
-- half of them.
INSERT INTO article_label (bucket, article_key, kind, value, publish_time)
SELECT bucket, article_key, kind, value, publish_time
FROM numbered
CROSS JOIN LATERAL (VALUES ('tag', 'all'), ('tag', 'tag-' || i % 100),
                           ('author', 'author-' || i % 1000),
                           ('author', CASE i % 2 WHEN 0 THEN 'staff' END)) AS label (kind, value)
WHERE value IS NOT NULL;
INSERT INTO article_label (bucket, article_key, kind, value, publish_time)
SELECT a.bucket, a.article_key, 'author and tag', a.value || E'\n' || t.value, a.publish_time
FROM article_label a JOIN article_label t USING (bucket, article_key)
WHERE a.kind = 'author' AND t.kind = 'tag';

-- Comments on art-1, in groups of ten: one that begins a thread, and below it 1 - 2 - 3 and
-- 4 - 5 - 6 - 7 - 8. The ninth answers the very first comment, which so has 100,000 replies. Of some
-- groups the comment 3 waits for a moderator, or 9 is hidden, or 8 deleted.
CREATE TEMP TABLE tree ON COMMIT DROP AS
  SELECT place, parents
  FROM (VALUES (0, '{}'::integer[]), (1, '{0}'), (2, '{0,1}'), (3, '{0,1,2}'), (4, '{0}'),
               (5, '{0,4}'), (6, '{0,4,5}'), (7, '{0,4,5,6}'), (8, '{0,4,5,6,7}'),
               (9, NULL)) AS places (place, parents);

CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
  RETURN ('01980000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;

INSERT INTO comment (bucket, article_key, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT bucket, article_key, pg_temp.id(n), pg_temp.id(above[cardinality(above)]),
       coalesce((SELECT string_agg(uuid_send(pg_temp.id(a)), '' ORDER BY a)
                 FROM unnest(above) AS a), '') || uuid_send(pg_temp.id(n)),
       cardinality(above), state,
       CASE WHEN state = 4 THEN '' WHEN n / 10 % 100 = 5 THEN 'heavy' ELSE 'user-' || n % 5000 END,
       CASE WHEN state = 4 THEN '' ELSE 'A Reader' END,
       CASE WHEN state = 4 THEN '' ELSE 'Comment number ' || n || ', which says a few words.' END,
       CASE place WHEN 0 THEN CASE n WHEN 0 THEN 90002 ELSE 2 END
                  WHEN 2 THEN CASE WHEN n / 10 % 10 = 0 THEN 0 ELSE 1 END
                  WHEN 7 THEN CASE WHEN n / 10 % 10 = 2 THEN 0 ELSE 1 END
                  WHEN 3 THEN 0 WHEN 8 THEN 0 WHEN 9 THEN 0 ELSE 1 END,
       0, made, made, n + 2, n + 2, state = 1, state <> 2
FROM (
  SELECT n, place, timestamptz '2024-01-01' + n * interval '1 second' AS made,
         CASE WHEN place = 9 THEN ARRAY[0::bigint]
              ELSE ARRAY(SELECT n - place + p FROM unnest(parents) AS p) END AS above,
         CASE WHEN place = 3 AND n / 10 % 10 = 0 THEN 2
              WHEN place = 9 AND n / 10 % 10 = 1 THEN 3
              WHEN place = 8 AND n / 10 % 10 = 2 THEN 4 ELSE 1 END AS state
  FROM generate_series(0::bigint, 999999) AS n
  JOIN tree ON place = n % 10
) AS placed
JOIN numbered ON i = 1;

-- Ten on each of 20,000 articles; on every twentieth of these they wait for a moderator.
INSERT INTO comment (bucket, article_key, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT bucket, article_key, pg_temp.id(n + 1000000), NULL, uuid_send(pg_temp.id(n + 1000000)), 0,
       CASE WHEN n % 20 = 0 THEN 2 ELSE 1 END, 'user-' || n % 5000, 'A Reader',
       'Comment number ' || n || ', which says a few words.', 0, 0, made, made,
       2 + n / 20000, 2 + n / 20000, n % 20 <> 0, n % 20 <> 0
FROM (SELECT n, timestamptz '2025-01-01' + n * interval '1 second' AS made
      FROM generate_series(0::bigint, 199999) AS n) AS numbered_comments
JOIN numbered ON i = 2 + n % 20000;

-- Of yesterday, today, and a day long ago, for which there is no partition.
INSERT INTO request (bucket, article_key, request_id, fingerprint, comment_id, create_day, revision,
                     outcome)
SELECT bucket, article_key, pg_temp.id(n), sha256(n::text::bytea), pg_temp.id(n),
       current_date - CASE n % 3 WHEN 2 THEN 9 ELSE n % 3 END::integer, n, 0
FROM generate_series(1::bigint, 100000) AS n
JOIN numbered ON i = 1 + n % 1000;

-- One to three readers have reported 30,000 of the comments on art-1. 10,000 authors are blocked.
INSERT INTO comment_report (bucket, article_key, comment_id, reporter_id, settled)
SELECT bucket, article_key, pg_temp.id(n * 30 + 1), 'reader-' || (n * 7 + k) % 5000, k = 4
FROM generate_series(0::bigint, 29999) AS n
CROSS JOIN generate_series(1, 4) AS k
JOIN numbered ON i = 1
WHERE k <= 1 + n % 3 OR k = 4;
INSERT INTO comment_report_count (bucket, article_key, comment_id, report_count)
SELECT bucket, article_key, comment_id, count(*) FROM comment_report WHERE NOT settled
GROUP BY bucket, article_key, comment_id;
INSERT INTO author_block (author_id, reason, block_time)
SELECT 'blocked-' || n, 'spam', timestamptz '2025-01-01' FROM generate_series(1, 10000) AS n;

-- 100,000 acts in a year, by three callers and three persons. The first 50 are by callers and persons
-- who are not seen again. One act in 100 blocks an author, always by dns:desk.
INSERT INTO audit_event (event_id, article_key, revision, item_count, action, outcome, state, erased,
                         comment_id, caller, person_id, author_id, name, previous_name)
SELECT (lpad(to_hex(1735689600000 + n * 300000), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
       CASE n % 100 WHEN 0 THEN 0 ELSE article_key END, 1, 0, CASE n % 100 WHEN 0 THEN 9 ELSE 1 + n % 8 END,
       0, 0, false, NULL,
       CASE WHEN n <= 50 THEN 'cn:rare' WHEN n % 4 = 0 THEN 'dns:desk' ELSE 'dns:cms' END,
       CASE WHEN n <= 50 THEN 'rare' WHEN n % 4 = 0 THEN 'ana' WHEN n % 4 = 1 THEN 'ben' ELSE '' END,
       CASE n % 100 WHEN 0 THEN 'blocked-' || n / 100 % 50 ELSE '' END,
       CASE n % 100 WHEN 0 THEN '' ELSE name END, ''
FROM generate_series(1::bigint, 100000) AS n
JOIN numbered ON i = 1 + n % 1000;

SELECT pg_temp.make_indexes();
