-- What measuring showed to cost more than it gives (see "The schema" in ARCHITECTURE.md).

-- No row of article_state is ever removed, and every write of a comment locks its article's first:
-- these two looked for it again, which took a fifth of the CPU of a comment.
ALTER TABLE comment DROP CONSTRAINT comment_article_id_fkey;
ALTER TABLE request DROP CONSTRAINT request_article_id_fkey;

-- A text stays in its article's row while this fits a page, which saves the way to the TOAST table.
-- For texts written from now on.
ALTER TABLE article SET (toast_tuple_target = 8160);
