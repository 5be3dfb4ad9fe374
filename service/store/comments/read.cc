#include "store/comments/read.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

// One row for each article that is readable: the columns of the comment (NULL if there is none),
// `revision` of the article, and `place`. (LIMIT 1 makes the planner look up each comment by its
// whole key. Otherwise it may look up by the article alone and filter, as if every article had few
// comments.)
const postgres::BulkStatement<4>& SelectComments() {
  static const postgres::BulkStatement<4> statement(absl::Substitute(R"sql(
SELECT $0, s.revision, asked.place
FROM $$rows AS asked (bucket, article_key, comment_id, place)
JOIN article_state s ON s.bucket = asked.bucket AND s.article_key = asked.article_key
LEFT JOIN LATERAL (
  SELECT * FROM comment found
  WHERE found.bucket = s.bucket AND found.article_key = s.article_key
    AND found.comment_id = asked.comment_id AND found.shown
  LIMIT 1
) c ON true
WHERE $1)sql",
                                                                     CommentColumns(), kIsReadable),
                                                    {"smallint", "bigint", "uuid", "integer"});
  return statement;
}

struct PageKey {
  const char* column;     // the sort key
  const char* parameter;  // the key of the last row of the page before, as the column's type
  const char* text;       // the sort key as text, for the next page
};

PageKey KeyOf(v1::CommentOrder order) {
  if (order == v1::COMMENT_ORDER_THREADED) {
    return {"c.thread_key", "decode($3, 'hex')", "encode(c.thread_key, 'hex')"};
  }
  return {"c.comment_id", "$3::uuid", "c.comment_id::text"};
}

// Comes before every other key in the order: the first page starts after it.
std::string FirstCommentKey(v1::CommentOrder order) {
  if (order == v1::COMMENT_ORDER_THREADED) return "";
  return order == v1::COMMENT_ORDER_NEWEST ? "ffffffff-ffff-ffff-ffff-ffffffffffff"
                                           : "00000000-0000-0000-0000-000000000000";
}

std::string ThreadFilter(v1::CommentOrder order, bool one_thread) {
  if (!one_thread) return "$5::text = ''";
  if (order != v1::COMMENT_ORDER_THREADED) return "c.parent_id = $5::text::uuid";
  // The keys that begin with the thread key of the comment replied to.
  constexpr char kThread[] =
      "(SELECT t.thread_key FROM comment t WHERE t.bucket = s.bucket "
      "AND t.article_key = s.article_key AND t.comment_id = $5::text::uuid)";
  return absl::StrCat("c.thread_key > ", kThread, " AND c.thread_key < ", kThread,
                      " || decode(repeat('ff', 16), 'hex')");
}

// $1 bucket, $2 article key, $3 key of the last row of the page before, $4 limit, $5 comment id of
// reply_to, or ''. Selects the columns of a comment with `page_key`, the article's state, and
// `thread_exists`: whether readers see the comment replied to. If the
// article is readable, there is at least one row; the comment's columns are NULL if there is no
// comment.
std::string MakeCommentPage(v1::CommentOrder order, bool one_thread) {
  const PageKey key = KeyOf(order);
  constexpr char kPage[] = R"sql(
SELECT page.*, $8,
       $$5::text = '' OR EXISTS (
         SELECT FROM comment t WHERE t.bucket = s.bucket AND t.article_key = s.article_key
         AND t.comment_id = NULLIF($$5::text, '')::uuid AND t.shown) AS thread_exists
FROM article_state s
LEFT JOIN LATERAL (
  SELECT $0, $1 AS sort_key, $2 AS page_key
  FROM comment c
  WHERE c.bucket = s.bucket AND c.article_key = s.article_key AND c.shown AND $3 AND $1 $4 $5
  ORDER BY $1 $6 LIMIT $$4::integer
) page ON true
WHERE $7
ORDER BY page.sort_key $6)sql";
  const bool newest = order == v1::COMMENT_ORDER_NEWEST;
  return absl::Substitute(kPage, CommentColumns(), key.column, key.text,
                          ThreadFilter(order, one_thread), newest ? "<" : ">", key.parameter,
                          newest ? "DESC" : "ASC", absl::StrCat(kIsArticle, " AND ", kIsReadable),
                          StateColumns());
}

