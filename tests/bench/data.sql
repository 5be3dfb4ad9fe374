-- Fills an empty schema with articles and comments as publishers and readers would have written
-- them. Variables of psql:
--   :articles    number of articles
--   :body_bytes  median length of their bodies; the lengths are log-normal
--   :comments    approximate number of comments; popular articles have more, in a long tail
-- Article i is named i || '-what-the-tide-table-leaves-out'. The table bench_article is for the
-- load generator; the most popular article comes first.

\set ON_ERROR_STOP on
BEGIN;

\ir ../support/without_indexes.sql
SET LOCAL work_mem = '256MB';
SET LOCAL jit = off;

-- Words of one to four syllables. The first ones are used far more often than the last. In
-- languages other than English a third of them have accents.
SELECT setseed(0.5);
CREATE TEMP TABLE word ON COMMIT DROP AS
  SELECT number, plain,
         CASE number % 3 WHEN 0 THEN translate(plain, 'aeo', 'ãéö') ELSE plain END AS accented
  FROM (
    SELECT number, string_agg((ARRAY['ta', 're', 'mi', 'so', 'lu', 'ven', 'kar', 'dol', 'pis', 'un',
                                     'be', 'gra', 'thi', 'no', 'est', 'ca'])
                              [1 + (random() * 15)::integer], '') AS plain
    FROM generate_series(0, 4999) AS number, generate_series(0, number / 20 % 4)
    GROUP BY number
  ) AS words;
ALTER TABLE word ADD PRIMARY KEY (number);

-- Paragraphs of 30 to 130 words.
CREATE TEMP TABLE paragraph ON COMMIT DROP AS
  SELECT chosen.number, count(*) AS words, string_agg(plain, ' ') AS plain,
         string_agg(accented, ' ') AS accented
  FROM (
    SELECT number, (5000 * random() ^ 3)::integer % 5000 AS word
    FROM generate_series(0, 999) AS number, generate_series(1, 30 + number * 7 % 101)
  ) AS chosen
  JOIN word ON word.number = chosen.word
  GROUP BY chosen.number;
ALTER TABLE paragraph ADD PRIMARY KEY (number);
ANALYZE paragraph;
SELECT avg(octet_length(plain))::integer + 2 AS paragraph_bytes FROM paragraph \gset

-- `deviate` is normal, made of two uniform deviates (Box and Muller). The exponent of the tail of
-- comments is 3/4: of 100,000 articles with a million comments, half have four or fewer and the
-- first has 14,000. All random numbers are drawn in the innermost query: beside ORDER BY random()
-- PostgreSQL would use the sort's number for every other random(), and the length would depend on
-- the popularity.
CREATE TEMP TABLE planned ON COMMIT DROP AS
  SELECT i, i || '-what-the-tide-table-leaves-out' AS name,
         (1400000000000 + i::bigint) << 21 | i * 2654435761::bigint % 2097152 AS article_key,
         (i * 2654435761::bigint % 256)::smallint AS bucket, rank,
         timestamptz '2015-01-01' + interval '1 minute' * (3e6 * i / :articles) AS publish_time,
         CASE i % 10 WHEN 7 THEN 'pt' WHEN 8 THEN 'fr' WHEN 9 THEN 'de' ELSE 'en' END AS language,
         greatest(1, round(least(200000, :body_bytes * exp(0.9 * deviate))
                           / :paragraph_bytes))::integer AS paragraphs,
         floor(:comments / (4 * :articles ^ 0.25) / rank ^ 0.75 + spread)::integer AS comments
  FROM (
    SELECT i, row_number() OVER (ORDER BY place) AS rank, spread,
           sqrt(-2 * ln(1 - radius)) * cos(2 * pi() * angle) AS deviate
    FROM (SELECT i, random() AS place, random() AS spread, random() AS radius, random() AS angle
          FROM generate_series(1, :articles) AS i) AS chance
  ) AS drawn;
ANALYZE planned;

INSERT INTO article_state (bucket, article_key, name, first_name, revision, comment_count,
                           comment_policy, publish_time, retracted, scheduled, feed_position,
                           published_position, ever_readable)
SELECT bucket, article_key, name, name, 1 + comments, comments, 1, publish_time, false, false, i, i, false
FROM planned;
UPDATE article_feed SET position = :articles;
INSERT INTO article_change (position, article_key) SELECT i, article_key FROM planned;

INSERT INTO article_name (name, article_key) SELECT name, article_key FROM planned;

-- One section for every six paragraphs; all but the first have a heading. The text begins with the
-- article's name, so that a wrong body is noticed.
INSERT INTO article (bucket, article_key, text_revision, title, authors, update_time, language_code, summary,
                     body, sections, tags, source_uri, word_count)
