-- Inserts a comment. If :counted is 1, the same transaction also counts it on its article, whose
-- row is locked last, which keeps the lock short. If :pipelined is 1, all statements are sent at
-- once. The id is a UUID of version 7.
\set i random(:first, :last)
\set key ((1400000000000 + :i) << 21) | (:i * 2654435761 % 2097152)
\set bucket :key & 255
\set reader random(0, 49999)
\if :pipelined
\startpipeline
\endif
\if :counted
BEGIN;
\endif
INSERT INTO comment (bucket, article_key, comment_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT :bucket::smallint, :key::bigint, id, uuid_send(id), 0, 1,
       CASE :counted::integer WHEN 1 THEN 'reader-' ELSE 'bare-' END || :reader,
       'Reader Number ' || :reader,
       'A comment by pgbench. It says what a reader would say who has read to the end, agrees with '
       'the half of it, and has something to add.', 0, 0, now(), now(), 1, 1, true, true
FROM (SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7'
              || substr(translate(gen_random_uuid()::text, '-', ''), 14))::uuid AS id) AS made;
\if :counted
UPDATE article_state SET revision = revision + 1, comment_count = comment_count + 1
WHERE bucket = :bucket::smallint AND article_key = :key::bigint;
COMMIT;
\endif
\if :pipelined
\endpipeline
\endif
