#pragma once

#include <pqxx/pqxx>
#include <string>

#include "content/store.h"

// The SQL, and what its rows mean. Times go in as RFC 3339 text and come out as microseconds.
namespace content::store {

/// $1 article ids (array), $2 now. Rows for ReadArticle; those not readable at $2 are left out.
/// With `body`, and more than kMaxReplyBytes of them: bodies are NULL.
std::string SelectArticles(v1::ArticleView view);

/// $1 article id. The article whether readable or not, FULL, with a column `retracted`.
std::string SelectArticleForWriter();

/// $1 now, $2 published_after, $3 published_before, $4 and $5 time and id of the last row of the
/// page before, $6 limit, $7 author or '', $8 tag or ''. Rows for ReadArticle, with `page_key`, and
/// with `matched`, the number of rows up to the limit before the cut at kMaxReplyBytes.
std::string SelectArticlePage(const ArticleQuery& query);

/// $1 article id, $2 comment id, $3 now. One row: `revision`, `comment_count` of the article, and
/// the columns for ReadComment, NULL if there is no such comment.
std::string SelectComment();

/// $1 article id, $2 now, $3 key of the last row of the page before, $4 limit, $5 reply_to or ''.
/// At least one row if the article is readable: `revision`, `comment_count` of the article, whether
/// there is the comment replied to (`thread_exists`), and the columns for ReadComment (NULL if
/// there is no comment) with `page_key`.
std::string SelectCommentPage(const CommentQuery& query);

/// Keys that come before every other in the order: where a first page begins.
std::string FirstCommentKey(v1::CommentOrder order);
std::string FirstArticleKey(v1::ArticleOrder order);

/// A time as the statements take it. Infinite times are PostgreSQL's.
std::string TimeParameter(absl::Time time);

v1::Article ReadArticle(const pqxx::row& row, v1::ArticleView view);

/// What readers see of the comment: a text that is hidden or deleted is not in the result.
v1::Comment ReadComment(const pqxx::row& row);

/// $1 article id, $2 now. Locks the article against every other write: revision, comment_policy,
/// readable.
inline constexpr char kLockArticle[] =
    "SELECT revision, comment_policy, NOT retracted AND publish_time <= $2::timestamptz AS "
    "readable "
    "FROM article_state WHERE article_id = $1 FOR NO KEY UPDATE";

/// $1 article id, $2 request id.
inline constexpr char kSelectRequest[] =
    "SELECT comment_id, encode(fingerprint, 'hex') AS fingerprint FROM request "
    "WHERE article_id = $1 AND request_id = $2::uuid";

/// $1 article id, $2 comment id. The comment in whatever state, for ReadComment.
std::string SelectCommentForWriter();

/// $1 article id, $2 comment id, $3 parent id or '', $4 depth, $5 state, $6 author id, $7 display
/// name, $8 body, $9 time, $10 the article's new revision, $11 1 if readers see it, else 0,
/// $12 request id or '', $13 fingerprint (hex).
inline constexpr char kInsertComment[] = R"sql(
WITH parent AS (
  SELECT thread_key FROM comment WHERE article_id = $1 AND comment_id = NULLIF($3, '')::uuid
), added AS (
  INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                       author_display_name, body, reply_count, edit_count, create_time, update_time,
                       revision, text_revision)
  VALUES ($1, $2::uuid, NULLIF($3, '')::uuid,
          coalesce((SELECT thread_key FROM parent), ''::bytea) || uuid_send($2::uuid),
          $4::smallint, $5::smallint, $6, $7, $8, 0, 0, $9::timestamptz, $9::timestamptz,
          $10::bigint, $10::bigint)
), counted AS (
  UPDATE article_state SET revision = $10::bigint, comment_count = comment_count + $11::integer
  WHERE article_id = $1
), answered AS (
  UPDATE comment SET reply_count = reply_count + 1, revision = $10::bigint
  WHERE article_id = $1 AND comment_id = NULLIF($3, '')::uuid AND $11::integer = 1
)
INSERT INTO request (article_id, request_id, fingerprint, comment_id, create_time)
SELECT $1, NULLIF($12, '')::uuid, decode($13, 'hex'), $2::uuid, $9::timestamptz WHERE $12 <> ''
)sql";

/// $1 article id, $2 comment policy, $3 publish time. A row if the article is new; its revision is
/// 0 until its text is written.
inline constexpr char kInsertArticleState[] = R"sql(
INSERT INTO article_state (article_id, revision, comment_count, comment_policy, publish_time, retracted)
VALUES ($1, 0, 0, $2::smallint, $3::timestamptz, false)
ON CONFLICT (article_id) DO NOTHING
RETURNING article_id
)sql";

/// $1 article id, $2 new revision, $3 title, $4 structure (JSON, see ArticleStructure), $5 now,
/// $6 language code, $7 summary, $8 body, $9 source URI, $10 word count.
inline constexpr char kUpsertArticle[] = R"sql(
INSERT INTO article (article_id, text_revision, title, authors, sections, tags, update_time,
                     language_code, summary, body, source_uri, word_count)
VALUES ($1, $2::bigint, $3, coalesce($4::jsonb -> 'authors', '[]'),
        coalesce($4::jsonb -> 'sections', '[]'), coalesce($4::jsonb -> 'tags', '[]'),
        $5::timestamptz, $6, $7, $8, $9, $10::integer)
ON CONFLICT (article_id) DO UPDATE SET
  text_revision = excluded.text_revision, title = excluded.title, authors = excluded.authors,
  sections = excluded.sections, tags = excluded.tags, update_time = excluded.update_time,
  language_code = excluded.language_code, summary = excluded.summary, body = excluded.body,
  source_uri = excluded.source_uri, word_count = excluded.word_count
)sql";

/// $1 article id, $2 new revision, $3 comment policy, $4 publish time. Not retracted any more.
inline constexpr char kUpdateArticleState[] = R"sql(
UPDATE article_state SET revision = $2::bigint, comment_policy = $3::smallint,
                         publish_time = $4::timestamptz, retracted = false
WHERE article_id = $1
)sql";

/// $1 article id.
inline constexpr char kDeleteLabels[] = "DELETE FROM article_label WHERE article_id = $1";

/// $1 article id. Labels from the article's authors and tags as they are stored.
inline constexpr char kInsertLabels[] = R"sql(
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT a.article_id, label.kind, label.value, s.publish_time
FROM article a
JOIN article_state s USING (article_id)
CROSS JOIN LATERAL (
  SELECT 'author', coalesce(author ->> 'id', author ->> 'display_name')
  FROM jsonb_array_elements(a.authors) AS author
  UNION
  SELECT 'tag', tag FROM jsonb_array_elements_text(a.tags) AS tag
) AS label (kind, value)
WHERE a.article_id = $1
)sql";

/// $1 article id, $2 new revision.
inline constexpr char kRetractArticle[] =
    "UPDATE article_state SET revision = $2::bigint, retracted = true WHERE article_id = $1";

/// Whether the database takes writes.
inline constexpr char kSelectWritable[] =
    "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'";

/// The repeated fields of an article as one JSON object: authors, sections, tags.
std::string ArticleStructure(const v1::Article& article);

}  // namespace content::store