SELECT bucket, article_key, 1, 'What the Tide Table Leaves Out, Part ' || i,
       (SELECT jsonb_agg(jsonb_build_object('display_name', 'Author Number ' || n,
                                            'id', 'author-' || n) ORDER BY n)
        FROM generate_series(i % 3000, i % 3000 + i % 3) AS n),
       publish_time, language,
       'What part ' || i || ' says in short: ' || left(first.plain, 160), text.body, text.sections,
       (SELECT jsonb_agg('topic ' || n ORDER BY n)
        FROM generate_series(i % 200, i % 200 + i % 4) AS n),
       'https://example.org/tides/' || i, text.words
FROM planned
JOIN paragraph first ON first.number = i % 1000
CROSS JOIN LATERAL (
  SELECT string_agg(text, E'\n\n' ORDER BY section) AS body, sum(words) AS words,
         jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
             'anchor', 'section-' || section + 1,
             'heading', CASE WHEN section > 0 THEN 'Section ' || section + 1 END,
             'byte_offset', NULLIF(bytes_before, 0), 'byte_length', octet_length(text),
             'word_count', words)) ORDER BY section) AS sections
  FROM (
    SELECT *, sum(octet_length(text) + 2) OVER (ORDER BY section) - octet_length(text) - 2
                AS bytes_before
    FROM (
      SELECT section,
             CASE section WHEN 0 THEN name || ': '
                          ELSE '## Section ' || section + 1 || E'\n\n' END
               || string_agg(CASE language WHEN 'en' THEN plain ELSE accented END, E'\n\n'
                             ORDER BY place) AS text,
             CASE section WHEN 0 THEN 1 ELSE 2 END + sum(words) AS words
      FROM (SELECT place, place / 6 AS section, (i * 7::bigint + place * 379) % 1000 AS number
            FROM generate_series(0, paragraphs - 1) AS place) AS chosen
      JOIN paragraph USING (number)
      GROUP BY section
    ) AS sections
  ) AS placed
) AS text;

INSERT INTO article_label (bucket, article_key, kind, value, publish_time)
SELECT p.bucket, p.article_key, label.kind, label.value, p.publish_time
FROM planned p
JOIN article a USING (bucket, article_key)
CROSS JOIN LATERAL (
  WITH author (value) AS (
    SELECT author ->> 'id' FROM jsonb_array_elements(a.authors) AS author
  ), tag (value) AS (
    SELECT tag FROM jsonb_array_elements_text(a.tags) AS tag
  )
  SELECT 'author', value FROM author
  UNION ALL
  SELECT 'tag', value FROM tag
  UNION ALL
  SELECT 'author and tag', author.value || E'\n' || tag.value FROM author, tag
) AS label (kind, value);

-- The ids of comments are UUIDs of version 7: the time in milliseconds, then numbers that make them
-- unique.
CREATE FUNCTION pg_temp.comment_id(made timestamptz, i bigint, k bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE
  RETURN (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7'
          || lpad(to_hex(k % 4096), 3, '0') || '8' || lpad(to_hex(i), 15, '0'))::uuid;

-- Every third comment replies to one of the two before it, in turn. So a comment has at most one
-- reply.
INSERT INTO comment (bucket, article_key, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT bucket, article_key, comment_id, parent_id,
       coalesce(uuid_send(parent_id), '') || uuid_send(comment_id),
       CASE WHEN parent IS NULL THEN 0 ELSE 1 END, 1, 'reader-' || reader,
       'Reader Number ' || reader,
       left(CASE language WHEN 'en' THEN plain ELSE accented END, length),
       CASE WHEN answer <= comments THEN 1 ELSE 0 END, 0, made, made,
       1 + CASE WHEN answer <= comments THEN answer ELSE k END, 1 + k, true, true
FROM (
  SELECT *, pg_temp.comment_id(made, i, k) AS comment_id,
         pg_temp.comment_id(publish_time + parent * every, i, parent) AS parent_id
  FROM (
    SELECT *, publish_time + k * every AS made,
           CASE k % 3 WHEN 0 THEN k - 1 - k / 3 % 2 END AS parent,
           CASE k % 3 WHEN 1 THEN CASE (k + 2) / 3 % 2 WHEN 1 THEN k + 2 END
                      WHEN 2 THEN CASE (k + 1) / 3 % 2 WHEN 0 THEN k + 1 END END AS answer,
           20 + (400 * random() ^ 2)::integer AS length, (random() * 50000)::integer AS reader
    FROM (SELECT i, bucket, article_key, publish_time, language, comments,
                 interval '1 minute' * (1 + i % 97) AS every
          FROM planned) AS articles
    CROSS JOIN LATERAL generate_series(1::bigint, comments) AS k
  ) AS numbered
) AS made
JOIN paragraph ON paragraph.number = (i + k) % 1000;

SELECT pg_temp.make_indexes();

CREATE TABLE bench_article AS
  SELECT rank, p.name, octet_length(a.body) AS body_bytes,
         left(a.body, 60) AS beginning, p.comments
  FROM planned p JOIN article a USING (bucket, article_key);
ALTER TABLE bench_article ADD PRIMARY KEY (rank);

COMMIT;
VACUUM ANALYZE;
CHECKPOINT;
