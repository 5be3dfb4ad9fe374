-- What a release may change while the servers of the one before serve, in steps of every kind. Only
-- upgrade_test.cc uses it.
-- compatible: yes

-- step: transaction
ALTER TABLE comment SET (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Old servers write no value, so it must not be needed.
-- step: transaction
ALTER TABLE comment ADD COLUMN body_length integer;

-- step: batches of comment
WITH batch AS MATERIALIZED (
  SELECT article_key, bucket, comment_id
  FROM comment
  WHERE (article_key, bucket, comment_id) >
        (coalesce(nullif(split_part($2, ' ', 1), ''), '0')::bigint,
         coalesce(nullif(split_part($2, ' ', 2), ''), '0')::smallint,
         coalesce(nullif(split_part($2, ' ', 3), ''), '00000000-0000-0000-0000-000000000000')::uuid)
  ORDER BY article_key, bucket, comment_id
  LIMIT $1
), filled AS (
  UPDATE comment c SET body_length = char_length(body)
  FROM batch b
  WHERE c.article_key = b.article_key AND c.bucket = b.bucket AND c.comment_id = b.comment_id
    AND body_length IS NULL
)
SELECT count(*) AS rows,
       (SELECT concat_ws(' ', article_key, bucket, comment_id) FROM batch
        ORDER BY article_key DESC, bucket DESC, comment_id DESC LIMIT 1) AS cursor
FROM batch

-- step: index comment_by_length
CREATE INDEX CONCURRENTLY comment_by_length ON comment (article_key, body_length);

-- step: transaction
ALTER TABLE comment ADD CONSTRAINT comment_length_check CHECK (body_length >= 0) NOT VALID;

-- step: no transaction
ALTER TABLE comment VALIDATE CONSTRAINT comment_length_check;
