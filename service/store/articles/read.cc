#include "store/articles/read.h"

#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"
#include "store/comments/read.h"

namespace content::store {
namespace {

// A statement stops returning bodies once they exceed this many bytes.
constexpr int kMaxBodyBytesRead = 4 << 20;

// Maximum number of ids in one statement, unless a single list has more. A thousand take 7 ms.
constexpr size_t kMaxListedIds = 1000;

// $1 names (array), all different. Selects the articles that are readable. `place` is the position
// of the name in $1, from 0.
std::string SelectNamed(const std::string& columns, absl::string_view joined) {
  return absl::StrCat("SELECT ", columns,
                      ", asked.place - 1 AS place "
                      "FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place) "
                      "JOIN article_name n ON n.name = asked.name "
                      "JOIN article_state s USING (article_id) ",
                      joined, " WHERE ", kIsReadable);
}

std::string SelectArticles(v1::ArticleView view) {
  // The sum covers the rows up to this one, in any order.
  const std::string body = absl::StrCat(
      "CASE WHEN sum(octet_length(a.body)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(a.body) "
      "<= ",
      kMaxBodyBytesRead, " THEN a.body END");
  return SelectNamed(ArticleColumns(view, body), "JOIN article a USING (article_id)");
}

// The rows from which a page of articles is chosen.
struct PageSource {
  std::string key;  // alias of the table with the sort keys, publish_time and article_id
  std::string from_where;
};

// The kinds in article_label.
constexpr absl::string_view kNoLabel = "";
constexpr absl::string_view kAuthor = "author";
constexpr absl::string_view kTag = "tag";
constexpr absl::string_view kAuthorAndTag = "author and tag";

struct Label {
  absl::string_view kind;
  std::string value;
};

// The label of the articles that a query asks for (see kInsertLabels in publish.cc).
Label LabelOf(const ArticleQuery& query) {
  if (query.author.empty() && query.tag.empty()) return {kNoLabel, ""};
  if (query.author.empty()) return {kTag, query.tag};
  if (query.tag.empty()) return {kAuthor, query.author};
  return {kAuthorAndTag, absl::StrCat(query.author, "\n", query.tag)};
}

PageSource SourceOf(absl::string_view label_kind) {
  // Every parameter must appear in the statement, even if it is unused.
  if (label_kind == kNoLabel) return {"s", "article_state s WHERE $6 = ''"};
  constexpr char kLabelled[] =
      "article_label k JOIN article_state s USING (article_id) WHERE k.kind = '$0' AND k.value = "
      "$$6";
  return {"k", absl::Substitute(kLabelled, label_kind)};
}

// $1 published_after, $2 published_before, $3 and $4 time and id of the last row of the page
// before, $5 limit, $6 the label's value or ''. Also selects `page_key`, and `matched`: the number
// of rows, up to the limit, before the cut at kMaxReplyBytes.
std::string MakeArticlePage(absl::string_view label_kind, bool newest, bool full) {
  constexpr char kPage[] = R"sql(
WITH page AS (
  SELECT $0.article_id, $0.publish_time AS key_time FROM $1
    AND $2
    AND $0.publish_time >= $$1::timestamptz AND $0.publish_time < $$2::timestamptz
    AND ($0.publish_time, $0.article_id) $3 ($$3::timestamptz, $$4)
  ORDER BY $0.publish_time $4, $0.article_id $4 LIMIT $$5::integer
), sized AS (
  SELECT $5, page.key_time, count(*) OVER () AS matched, $6 AS bytes_before
  FROM page JOIN article_state s USING (article_id) JOIN article a USING (article_id)
)
SELECT *, to_char(key_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z/"') || article_id
          AS page_key
FROM sized WHERE bytes_before <= $7 ORDER BY key_time $4, article_id $4)sql";
  const PageSource source = SourceOf(label_kind);
  const std::string direction = newest ? "DESC" : "ASC";
  const std::string bytes_before =
      full ? absl::StrCat("sum(octet_length(a.body)) OVER (ORDER BY page.key_time ", direction,
                          ", page.article_id ", direction, ") - octet_length(a.body)")
           : "0";
  return absl::Substitute(kPage, source.key, source.from_where, kIsReadable, newest ? "<" : ">",
                          direction,
                          ArticleColumns(full ? v1::ARTICLE_VIEW_FULL : v1::ARTICLE_VIEW_BASIC),
                          bytes_before, kMaxReplyBytes);
}

const std::string& SelectArticlePage(const ArticleQuery& query) {
  using Shape = std::tuple<absl::string_view, bool, bool>;
  static const std::map<Shape, std::string> statements = [] {
    std::map<Shape, std::string> made;
    for (const absl::string_view kind : {kNoLabel, kAuthor, kTag, kAuthorAndTag}) {
      for (const bool newest : {true, false}) {
        for (const bool full : {true, false}) {
          made[{kind, newest, full}] = MakeArticlePage(kind, newest, full);
        }
      }
    }
    return made;
  }();
  return statements.at({LabelOf(query).kind, query.order != v1::ARTICLE_ORDER_OLDEST,
                        query.view == v1::ARTICLE_VIEW_FULL});
}

// Comes before every other key in the order: the first page starts after it.
std::string FirstArticleKey(v1::ArticleOrder order) {
  return order == v1::ARTICLE_ORDER_OLDEST ? "-infinity/" : "infinity/";
}

}  // namespace

postgres::Answers<std::optional<EncodedArticle>> ReadArticles(postgres::Connection& connection,
                                                              const std::vector<std::string>& ids,
                                                              v1::ArticleView view) {
  static const std::string basic = SelectArticles(v1::ARTICLE_VIEW_BASIC);
  static const std::string full = SelectArticles(v1::ARTICLE_VIEW_FULL);
  const bool is_full = view == v1::ARTICLE_VIEW_FULL;
  const postgres::Result rows = connection.Read(is_full ? full : basic, ArrayParameter(ids));
  const size_t place = rows.column_number("place");
  postgres::Answers<std::optional<EncodedArticle>> articles(ids.size(),
                                                            std::optional<EncodedArticle>());
  for (const auto& row : rows) {
    auto& article = articles.at(row[place].as<size_t>());
    if (is_full && !HasBody(row)) {
      article.reset();  // the bodies before it were too large
    } else {
      article = EncodeArticle(row, view);
    }
  }
  return articles;
}

postgres::Answers<std::optional<ArticleState>> ReadArticleStates(
    postgres::Connection& connection, const std::vector<std::string>& ids) {
  static const std::string statement = SelectNamed(StateColumns(), "");
  const postgres::Result rows = connection.Read(statement, ArrayParameter(ids));
  const size_t place = rows.column_number("place");
  postgres::Answers<std::optional<ArticleState>> states(ids.size(), std::optional<ArticleState>());
  for (const auto& row : rows) states.at(row[place].as<size_t>()) = ReadState(row, 0);
  return states;
}

postgres::Answers<std::vector<std::optional<ArticleState>>> ReadListsOfStates(
    postgres::Connection& connection, const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::string> ids;
  size_t taken = 0;
  for (; taken < lists.size(); ++taken) {
    const auto& list = lists[taken];
    if (taken > 0 && ids.size() + list.size() > kMaxListedIds) break;
    ids.insert(ids.end(), list.begin(), list.end());
  }
  auto states = ReadArticleStates(connection, ids);
  auto state = states.begin();
  postgres::Answers<std::vector<std::optional<ArticleState>>> answers(lists.size());
  for (size_t i = 0; i < taken; ++i) {
    auto& answer = answers[i].emplace();
    for (size_t j = 0; j < lists[i].size(); ++j, ++state) answer.push_back(*std::move(*state));
  }
  return answers;
}

absl::StatusOr<Page<v1::Article>> ListArticles(postgres::Connection& connection,
                                               const ArticleQuery& query) {
  const std::string after =
      query.after_key.empty() ? FirstArticleKey(query.order) : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const postgres::Result rows =
      connection.Read(SelectArticlePage(query), TimeParameter(query.published_after),
                      TimeParameter(query.published_before), key.first, key.second,
                      query.page_size + 1, LabelOf(query).value);
  const size_t matched = rows.empty() ? 0 : rows[0]["matched"].as<size_t>();
  return FillPage<v1::Article>(
      rows, matched, query.page_size, kMaxReplyBytes,
      [&](const postgres::Row& row) { return ReadArticle(row, query.view); });
}

absl::StatusOr<ArticlePage> GetArticlePage(postgres::Connection& connection, v1::ArticleView view,
                                           const CommentQuery& comments) {
  const postgres::Snapshot snapshot(connection);
  std::optional<EncodedArticle> article =
      ReadArticles(connection, {comments.article_id}, view).front().value();
  if (!article) return ArticleNotFound(ArticleName(comments.article_id));
  ArticlePage page{.article = *std::move(article), .comments = {}};
  CommentQuery query = comments;
  query.max_bytes = kMaxReplyBytes - static_cast<int>(page.article.text->size());
  absl::StatusOr<CommentPage> list = ListComments(connection, query);
  if (!list.ok()) return list.status();
  page.comments = std::move(list->page);
  return page;
}

}  // namespace content::store
