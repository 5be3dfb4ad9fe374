-- Whether an index must still be filled after the migrations that have emptied it. Servers do not
-- start until then; `contentd migrate` fills it and clears this.
ALTER TABLE schema_migration ADD COLUMN search_index_owed boolean NOT NULL DEFAULT false;
UPDATE schema_migration SET search_index_owed = true;

-- The service itself now cuts texts into the words that are searched (content/search_text.h), so
-- that Chinese, Japanese, Korean and Thai are found and the database's locale plays no part.
-- `contentd migrate` fills the index again after this migration.
TRUNCATE article_search;

-- Names are now stored, and looked for, in NFC and without white space at their ends
-- (content/normalize.h). This puts those that are stored already into that form. A name of nothing
-- but white space keeps it, so that it is not taken for none.
CREATE FUNCTION stored_form(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(nullif(btrim(normalize(name, NFC),
                               E'\t\n\u000B\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005'
                               '\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000'), ''),
                  normalize(name, NFC))
$$;

UPDATE comment
SET author_id = stored_form(author_id), author_display_name = stored_form(author_display_name)
WHERE (author_id, author_display_name) <> (stored_form(author_id), stored_form(author_display_name));

UPDATE article a SET title = stored.title, authors = stored.authors, tags = stored.tags
FROM (
  SELECT article_id, stored_form(title) AS title,
         (SELECT coalesce(jsonb_agg((SELECT jsonb_object_agg(key, stored_form(value))
                                     FROM jsonb_each_text(author)) ORDER BY place), '[]')
          FROM jsonb_array_elements(authors) WITH ORDINALITY AS e (author, place)) AS authors,
         -- Two forms of one tag become one tag.
         (SELECT coalesce(jsonb_agg(tag ORDER BY place), '[]')
          FROM (SELECT stored_form(tag) AS tag, min(place) AS place
                FROM jsonb_array_elements_text(tags) WITH ORDINALITY AS e (tag, place)
                GROUP BY stored_form(tag)) AS t) AS tags
  FROM article
) AS stored
WHERE stored.article_id = a.article_id
  AND (stored.title, stored.authors, stored.tags) <> (a.title, a.authors, a.tags);

-- The same for labels. The parts of a value are on lines of their own.
WITH stored AS (
  SELECT article_id, kind, value, publish_time,
         (SELECT string_agg(stored_form(part), E'\n' ORDER BY place)
          FROM unnest(string_to_array(value, E'\n')) WITH ORDINALITY AS e (part, place)) AS new_value
  FROM article_label
), old AS (
  DELETE FROM article_label l USING stored s
  WHERE (l.article_id, l.kind, l.value) = (s.article_id, s.kind, s.value) AND s.value <> s.new_value
  RETURNING s.*
)
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT article_id, kind, new_value, publish_time FROM old
ON CONFLICT DO NOTHING;

DROP FUNCTION stored_form;
