#include "store/articles/search.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/rules.h"
#include "content/search_text.h"
#include "content/text.h"
#include "postgres/bulk.h"
#include "postgres/server_error.h"
#include "store/articles/highlight.h"
#include "store/articles/search_query.h"
#include "store/articles/snippet.h"
#include "store/columns.h"
#include "store/lock.h"
#include "telemetry/log.h"

namespace content::store {
namespace {

// Only so much of a body is searched.
constexpr size_t kSearchedCharacters = 100'000;

// PostgreSQL allows a tsvector of 1 MiB. This leaves room for the configuration and the language.
constexpr size_t kMaxIndexBytes = 1'040'000;

// Positions in a tsvector are less than this. All later words are at this one, so that their order
// is not known.
constexpr size_t kEndOfPositions = 16'383;

// $1 languages (array).
constexpr char kSelectConfigs[] =
    "SELECT language, config FROM search_language WHERE language = ANY ($1::text[])";

// The configuration of languages that search_language does not have.
constexpr char kSimple[] = "simple";

// Title, summary and the words of the body, those that are in order and those after them, are each
// as JoinWords makes it. The later words have the weight D.
const postgres::BulkStatement<9>& InsertSearch() {
  static const postgres::BulkStatement<9> statement(
      R"sql(
INSERT INTO article_search (bucket, article_key, publish_time, config, search)
SELECT n.bucket, n.article_key, n.publish_time, n.config,
       setweight(to_tsvector(n.config::regconfig, n.title), 'A') ||
       setweight(to_tsvector(n.config::regconfig, n.summary), 'B') ||
       setweight(to_tsvector(n.config::regconfig, n.words_in_order), 'C') ||
       to_tsvector(n.config::regconfig, n.later_words) ||
       array_to_tsvector(ARRAY['config=' || n.config, 'language=' || n.language])
FROM $rows AS n (bucket, article_key, publish_time, config, language, title, summary,
                 words_in_order, later_words)
ON CONFLICT (article_key, bucket) DO UPDATE SET
  config = excluded.config, publish_time = excluded.publish_time, search = excluded.search
)sql",
      {"smallint", "bigint", "timestamptz", "text", "text", "text", "text", "text", "text"});
  return statement;
}

// $1 bucket, $2 article key, $3 publish time.
constexpr char kUpdateSearchTime[] =
    "UPDATE article_search SET publish_time = $3::timestamptz "
    "WHERE bucket = $1::smallint AND article_key = $2::bigint";

// $1 buckets, $2 article keys (arrays).
constexpr char kDeleteSearch[] =
    "DELETE FROM article_search "
    "WHERE bucket = ANY ($1::smallint[]) AND article_key = ANY ($2::bigint[])";

constexpr char kSelectMissing[] = R"sql(
SELECT s.article_key, s.name
FROM article_state s LEFT JOIN article_search i USING (bucket, article_key)
WHERE NOT s.retracted AND i.config IS NULL
)sql";

// $1 bucket, $2 article key.
std::string SelectIndexed() {
  return absl::StrCat(
      "SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL),
      ", s.scheduled FROM article_state s JOIN article a USING (bucket, article_key) "
      "WHERE ",
      kIsArticle, " AND NOT s.retracted");
}

// $1 a configuration. Selects the next one that articles have.
constexpr char kSelectNextConfig[] =
    "SELECT config FROM article_search WHERE config > $1 ORDER BY config LIMIT 1";

