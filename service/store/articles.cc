#include "store/articles.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/comments.h"
#include "store/rows.h"

namespace content::store {
namespace {

// $1 names (array), $2 now. With `requested`, the name as it was asked for; those not readable at
// $2 are left out. With `body`, and more than kMaxReplyBytes of them: bodies are NULL.
std::string SelectArticles(v1::ArticleView view) {
  const std::string body =
      view == v1::ARTICLE_VIEW_FULL
          ? absl::StrCat("CASE WHEN sum(octet_length(a.body)) OVER () <= ", kMaxReplyBytes,
                         " THEN a.body END AS body")
          : "'' AS body";
  return absl::StrCat("SELECT ", ArticleColumns(view), ", ", body, ", n.name AS requested",
                      " FROM article_name n JOIN article_state s USING (article_id) "
                      "JOIN article a USING (article_id) WHERE n.name = ANY ($1::text[]) AND ",
                      IsReadable("$2"));
}

// What a page of articles goes through: rows that have the keys of the order, publish_time and
// article_id, and the conditions that choose among them.
struct ArticleSource {
  std::string key;  // alias of the table that has the keys
  std::string from_where;
};

struct Label {
  absl::string_view kind;  // empty: none
  std::string value;
};

// What the articles that a query is for are labelled with (see kInsertLabels in publishing.cc).
Label LabelOf(const ArticleQuery& query) {
  if (query.author.empty() && query.tag.empty()) return {};
  if (query.author.empty()) return {"tag", query.tag};
  if (query.tag.empty()) return {"author", query.author};
  return {"author and tag", absl::StrCat(query.author, "\n", query.tag)};
}

ArticleSource SourceOf(const Label& label) {
  // A parameter that a statement has no use for must appear in it all the same.
  if (label.kind.empty()) return {"s", "article_state s WHERE $7 = ''"};
  constexpr char kLabelled[] =
      "article_label k JOIN article_state s USING (article_id) WHERE k.kind = '$0' AND k.value = "
      "$$7";
  return {"k", absl::Substitute(kLabelled, label.kind)};
}

// $1 now, $2 published_after, $3 published_before, $4 and $5 time and id of the last row of the
// page before, $6 limit, $7 the label's value or ''. With `page_key`, and with `matched`, the
// number of rows up to the limit before the cut at kMaxReplyBytes.
std::string SelectArticlePage(const ArticleQuery& query) {
  const bool newest = query.order != v1::ARTICLE_ORDER_OLDEST;
  const bool full = query.view == v1::ARTICLE_VIEW_FULL;
  constexpr char kPage[] = R"sql(
WITH page AS (
  SELECT $0.article_id, $0.publish_time AS key_time FROM $1
    AND $2
    AND $0.publish_time >= $$2::timestamptz AND $0.publish_time < $$3::timestamptz
    AND ($0.publish_time, $0.article_id) $3 ($$4::timestamptz, $$5)
  ORDER BY $0.publish_time $4, $0.article_id $4 LIMIT $$6::integer
), sized AS (
  SELECT $5, page.article_id, page.key_time, count(*) OVER () AS matched, $6 AS bytes_before
  FROM page JOIN article_state s USING (article_id) JOIN article a USING (article_id)
)
SELECT *, to_char(key_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z/"') || article_id
          AS page_key
FROM sized WHERE bytes_before <= $7 ORDER BY key_time $4, article_id $4)sql";
  const ArticleSource source = SourceOf(LabelOf(query));
  const std::string direction = newest ? "DESC" : "ASC";
  const std::string columns =
      absl::StrCat(ArticleColumns(query.view), ", ", full ? "a.body" : "'' AS body");
  const std::string bytes_before =
      full ? absl::StrCat("sum(octet_length(a.body)) OVER (ORDER BY page.key_time ", direction,
                          ", page.article_id ", direction, ") - octet_length(a.body)")
           : "0";
  return absl::Substitute(kPage, source.key, source.from_where, IsReadable("$1"),
                          newest ? "<" : ">", direction, columns, bytes_before, kMaxReplyBytes);
}

// A key that comes before every other in the order: where a first page begins.
std::string FirstArticleKey(v1::ArticleOrder order) {
  return order == v1::ARTICLE_ORDER_OLDEST ? "-infinity/" : "infinity/";
}

}  // namespace

absl::StatusOr<std::vector<std::optional<v1::Article>>> GetArticles(
    Connection& connection, const std::vector<std::string>& ids, v1::ArticleView view) {
  const pqxx::result rows =
      connection.Read(SelectArticles(view), ArrayParameter(ids), NowParameter());
  std::map<std::string, v1::Article> found;
  for (const auto& row : rows) {
    if (row["body"].is_null()) return ReplyTooLarge();
    found.emplace(row["requested"].c_str(), ReadArticle(row, view));
  }
  std::vector<std::optional<v1::Article>> articles;
  size_t bytes = 0;
  for (const std::string& id : ids) {
    const auto it = found.find(id);
    articles.push_back(it == found.end() ? std::nullopt : std::optional(it->second));
    bytes += articles.back() ? articles.back()->ByteSizeLong() : 0;
    if (bytes > kMaxReplyBytes) return ReplyTooLarge();
  }
  return articles;
}

absl::StatusOr<Page<v1::Article>> ListArticles(Connection& connection, const ArticleQuery& query) {
  const std::string after =
      query.after_key.empty() ? FirstArticleKey(query.order) : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const pqxx::result rows =
      connection.Read(SelectArticlePage(query), NowParameter(),
                      TimeParameter(query.published_after), TimeParameter(query.published_before),
                      key.first, key.second, query.page_size + 1, LabelOf(query).value);
  const size_t matched = rows.empty() ? 0 : rows[0]["matched"].as<size_t>();
  return FillPage<v1::Article>(rows, matched, query.page_size, kMaxReplyBytes,
                               [&](const pqxx::row& row) { return ReadArticle(row, query.view); });
}

absl::StatusOr<ArticlePage> GetArticlePage(Connection& connection, v1::ArticleView view,
                                           const CommentQuery& comments) {
  const Snapshot snapshot(connection);
  auto articles = GetArticles(connection, {comments.article_id}, view);
  if (!articles.ok()) return articles.status();
  if (!articles->front()) return ArticleNotFound(ArticleName(comments.article_id));
  ArticlePage page{.article = *std::move(articles->front()), .comments = {}};
  CommentQuery query = comments;
  query.max_bytes = kMaxReplyBytes - static_cast<int>(page.article.ByteSizeLong());
  absl::StatusOr<CommentPage> list = ListComments(connection, query);
  if (!list.ok()) return list.status();
  page.comments = std::move(list->page);
  return page;
}

}  // namespace content::store
