-- Reads one article by its key: the columns that GetArticle needs, without looking up the name.
\set i random(1, :articles)
SELECT s.name, s.revision, s.comment_count, s.comment_policy, s.publish_time, a.update_time,
       a.text_revision, a.title, a.authors, a.language_code, a.summary, a.body, a.sections, a.tags,
       a.source_uri, a.word_count
FROM article_state s JOIN article a USING (article_id)
WHERE s.article_id = :i || '-what-the-tide-table-leaves-out' AND NOT s.retracted;
