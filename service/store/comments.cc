#include "store/comments.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/rows.h"

namespace content::store {
namespace {

// $1 article, $2 comment id, $3 now. One row: `revision` of the article, and the comment's columns,
// NULL if there is no such comment.
std::string SelectComment() {
  return absl::StrCat("SELECT s.revision, ", kCommentColumns,
                      " FROM article_state s LEFT JOIN comment c ON c.article_id = s.article_id "
                      "AND c.comment_id = $2::uuid AND c.shown WHERE ",
                      IsNamed("$1"), " AND ", IsReadable("$3"));
}

struct CommentKey {
  const char* column;     // what the order sorts by
  const char* parameter;  // the key of the page before, as that type
  const char* text;       // the key as text, for the next page
};

CommentKey KeyOf(v1::CommentOrder order) {
  if (order == v1::COMMENT_ORDER_THREADED) {
    return {"c.thread_key", "decode($3, 'hex')", "encode(c.thread_key, 'hex')"};
  }
  return {"c.comment_id", "$3::uuid", "c.comment_id::text"};
}

// A key that comes before every other in the order: where a first page begins.
std::string FirstCommentKey(v1::CommentOrder order) {
  if (order == v1::COMMENT_ORDER_THREADED) return "";
  return order == v1::COMMENT_ORDER_NEWEST ? "ffffffff-ffff-ffff-ffff-ffffffffffff"
                                           : "00000000-0000-0000-0000-000000000000";
}

std::string ThreadFilter(const CommentQuery& query) {
  if (query.reply_to_id.empty()) return "$5::text = ''";
  if (query.order != v1::COMMENT_ORDER_THREADED) return "c.parent_id = $5::text::uuid";
  // Everything that continues the thread key of the comment replied to.
  constexpr char kThread[] =
      "(SELECT t.thread_key FROM comment t WHERE t.article_id = s.article_id "
      "AND t.comment_id = $5::text::uuid)";
  return absl::StrCat("c.thread_key > ", kThread, " AND c.thread_key < ", kThread,
                      " || decode(repeat('ff', 16), 'hex')");
}

// $1 article, $2 now, $3 key of the last row of the page before, $4 limit, $5 reply_to or ''. At
// least one row if the article is readable: `revision`, `comment_count` of the article, whether
// there is the comment replied to (`thread_exists`), and the comment's columns (NULL if there is no
// comment) with `page_key`.
std::string SelectCommentPage(const CommentQuery& query) {
  const CommentKey key = KeyOf(query.order);
  constexpr char kPage[] = R"sql(
SELECT s.revision, s.comment_count, page.*,
       $$5::text = '' OR EXISTS (SELECT FROM comment t WHERE t.article_id = s.article_id
                           AND t.comment_id = NULLIF($$5::text, '')::uuid AND t.shown)
         AS thread_exists
FROM article_state s
LEFT JOIN LATERAL (
  SELECT $0, $1 AS sort_key, $2 AS page_key
  FROM comment c
  WHERE c.article_id = s.article_id AND c.shown AND $3 AND $1 $4 $5
  ORDER BY $1 $6 LIMIT $$4::integer
) page ON true
WHERE $7 AND $8
ORDER BY page.sort_key $6)sql";
  const bool newest = query.order == v1::COMMENT_ORDER_NEWEST;
  return absl::Substitute(kPage, kCommentColumns, key.column, key.text, ThreadFilter(query),
                          newest ? "<" : ">", key.parameter, newest ? "DESC" : "ASC", IsNamed("$1"),
                          IsReadable("$2"));
}

}  // namespace

absl::StatusOr<v1::Comment> GetComment(Connection& connection, const CommentRef& comment,
                                       int64_t min_revision) {
  static const std::string statement = SelectComment();
  const pqxx::result rows =
      connection.Read(statement, comment.article_id, comment.comment_id, NowParameter());
  const std::string article_name = ArticleName(comment.article_id);
  if (rows.empty()) return ArticleNotFound(article_name);
  const auto revision = rows[0]["revision"].as<int64_t>();
  if (revision < min_revision) return RevisionNotReached(article_name, min_revision, revision);
  if (rows[0]["comment_id"].is_null()) {
    return CommentNotFound(CommentName(comment.article_id, comment.comment_id));
  }
  return ReadComment(rows[0], Audience::kReaders);
}

absl::StatusOr<CommentPage> ListComments(Connection& connection, const CommentQuery& query) {
  const std::string after =
      query.after_key.empty() ? FirstCommentKey(query.order) : query.after_key;
  const pqxx::result rows =
      connection.Read(SelectCommentPage(query), query.article_id, NowParameter(), after,
                      query.page_size + 1, query.reply_to_id);
  if (rows.empty()) return ArticleNotFound(ArticleName(query.article_id));
  const pqxx::row first = rows[0];
  const auto revision = first["revision"].as<int64_t>();
  if (revision < query.min_revision) {
    return RevisionNotReached(ArticleName(query.article_id), query.min_revision, revision);
  }
  if (!first["thread_exists"].as<bool>()) {
    return CommentNotFound(CommentName(query.article_id, query.reply_to_id));
  }
  CommentPage result;
  result.article_revision = revision;
  result.comment_count = first["comment_count"].as<int64_t>();
  if (!first["comment_id"].is_null()) {
    const auto read = [](const pqxx::row& row) { return ReadComment(row, Audience::kReaders); };
    result.page = FillPage<v1::Comment>(rows, rows.size(), query.page_size, query.max_bytes, read);
  }
  return result;
}

}  // namespace content::store