const std::string& SelectCommentPage(const CommentQuery& query) {
  using Shape = std::pair<v1::CommentOrder, bool>;
  static const std::map<Shape, std::string> statements = [] {
    std::map<Shape, std::string> made;
    for (const auto order :
         {v1::COMMENT_ORDER_NEWEST, v1::COMMENT_ORDER_OLDEST, v1::COMMENT_ORDER_THREADED}) {
      for (const bool one_thread : {true, false}) {
        made[{order, one_thread}] = MakeCommentPage(order, one_thread);
      }
    }
    return made;
  }();
  const bool one_thread = !query.reply_to.comment_id.empty();
  const auto statement = statements.find({query.order, one_thread});
  // Unknown orders count as newest first.
  return statement != statements.end() ? statement->second
                                       : statements.at({v1::COMMENT_ORDER_NEWEST, one_thread});
}

}  // namespace

postgres::Answers<FoundComment> FindComments(postgres::Connection& connection, ArticleNames& names,
                                             const std::vector<CommentKey>& keys) {
  std::vector<std::string> article_names;
  for (const auto& [article, id] : keys) article_names.push_back(article);
  const auto articles = names.Find(connection, article_names);
  postgres::Rows<4> asked;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (articles[i]) asked.Add(articles[i]->bucket(), articles[i]->value(), keys[i].second, i);
  }
  postgres::Answers<FoundComment> comments(keys.size(), FoundComment());
  if (asked.empty()) return comments;
  const postgres::Result rows = SelectComments().Read(connection, asked);
  const size_t comment_id = rows.column_number("comment_id");
  const size_t revision = rows.column_number("revision");
  const size_t place = rows.column_number("place");
  for (const auto& row : rows) {
    FoundComment& found = *comments.at(row[place].as<size_t>());
    found.article_revision = row[revision].as<int64_t>();
    if (!row[comment_id].is_null()) found.comment = ReadComment(row, Audience::kReaders);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!comments[i]->article_revision) names.Forget(keys[i].first);
  }
  return comments;
}

absl::StatusOr<v1::Comment> CommentOf(FoundComment found, const CommentRef& comment,
                                      int64_t min_revision) {
  const std::string article_name = ArticleName(comment.article_id);
  if (!found.article_revision) return ArticleNotFound(article_name);
  if (*found.article_revision < min_revision) {
    return RevisionNotReached(article_name, min_revision, *found.article_revision);
  }
  if (!found.comment) {
    return CommentNotFound(CommentName(comment.article_id, comment.comment_id));
  }
  return *std::move(found.comment);
}

absl::StatusOr<CommentPage> ListComments(postgres::Connection& connection, ArticleNames& names,
                                         const CommentQuery& query) {
  const bool one_thread = !query.reply_to.comment_id.empty();
  const auto keys = names.Find(
      connection,
      std::vector{query.article_id, one_thread ? query.reply_to.article_id : query.article_id});
  const std::optional<ArticleKey> key = keys[0];
  if (!key) return ArticleNotFound(ArticleName(query.article_id));
  const std::string after =
      query.after_key.empty() ? FirstCommentKey(query.order) : query.after_key;
  const postgres::Result rows =
      connection.Read(SelectCommentPage(query), key->bucket(), key->value(), after,
                      query.page_size + 1, query.reply_to.comment_id);
  if (rows.empty()) return names.NotFound(query.article_id);
  const postgres::Row first = rows[0];
  CommentPage result;
  result.article = ReadState(first, rows.column_number("first_name"));
  result.epoch = connection.database().ToString();
  if (result.article.revision < query.min_revision) {
    return RevisionNotReached(ArticleName(query.article_id), query.min_revision,
                              result.article.revision);
  }
  if (keys[1] != key || !first["thread_exists"].as<bool>()) {
    return CommentNotFound(CommentName(query.reply_to.article_id, query.reply_to.comment_id));
  }
  if (!first["comment_id"].is_null()) {
    const auto read = [](const postgres::Row& row) { return ReadComment(row, Audience::kReaders); };
    result.page = FillPage<v1::Comment>(rows, rows.size(), query.page_size, query.max_bytes, read);
  }
  return result;
}

}  // namespace content::store