// $1 and $2 alternatives (arrays, see ParsedQuery), $3 configurations (array), $4 language or '',
// $5 and $6 rank and article key of the last row of the page before, $7 limit. Selects the columns
// of an article with `page_key`, `searched_body` and the places of the query's words among those in
// order: `found_places` are their numbers, from 1 on.
//
// `words` has the meaning of the query in each configuration that articles have. An alternative
// finds nothing in a configuration where all of its wanted words are stop words. `matching` joins
// them to one query, so that the index is scanned once. `any_word` has the wanted words as mere
// alternatives: ranking by a phrase takes time and memory in proportion to the article.
//
// Positions are unnested in a SELECT list, because Citus 13 crashes if a function in a FROM clause
// takes the result of another one there.
std::string SelectFound() {
  constexpr char kFound[] = R"sql(
WITH words AS MATERIALIZED (
  SELECT config, string_agg(format('(%s)', whole), ' | ')::tsquery AS query,
         regexp_replace(coalesce(string_agg(nullif(wanted::text, ''), ' | '), ''),
                        ' (&|<(-|\d+)>) ', ' | ', 'g')::tsquery AS any_word
  FROM unnest($$3::text[]) AS configuration (config)
  CROSS JOIN unnest($$1::text[], $$2::text[]) AS alternative (wanted_text, excluded_text)
  CROSS JOIN LATERAL to_tsquery(config::regconfig, wanted_text) AS wanted
  CROSS JOIN LATERAL to_tsquery(config::regconfig, excluded_text) AS excluded
  CROSS JOIN LATERAL (SELECT wanted && !!excluded) AS alternative_query (whole)
  WHERE numnode(whole) > 0 AND (wanted_text = '' OR numnode(wanted) > 0)
  GROUP BY config
), matching (query) AS (
  SELECT string_agg(
           format('(%s) & ''config=%s''', query, config) ||
           CASE WHEN $$4::text = '' THEN '' ELSE format(' & ''language=%s''', $$4::text) END, ' | ')::tsquery
  FROM words
), newest AS (
  SELECT f.bucket, f.article_key, f.config, f.search FROM article_search f
  WHERE f.search @@ (SELECT query FROM matching) AND f.publish_time < 'infinity'
  ORDER BY f.publish_time DESC, f.article_key DESC LIMIT 1000
), page AS (
  SELECT bucket, article_key, search, any_word, rank
  FROM newest JOIN words USING (config) CROSS JOIN LATERAL ts_rank(search, any_word, 1) AS rank
  WHERE (rank, article_key) < ($$5::real, $$6::bigint)
  ORDER BY rank DESC, article_key DESC LIMIT $$7::integer
)
SELECT $0, rank, rank || '/' || article_key AS page_key, left(a.body, $2) AS searched_body,
       (SELECT string_agg((place - body_start)::text, ' ' ORDER BY place)
        FROM (SELECT unnest(word.positions) FROM unnest(ts_filter(search, '{c}')) AS word
              WHERE array_to_tsvector(ARRAY[word.lexeme]) @@ any_word) AS found (place)
       ) AS found_places
FROM page JOIN article_state s USING (bucket, article_key)
JOIN article a USING (bucket, article_key)
CROSS JOIN LATERAL (
  SELECT coalesce(max(place), 0)
  FROM (SELECT unnest(word.positions) FROM unnest(ts_filter(search, '{a,b}')) AS word) AS before (place)
) AS before_body (body_start)
WHERE $1
ORDER BY rank DESC, article_key DESC)sql";
  return absl::Substitute(kFound, ArticleColumns(v1::ARTICLE_VIEW_BASIC), kIsReadable,
                          kSearchedCharacters);
}

// Returns the language by which an article is searched: the first part of its BCP 47 tag.
std::string SearchLanguage(absl::string_view tag) {
  return absl::AsciiStrToLower(tag.substr(0, tag.find('-')));
}

// Returns the configuration of a language. `rows` is the result of kSelectConfigs.
std::string ConfigOf(const std::string& language, const postgres::Result& rows) {
  for (const auto& row : rows) {
    if (row["language"].text() == language) return row["config"].c_str();
  }
  return kSimple;
}

// Returns the configurations in which to search for articles in a language or, if that is empty, in
// any: those that articles have.
std::vector<std::string> ConfigsFor(postgres::Connection& connection, const std::string& language) {
  if (!language.empty()) {
    return {ConfigOf(language, connection.Read(kSelectConfigs, ArrayParameter({language})))};
  }
  std::vector<std::string> configs;
  std::string last;
  while (true) {
    const postgres::Result next = connection.Read(kSelectNextConfig, last);
    if (next.empty()) return configs;
    last = next[0]["config"].c_str();
    configs.push_back(last);
  }
}

// Returns the words of units [begin, end), separated by spaces: PostgreSQL's parser takes each as
// it is. Reduces `room` by the bytes that they take at most in a tsvector, and leaves out words for
// which there is no room.
std::string JoinWords(const std::vector<SearchUnit>& units, size_t begin, size_t end,
                      size_t& room) {
  constexpr size_t kMaxOverhead = 5;  // the position of a word, and padding
  std::string words;
  for (size_t i = begin; i < std::min(end, units.size()); ++i) {
    const std::string word = IndexedWord(units, i);
    const size_t size = word.size() + kMaxOverhead;
    if (size > room) break;
    room -= size;
    absl::StrAppend(&words, words.empty() ? "" : " ", word);
  }
  return words;
}

// Returns how many words of a body are in order. Title and summary are so short that some are.
size_t WordsInOrder(const std::vector<SearchUnit>& title, const std::vector<SearchUnit>& summary) {
  return kEndOfPositions - 1 - std::min(title.size() + summary.size(), kEndOfPositions - 1);
}

// The words of an article, each as JoinWords makes it.
struct SearchWords {
  std::string title;
  std::string summary;
  // Of the body: those that are in order, and those after them.
  std::string in_order;
  std::string later;
};

SearchWords WordsOf(const v1::Article& article) {
  const std::vector<SearchUnit> title = SplitForSearch(article.title());
  const std::vector<SearchUnit> summary = SplitForSearch(article.summary());
  const std::vector<SearchUnit> body =
      SplitBodyForSearch(FirstCharacters(article.body(), kSearchedCharacters));
  const size_t in_order = WordsInOrder(title, summary);
  size_t room = kMaxIndexBytes;
  // In the order of their importance, should there not be room for all.
  return {.title = JoinWords(title, 0, title.size(), room),
          .summary = JoinWords(summary, 0, summary.size(), room),
          .in_order = JoinWords(body, 0, in_order, room),
          .later = JoinWords(body, in_order, body.size(), room)};
}

