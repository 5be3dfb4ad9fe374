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
  SELECT article_id, comment_id
  FROM comment
  WHERE (article_id, comment_id) >
        (split_part($2, ' ', 1),
         coalesce(nullif(split_part($2, ' ', 2), ''), '00000000-0000-0000-0000-000000000000')::uuid)
  ORDER BY article_id, comment_id
  LIMIT $1
), filled AS (
  UPDATE comment c SET body_length = char_length(body)
  FROM batch b
  WHERE c.article_id = b.article_id AND c.comment_id = b.comment_id AND body_length IS NULL
)
SELECT count(*) AS rows,
       (SELECT article_id || ' ' || comment_id FROM batch
        ORDER BY article_id DESC, comment_id DESC LIMIT 1) AS cursor
FROM batch

-- step: index comment_by_length
CREATE INDEX CONCURRENTLY comment_by_length ON comment (article_id, body_length);

-- step: transaction
ALTER TABLE comment ADD CONSTRAINT comment_length_check CHECK (body_length >= 0) NOT VALID;

-- step: no transaction
ALTER TABLE comment VALIDATE CONSTRAINT comment_length_check;
