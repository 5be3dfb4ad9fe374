#include "store/comments/moderation.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Rows of `c` that have no open reports have none of `r`.
constexpr char kJoinReports[] =
    " LEFT JOIN comment_report_count r ON r.bucket = c.bucket AND r.article_key = c.article_key "
    "AND r.comment_id = c.comment_id ";

// $1 bucket, $2 article key, $3 comment id. One row if the article exists; the comment's columns
// are NULL if there is no comment. (For LIMIT 1 see SelectComments in read.cc.)
std::string SelectComment() {
  return absl::Substitute(R"sql(
SELECT $0, r.report_count
FROM article_state s
LEFT JOIN LATERAL (
  SELECT * FROM comment found
  WHERE found.bucket = s.bucket AND found.article_key = s.article_key
    AND found.comment_id = $$3::uuid
  LIMIT 1
) c ON true$2WHERE $1)sql",
                          CommentColumns(), kIsArticle, kJoinReports);
}

// $1 and $2 comment id and article key of the last row of the page before, $3 limit. The state is
// part of the text, because the partial index is not used for a parameter.
std::string SelectQueue(v1::CommentState state) {
  return absl::Substitute(R"sql(
SELECT $0, r.report_count, c.comment_id || '/' || c.article_key AS page_key
FROM comment c$1$2WHERE c.state = $3 AND (c.comment_id, c.article_key) > ($$1::uuid, $$2::bigint)
ORDER BY c.comment_id, c.article_key LIMIT $$3::integer)sql",
                          CommentColumns(), kJoinArticles, kJoinReports, static_cast<int>(state));
}

// $1, $2 and $3 report count, comment id and article key of the last row of the page before, $4
// limit. Servers of version 7 leave the reports of comments that they delete.
std::string SelectReported() {
  return absl::Substitute(R"sql(
SELECT $0, r.report_count,
       r.report_count || '/' || r.comment_id || '/' || r.article_key AS page_key
FROM comment_report_count r LEFT JOIN comment c USING (bucket, article_key, comment_id)$1
WHERE (c.state = $2) IS NOT TRUE
  AND (r.report_count, r.comment_id, r.article_key) < ($$1::integer, $$2::uuid, $$3::bigint)
ORDER BY r.report_count DESC, r.comment_id DESC, r.article_key DESC LIMIT $$4::integer)sql",
                          CommentColumns(), kJoinArticles,
                          static_cast<int>(v1::COMMENT_STATE_DELETED));
}

// Come before every other key.
constexpr char kFirstKey[] = "00000000-0000-0000-0000-000000000000/0";
constexpr char kFirstReportedKey[] =
    "2147483647/ffffffff-ffff-ffff-ffff-ffffffffffff/9223372036854775807";

// Reads a row that begins with CommentColumns and has a column `report_count`.
v1::Comment ReadModerated(const postgres::Row& row) {
  v1::Comment comment = ReadComment(row, Audience::kModerators);
  const postgres::Field count = row["report_count"];
  if (!count.is_null()) comment.set_report_count(count.as<int>());
  return comment;
}

postgres::Result ReadQueue(postgres::Connection& connection, const ModerationQuery& query) {
  static const std::string pending = SelectQueue(v1::COMMENT_STATE_PENDING);
  static const std::string hidden = SelectQueue(v1::COMMENT_STATE_HIDDEN);
  const std::string& statement = query.state == v1::COMMENT_STATE_HIDDEN ? hidden : pending;
  const std::string after = query.after_key.empty() ? kFirstKey : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, '/');
  return connection.Read(statement, key.first, key.second, query.page_size + 1);
}

postgres::Result ReadReported(postgres::Connection& connection, const ModerationQuery& query) {
  static const std::string statement = SelectReported();
  const std::string after = query.after_key.empty() ? kFirstReportedKey : query.after_key;
  const std::vector<std::string> key = absl::StrSplit(after, '/');
  return connection.Read(statement, key.at(0), key.at(1), key.at(2), query.page_size + 1);
}

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
  return ReadModerated(rows[0]);
}

absl::StatusOr<Page<v1::Comment>> ListModerationQueue(postgres::Connection& connection,
                                                      const ModerationQuery& query) {
  const postgres::Result rows = query.order == v1::MODERATION_ORDER_REPORTS
                                    ? ReadReported(connection, query)
                                    : ReadQueue(connection, query);
  return FillPage<v1::Comment>(rows, rows.size(), query.page_size, kMaxReplyBytes, ReadModerated);
}

}  // namespace content::store
