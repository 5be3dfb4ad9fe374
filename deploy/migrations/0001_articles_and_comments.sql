-- Articles, their comments, and the ids of writes already done.
--
-- article_id is in every key, so that the tables can be distributed by it; times and ids arrive as
-- parameters; there are no triggers and no sequences.

-- What every write that concerns an article locks and changes. Small, never indexed on what changes
-- often, and half empty, so that an update stays in its page (heap-only tuple).
CREATE TABLE article_state (
  article_id     text COLLATE "C" PRIMARY KEY,
  revision       bigint NOT NULL,
  comment_count  bigint NOT NULL,
  comment_policy smallint NOT NULL,
  publish_time   timestamptz NOT NULL,
  retracted      boolean NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX article_state_by_time ON article_state (publish_time, article_id) WHERE NOT retracted;

-- The text. Changes rarely.
CREATE TABLE article (
  article_id    text COLLATE "C" PRIMARY KEY REFERENCES article_state,
  text_revision bigint NOT NULL,  -- the revision at which the text last changed: its etag
  title         text NOT NULL,
  authors       jsonb NOT NULL,
  update_time   timestamptz NOT NULL,
  language_code text NOT NULL,
  summary       text NOT NULL,
  body          text COMPRESSION lz4 NOT NULL,
  sections      jsonb NOT NULL,
  tags          jsonb NOT NULL,
  source_uri    text NOT NULL,
  word_count    integer NOT NULL
);

-- What articles are listed by: one row for every author and tag of an article.
CREATE TABLE article_label (
  article_id   text COLLATE "C" NOT NULL REFERENCES article_state,
  kind         text COLLATE "C" NOT NULL CHECK (kind IN ('author', 'tag')),
  value        text COLLATE "C" NOT NULL,
  publish_time timestamptz NOT NULL,  -- the article's
  PRIMARY KEY (article_id, kind, value)
);

CREATE INDEX article_label_by_time ON article_label (kind, value, publish_time, article_id);

CREATE TABLE comment (
  article_id          text COLLATE "C" NOT NULL REFERENCES article_state,
  comment_id          uuid NOT NULL,
  parent_id           uuid,
  -- The ids of the comments above and of this one, 16 bytes each: sorts depth-first.
  thread_key          bytea NOT NULL,
  depth               smallint NOT NULL,
  state               smallint NOT NULL,
  author_id           text NOT NULL,
  author_display_name text NOT NULL,
  body                text COMPRESSION lz4 NOT NULL,
  reply_count         integer NOT NULL,
  edit_count          integer NOT NULL,
  create_time         timestamptz NOT NULL,
  update_time         timestamptz NOT NULL,
  revision            bigint NOT NULL,  -- the article's, when anything in this row last changed
  text_revision       bigint NOT NULL,  -- ... when its text or state did: its etag
  PRIMARY KEY (article_id, comment_id),
  FOREIGN KEY (article_id, parent_id) REFERENCES comment
);

CREATE UNIQUE INDEX comment_by_thread ON comment (article_id, thread_key);
CREATE INDEX comment_by_parent ON comment (article_id, parent_id, comment_id)
  WHERE parent_id IS NOT NULL;

-- Writes that carried a request_id, so that a repeated one is recognised.
CREATE TABLE request (
  article_id  text COLLATE "C" NOT NULL REFERENCES article_state,
  request_id  uuid NOT NULL,
  fingerprint bytea NOT NULL,  -- of what was asked for
  comment_id  uuid NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (article_id, request_id)
);
