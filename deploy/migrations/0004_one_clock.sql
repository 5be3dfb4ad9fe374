-- Whether readers see an article no longer depends on the time of a read: it is stored. Times come from
-- the database's clock, which all servers share.

-- The article's publish_time is still to come; a server clears this when it has come.
ALTER TABLE article_state ADD COLUMN scheduled boolean NOT NULL DEFAULT false;
UPDATE article_state SET scheduled = true WHERE NOT retracted AND publish_time > now();
ALTER TABLE article_state ALTER COLUMN scheduled DROP DEFAULT;
CREATE INDEX article_state_by_schedule ON article_state (publish_time) WHERE scheduled;

DROP INDEX article_state_by_time;
CREATE INDEX article_state_by_time ON article_state (publish_time, article_id)
  WHERE NOT retracted AND NOT scheduled;

-- publish_time is infinity here while the article is scheduled.
UPDATE article_search f SET publish_time = 'infinity'
FROM article_state s WHERE s.article_id = f.article_id AND s.scheduled;

-- The values of --request-retention that servers have, and when one of them last had it. The longest
-- holds for all requests, until requests that were promised it are that old.
CREATE TABLE request_retention (
  retention interval PRIMARY KEY,
  used_time timestamptz NOT NULL
);
