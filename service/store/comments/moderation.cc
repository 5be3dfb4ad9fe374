#include "store/comments/moderation.h"

#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"

namespace content::store {
namespace {

// $1 bucket, $2 article key, $3 comment id. One row if the article exists; the comment's columns
// are NULL if there is no comment. (For LIMIT 1 see SelectComments in read.cc.)
std::string SelectComment() {
  return absl::Substitute(R"sql(
SELECT $0
FROM article_state s
LEFT JOIN LATERAL (
  SELECT * FROM comment found
  WHERE found.bucket = s.bucket AND found.article_key = s.article_key
    AND found.comment_id = $$3::uuid
  LIMIT 1
) c ON true
WHERE $1)sql",
                          CommentColumns(), kIsArticle);
}

// $1 and $2 comment id and article key of the last row of the page before, $3 limit. The state is
// part of the text, because the partial index is not used for a parameter.
std::string SelectQueue(v1::CommentState state) {
  return absl::Substitute(R"sql(
SELECT $0, c.comment_id || '/' || c.article_key AS page_key
FROM comment c$1WHERE c.state = $2 AND (c.comment_id, c.article_key) > ($$1::uuid, $$2::bigint)
ORDER BY c.comment_id, c.article_key LIMIT $$3::integer)sql",
                          CommentColumns(), kJoinArticles, static_cast<int>(state));
}

// Comes before every other key.
constexpr char kFirstKey[] = "00000000-0000-0000-0000-000000000000/0";

}  // namespace

absl::StatusOr<v1::Comment> InspectComment(postgres::Connection& connection, ArticleNames& names,
                                           const CommentRef& comment) {
  static const std::string statement = SelectComment();
  const auto key = names.Find(connection, comment.article_id);
  if (!key) return ArticleNotFound(ArticleName(comment.article_id));
  const postgres::Result rows =
      connection.Read(statement, key->bucket(), key->value(), comment.comment_id);
  if (rows.empty()) return names.NotFound(comment.article_id);
  if (rows[0]["comment_id"].is_null()) {
    return CommentNotFound(CommentName(comment.article_id, comment.comment_id));
  }
  return ReadComment(rows[0], Audience::kModerators);
}

absl::StatusOr<Page<v1::Comment>> ListModerationQueue(postgres::Connection& connection,
                                                      const ModerationQuery& query) {
  static const std::string pending = SelectQueue(v1::COMMENT_STATE_PENDING);
  static const std::string hidden = SelectQueue(v1::COMMENT_STATE_HIDDEN);
  const std::string& statement = query.state == v1::COMMENT_STATE_HIDDEN ? hidden : pending;
  const std::string after = query.after_key.empty() ? kFirstKey : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, '/');
  const postgres::Result rows =
      connection.Read(statement, key.first, key.second, query.page_size + 1);
  const auto read = [](const postgres::Row& row) {
    return ReadComment(row, Audience::kModerators);
  };
  return FillPage<v1::Comment>(rows, rows.size(), query.page_size, kMaxReplyBytes, read);
}

}  // namespace content::store
