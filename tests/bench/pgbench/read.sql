-- Reads one article by its key: the columns that GetArticle needs, without looking up the name.
\set i random(1, :articles)
\set key ((1400000000000 + :i) << 21) | (:i * 2654435761 % 2097152)
\set bucket :key & 255
SELECT s.name, s.revision, s.comment_count, s.comment_policy, s.publish_time, a.update_time,
       a.text_revision, a.title, a.authors, a.language_code, a.summary, a.body, a.sections, a.tags,
       a.source_uri, a.word_count
FROM article_state s JOIN article a USING (bucket, article_key)
WHERE s.bucket = :bucket::smallint AND s.article_key = :key::bigint AND NOT s.retracted;