// Returns where in the body of a found article the words of the query are.
std::vector<Mark> MarksOf(const postgres::Row& row, const v1::Article& article,
                          const ParsedQuery& query) {
  std::vector<size_t> found;
  for (const absl::string_view place :
       absl::StrSplit(row["found_places"].text(), ' ', absl::SkipEmpty())) {
    size_t number = 0;
    if (absl::SimpleAtoi(place, &number) && number >= 1) found.push_back(number - 1);
  }
  const size_t words_in_order =
      WordsInOrder(SplitForSearch(article.title()), SplitForSearch(article.summary()));
  return FindMarks(SplitBodyForSearch(row["searched_body"].text()), query, found, words_in_order);
}

v1::SearchResult ReadFound(const postgres::Row& row, const ParsedQuery& query) {
  v1::SearchResult result;
  v1::Article& article = *result.mutable_article();
  article = ReadArticle(row, v1::ARTICLE_VIEW_BASIC);
  for (v1::SnippetPart& part :
       MakeSnippet(row["searched_body"].text(), MarksOf(row, article, query))) {
    *result.add_snippet() = std::move(part);
  }
  return result;
}

void IndexStoredArticle(postgres::Connection& connection, ArticleKey key) {
  static const std::string statement = SelectIndexed();
  postgres::Transaction transaction(connection);
  LockArticle(transaction, key);
  const postgres::Result rows = transaction.Exec(statement, key.bucket(), key.value());
  if (rows.empty()) return;  // retracted in the meantime
  const v1::Article article = ReadArticle(rows[0], v1::ARTICLE_VIEW_FULL);
  const bool scheduled = rows[0]["scheduled"].as<bool>();
  const absl::Time publish_time =
      scheduled ? absl::InfiniteFuture() : FromTimestamp(article.publish_time());
  IndexArticles(transaction, {{key, publish_time, &article}});
  transaction.Commit();
}

// Returns whether indexing other articles may still succeed: the article cannot be parsed, or
// PostgreSQL refuses its data (class 22), its size (54), or fails on it (XX).
bool IsCausedByArticle(const std::exception& exception) {
  const std::optional<postgres::ServerError> error = postgres::FindServerError(exception);
  return !error || absl::StartsWith(error->sqlstate, "22") ||
         absl::StartsWith(error->sqlstate, "54") || absl::StartsWith(error->sqlstate, "XX");
}

}  // namespace

void IndexArticles(postgres::Transaction& transaction,
                   const std::vector<IndexedArticle>& articles) {
  if (articles.empty()) return;
  std::vector<std::string> languages;
  for (const IndexedArticle& indexed : articles) {
    languages.push_back(SearchLanguage(indexed.article->language_code()));
  }
  const postgres::Result configs = transaction.Exec(kSelectConfigs, ArrayParameter(languages));
  postgres::Rows<9> rows;
  for (size_t i = 0; i < articles.size(); ++i) {
    const auto& [key, publish_time, article] = articles[i];
    const SearchWords words = WordsOf(*article);
    rows.Add(key.bucket(), key.value(), TimeParameter(publish_time),
             ConfigOf(languages[i], configs), languages[i], words.title, words.summary,
             words.in_order, words.later);
  }
  InsertSearch().Exec(transaction, rows);
}

void ShowInSearch(postgres::Transaction& transaction, ArticleKey key, absl::Time publish_time) {
  transaction.Exec(kUpdateSearchTime, key.bucket(), key.value(), TimeParameter(publish_time));
}

void UnindexArticles(postgres::Transaction& transaction, const std::vector<ArticleKey>& keys) {
  if (!keys.empty()) transaction.Queue(kDeleteSearch, BucketsParameter(keys), KeysParameter(keys));
}

void IndexMissingArticles(postgres::Connection& connection) {
  const postgres::Result missing = connection.Read(kSelectMissing);
  for (const postgres::Row row : missing) {
    try {
      IndexStoredArticle(connection, ReadKey(row["article_key"]));
    } catch (const std::exception& exception) {
      if (!connection.is_open() || !IsCausedByArticle(exception)) throw;
      log::Error("article not indexed", {{"article", row["name"].c_str()},
                                         {"message", postgres::DescribeError(exception)}});
    }
  }
}

absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query) {
  static const std::string statement = SelectFound();
  const ParsedQuery parsed = ParseSearchQuery(query.text);
  if (parsed.wanted.empty()) return InvalidField("query", "has no word to search for");
  const std::string after = query.after_key.empty() ? "infinity/0" : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const postgres::Result rows =
      connection.Read(statement, ArrayParameter(parsed.wanted), ArrayParameter(parsed.excluded),
                      ArrayParameter(ConfigsFor(connection, query.language)), query.language,
                      key.first, key.second, query.page_size + 1);
  return FillPage<v1::SearchResult>(
      rows, rows.size(), query.page_size, kMaxReplyBytes,
      [&parsed](const postgres::Row& row) { return ReadFound(row, parsed); });
}

}  // namespace content::store
