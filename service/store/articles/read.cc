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
#include "postgres/bulk.h"
#include "store/columns.h"
#include "store/comments/read.h"

namespace content::store {
namespace {

// A statement stops returning bodies once they exceed this many bytes.
constexpr int kMaxBodyBytesRead = 4 << 20;

// Maximum number of ids in one statement, unless a single list has more. A thousand take 7 ms.
constexpr size_t kMaxListedIds = 1000;

// Selects the articles of keys that are readable. `place` is a number given with the key.
postgres::BulkStatement<3> SelectByKey(const std::string& columns, absl::string_view joined) {
  return postgres::BulkStatement<3>(
      absl::StrCat("SELECT ", columns,
                   ", asked.place FROM $rows AS asked (bucket, article_key, place) "
                   "JOIN article_state s USING (bucket, article_key) ",
                   joined, " WHERE ", kIsReadable),
      {"smallint", "bigint", "integer"});
}

postgres::BulkStatement<3> SelectArticles(v1::ArticleView view) {
  return SelectByKey(ArticleColumns(view, BodyWithin(absl::StrCat(kMaxBodyBytesRead))),
                     "JOIN article a USING (bucket, article_key)");
}

// Reads the articles with these names, as far as there are any, and calls `take` with the place of
// the name and the row. Forgets the names whose articles it did not find.
template <class Take>
void ReadNamed(postgres::Connection& connection, ArticleNames& names,
               const postgres::BulkStatement<3>& statement, const std::vector<std::string>& ids,
               Take take) {
  const auto keys = names.Find(connection, ids);
  postgres::Rows<3> asked;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (keys[i]) asked.Add(keys[i]->bucket(), keys[i]->value(), i);
  }
  if (asked.empty()) return;
  const postgres::Result rows = statement.Read(connection, asked);
  const size_t place_column = rows.column_number("place");
  std::vector<bool> found(ids.size());
  for (const auto& row : rows) {
    const auto place = row[place_column].as<size_t>();
    found.at(place) = true;
    take(place, row);
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    if (keys[i] && !found[i]) names.Forget(ids[i]);
  }
}

// The rows from which a page of articles is chosen.
struct PageSource {
  std::string key;         // alias of the table with the sort keys, publish_time and article_key
  std::string from_where;  // selects the readable articles
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

// The label of the articles that a query asks for (see LabelsOf in batch.cc).
Label LabelOf(const ArticleQuery& query) {
  if (query.author.empty() && query.tag.empty()) return {kNoLabel, ""};
  if (query.author.empty()) return {kTag, query.tag};
  if (query.tag.empty()) return {kAuthor, query.author};
  return {kAuthorAndTag, absl::StrCat(query.author, "\n", query.tag)};
}

PageSource SourceOf(absl::string_view label_kind) {
  // Every parameter must appear in the statement, even if it is unused.
  if (label_kind == kNoLabel) {
    return {"s", absl::StrCat("article_state s WHERE $6 = '' AND ", kIsReadable)};
  }
  return {"k", absl::StrCat("article_label k", kJoinArticles, "WHERE k.kind = '", label_kind,
                            "' AND k.value = $6 AND ", kIsJoinedReadable)};
}

// $1 published_after, $2 published_before, $3 and $4 time and key of the last row of the page
// before, $5 limit, $6 the label's value or ''. Also selects `page_key`, and `matched`: the number
// of rows, up to the limit, before the cut at kMaxReplyBytes.
std::string MakeArticlePage(absl::string_view label_kind, bool newest, bool full) {
  constexpr char kPage[] = R"sql(
WITH page AS (
  SELECT $0.bucket, $0.article_key, $0.publish_time AS key_time FROM $1
    AND $0.publish_time >= $$1::timestamptz AND $0.publish_time < $$2::timestamptz
    AND ($0.publish_time, $0.article_key) $2 ($$3::timestamptz, $$4::bigint)
  ORDER BY $0.publish_time $3, $0.article_key $3 LIMIT $$5::integer
), sized AS (
  SELECT $4, page.article_key, page.key_time, count(*) OVER () AS matched, $5 AS bytes_before
  FROM page JOIN article_state s USING (bucket, article_key)
  JOIN article a USING (bucket, article_key)
)
SELECT *, to_char(key_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z/"') || article_key
          AS page_key
FROM sized WHERE bytes_before <= $6 ORDER BY key_time $3, article_key $3)sql";
  const PageSource source = SourceOf(label_kind);
  const std::string direction = newest ? "DESC" : "ASC";
  const std::string bytes_before =
      full ? absl::StrCat("sum(octet_length(a.body)) OVER (ORDER BY page.key_time ", direction,
                          ", page.article_key ", direction, ") - octet_length(a.body)")
           : "0";
  return absl::Substitute(kPage, source.key, source.from_where, newest ? "<" : ">", direction,
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
  return order == v1::ARTICLE_ORDER_OLDEST ? "-infinity/0" : "infinity/0";
}

}  // namespace

postgres::Answers<std::optional<EncodedArticle>> ReadArticles(postgres::Connection& connection,
                                                              ArticleNames& names,
                                                              const std::vector<std::string>& ids,
                                                              v1::ArticleView view) {
  static const auto basic = SelectArticles(v1::ARTICLE_VIEW_BASIC);
  static const auto full = SelectArticles(v1::ARTICLE_VIEW_FULL);
  const bool is_full = view == v1::ARTICLE_VIEW_FULL;
  postgres::Answers<std::optional<EncodedArticle>> articles(ids.size(),
                                                            std::optional<EncodedArticle>());
  const auto take = [&](size_t place, const postgres::Row& row) {
    if (is_full && !HasBody(row)) {
      articles[place].reset();  // the bodies before it were too large
    } else {
      articles[place] = EncodeArticle(row, view);
    }
  };
  ReadNamed(connection, names, is_full ? full : basic, ids, take);
  return articles;
}

postgres::Answers<std::optional<ArticleState>> ReadArticleStates(
    postgres::Connection& connection, ArticleNames& names, const std::vector<std::string>& ids) {
  static const auto statement = SelectByKey(StateColumns(), "");
  postgres::Answers<std::optional<ArticleState>> states(ids.size(), std::optional<ArticleState>());
  const auto take = [&](size_t place, const postgres::Row& row) {
    states[place] = ReadState(row, 0);
  };
  ReadNamed(connection, names, statement, ids, take);
  return states;
}

postgres::Answers<std::vector<std::optional<ArticleState>>> ReadListsOfStates(
    postgres::Connection& connection, ArticleNames& names,
    const std::vector<std::vector<std::string>>& lists) {
  std::vector<std::string> ids;
  size_t taken = 0;
  for (; taken < lists.size(); ++taken) {
    const auto& list = lists[taken];
    if (taken > 0 && ids.size() + list.size() > kMaxListedIds) break;
    ids.insert(ids.end(), list.begin(), list.end());
  }
  auto states = ReadArticleStates(connection, names, ids);
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

absl::StatusOr<ArticlePage> GetArticlePage(postgres::Connection& connection, ArticleNames& names,
                                           v1::ArticleView view, const CommentQuery& comments) {
  const postgres::Snapshot snapshot(connection);
  std::optional<EncodedArticle> article =
      ReadArticles(connection, names, {comments.article_id}, view).front().value();
  if (!article) return ArticleNotFound(ArticleName(comments.article_id));
  ArticlePage page{.article = *std::move(article), .comments = {}};
  CommentQuery query = comments;
  query.max_bytes = kMaxReplyBytes - static_cast<int>(page.article.text->size());
  absl::StatusOr<CommentPage> list = ListComments(connection, names, query);
  if (!list.ok()) return list.status();
  page.comments = std::move(list->page);
  return page;
}

}  // namespace content::store
