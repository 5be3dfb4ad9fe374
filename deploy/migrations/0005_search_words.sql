-- The service itself now cuts texts into the words that are searched (content/search_text.h), so
-- that Chinese, Japanese, Korean and Thai are found and the database's locale plays no part.
-- `contentd migrate` fills the index again after this migration.
TRUNCATE article_search;
