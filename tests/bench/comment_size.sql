-- Inserts :comments comments on a tenth as many articles, in random order, as writers would, and
-- returns the bytes that each takes in the table, in its indexes, and in the WAL. Ids of authors have
-- 32 characters, bodies 184. Runs in an empty schema.

\set ON_ERROR_STOP on
SET jit = off;
SELECT setseed(0.5) \g /dev/null

CREATE TEMP TABLE written AS
  SELECT (1400000000000 + article) << 21 | article * 2654435761 % 2097152 AS article_key,
         (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + i), 12, '0') || '7'
          || lpad(to_hex(i % 4096), 3, '0') || '8' || lpad(to_hex(i * 2654435761 % 4294967296), 15, '0'))
           ::uuid AS comment_id,
         rpad('reader-' || reader || '-', 32, 'x') AS author_id, 'Reader Number ' || reader AS name,
         rpad('Comment ' || i || ': ', 184, md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text)
                                            || md5((i + 3)::text) || md5((i + 4)::text)
                                            || md5((i + 5)::text)) AS body,
         2 + i / :comments AS revision
  FROM (SELECT i, (random() * (:comments / 10 - 1))::bigint AS article,
               (random() * 50000)::integer AS reader
        FROM generate_series(1::bigint, :comments) AS i) AS drawn;

CHECKPOINT;
SELECT pg_current_wal_insert_lsn() AS begin \gset
INSERT INTO comment (bucket, article_key, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT article_key % 256, article_key, comment_id, NULL, uuid_send(comment_id), 0, 1, author_id, name,
       body, 0, 0, now(), now(), revision, revision, true, true
FROM written ORDER BY random();
SELECT pg_current_wal_insert_lsn() AS end \gset

SELECT round(pg_table_size('comment')::numeric / :comments, 1),
       round(pg_indexes_size('comment')::numeric / :comments, 1),
       round(pg_wal_lsn_diff(:'end', :'begin') / :comments, 1);
