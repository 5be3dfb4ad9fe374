#include "store/articles/search.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/rules.h"
#include "content/search_text.h"
#include "content/text.h"
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

// $1 article key, $2 publish time, $3 title, $4 summary, $5 the words of the body that are in
// order, $6 those after them, each as JoinWords makes it. The latter have the weight D.
constexpr char kInsertSearch[] = R"sql(
INSERT INTO article_search (article_id, config, publish_time, search)
SELECT a.article_id, c.config, $2::timestamptz,
       setweight(to_tsvector(c.config::regconfig, $3::text), 'A') ||
       setweight(to_tsvector(c.config::regconfig, $4::text), 'B') ||
       setweight(to_tsvector(c.config::regconfig, $5::text), 'C') ||
       to_tsvector(c.config::regconfig, $6::text) ||
       array_to_tsvector(ARRAY['config=' || c.config, 'language=' || c.language])
FROM article a
CROSS JOIN LATERAL (
  SELECT coalesce(l.config, 'simple'), t.language
  FROM (SELECT lower(split_part(a.language_code, '-', 1) COLLATE "C")) AS t (language)
  LEFT JOIN search_language l USING (language)
) AS c (config, language)
WHERE a.article_id = $1
ON CONFLICT (article_id) DO UPDATE SET
  config = excluded.config, publish_time = excluded.publish_time, search = excluded.search
)sql";

// $1 article key, $2 publish time.
constexpr char kUpdateSearchTime[] =
    "UPDATE article_search SET publish_time = $2::timestamptz WHERE article_id = $1";

// $1 article key.
constexpr char kDeleteSearch[] = "DELETE FROM article_search WHERE article_id = $1";

constexpr char kSelectMissing[] = R"sql(
SELECT s.article_id FROM article_state s
WHERE NOT s.retracted
  AND NOT EXISTS (SELECT FROM article_search i WHERE i.article_id = s.article_id)
)sql";

// $1 article key.
std::string SelectIndexed() {
  return absl::StrCat("SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL),
                      ", s.scheduled FROM article_state s JOIN article a USING (article_id) "
                      "WHERE s.article_id = $1 AND NOT s.retracted");
}

// $1 and $2 alternatives (arrays, see ParsedQuery), $3 language or '', $4 and $5 rank and article
// key of the last row of the page before, $6 limit. Selects the columns of an article with
// `page_key`, `searched_body` and the places of the query's words among those in order:
// `found_places` are their numbers, from 1 on.
//
// `words` has the meaning of the query in each configuration that articles have. An alternative
// finds nothing in a configuration where all of its wanted words are stop words. `matching` joins
// them to one query, so that the index is scanned once. `any_word` has the wanted words as mere
// alternatives: ranking by a phrase takes time and memory in proportion to the article.
std::string SelectFound() {
  constexpr char kFound[] = R"sql(
WITH RECURSIVE used (config) AS (
  (SELECT config FROM article_search ORDER BY config LIMIT 1)
  UNION ALL
  SELECT next.config FROM used CROSS JOIN LATERAL (
    SELECT n.config FROM article_search n WHERE n.config > used.config ORDER BY n.config LIMIT 1
  ) next
), configuration (config) AS (
  SELECT config FROM used WHERE $$3 = ''
  UNION ALL
  SELECT coalesce((SELECT l.config FROM search_language l WHERE l.language = $$3), 'simple')
  WHERE $$3 <> ''
), words AS MATERIALIZED (
  SELECT config, string_agg(format('(%s)', whole), ' | ')::tsquery AS query,
         regexp_replace(coalesce(string_agg(nullif(wanted::text, ''), ' | '), ''),
                        ' (&|<(-|\d+)>) ', ' | ', 'g')::tsquery AS any_word
  FROM configuration
  CROSS JOIN unnest($$1::text[], $$2::text[]) AS alternative (wanted_text, excluded_text)
  CROSS JOIN LATERAL to_tsquery(config::regconfig, wanted_text) AS wanted
  CROSS JOIN LATERAL to_tsquery(config::regconfig, excluded_text) AS excluded
  CROSS JOIN LATERAL (SELECT wanted && !!excluded) AS alternative_query (whole)
  WHERE numnode(whole) > 0 AND (wanted_text = '' OR numnode(wanted) > 0)
  GROUP BY config
), matching (query) AS (
  SELECT string_agg(
           format('(%s) & ''config=%s''', query, config) ||
           CASE WHEN $$3 = '' THEN '' ELSE format(' & ''language=%s''', $$3) END, ' | ')::tsquery
  FROM words
), newest AS (
  SELECT f.article_id, f.config, f.search FROM article_search f
  WHERE f.search @@ (SELECT query FROM matching) AND f.publish_time < 'infinity'
  ORDER BY f.publish_time DESC, f.article_id DESC LIMIT 1000
), page AS (
  SELECT article_id, search, any_word, rank
  FROM newest JOIN words USING (config) CROSS JOIN LATERAL ts_rank(search, any_word, 1) AS rank
  WHERE (rank, article_id) < ($$4::real, $$5)
  ORDER BY rank DESC, article_id DESC LIMIT $$6::integer
)
SELECT $0, rank, rank || '/' || article_id AS page_key, left(a.body, $2) AS searched_body,
       (SELECT string_agg((place - body_start)::text, ' ' ORDER BY place)
        FROM unnest(ts_filter(search, '{c}')) AS word CROSS JOIN unnest(word.positions) AS place
        WHERE array_to_tsvector(ARRAY[word.lexeme]) @@ any_word) AS found_places
FROM page JOIN article_state s USING (article_id) JOIN article a USING (article_id)
CROSS JOIN LATERAL (
  SELECT coalesce(max(place), 0)
  FROM unnest(ts_filter(search, '{a,b}')) AS word CROSS JOIN unnest(word.positions) AS place
) AS before_body (body_start)
WHERE $1
ORDER BY rank DESC, article_id DESC)sql";
  return absl::Substitute(kFound, ArticleColumns(v1::ARTICLE_VIEW_BASIC), kIsReadable,
                          kSearchedCharacters);
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

void IndexStoredArticle(postgres::Connection& connection, const std::string& article_id) {
  static const std::string statement = SelectIndexed();
  postgres::Transaction transaction(connection);
  // A key is the first name that the article had, and an article keeps its names.
  LockArticle(transaction, article_id);
  const postgres::Result rows = transaction.Exec(statement, article_id);
  if (rows.empty()) return;  // retracted in the meantime
  const v1::Article article = ReadArticle(rows[0], v1::ARTICLE_VIEW_FULL);
  const bool scheduled = rows[0]["scheduled"].as<bool>();
  IndexArticle(transaction, article_id,
               scheduled ? absl::InfiniteFuture() : FromTimestamp(article.publish_time()), article);
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

void IndexArticle(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time, const v1::Article& article) {
  const std::vector<SearchUnit> title = SplitForSearch(article.title());
  const std::vector<SearchUnit> summary = SplitForSearch(article.summary());
  const std::vector<SearchUnit> body =
      SplitBodyForSearch(FirstCharacters(article.body(), kSearchedCharacters));
  const size_t in_order = WordsInOrder(title, summary);
  size_t room = kMaxIndexBytes;
  const std::string title_words = JoinWords(title, 0, title.size(), room);
  const std::string summary_words = JoinWords(summary, 0, summary.size(), room);
  const std::string first_words = JoinWords(body, 0, in_order, room);
  const std::string later_words = JoinWords(body, in_order, body.size(), room);
  transaction.Exec(kInsertSearch, article_id, TimeParameter(publish_time), title_words,
                   summary_words, first_words, later_words);
}

void ShowInSearch(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time) {
  transaction.Exec(kUpdateSearchTime, article_id, TimeParameter(publish_time));
}

void UnindexArticle(postgres::Transaction& transaction, const std::string& article_id) {
  transaction.Exec(kDeleteSearch, article_id);
}

void IndexMissingArticles(postgres::Connection& connection) {
  const postgres::Result missing = connection.Read(kSelectMissing);
  for (const postgres::Row row : missing) {
    const std::string article_id = row[0].c_str();
    try {
      IndexStoredArticle(connection, article_id);
    } catch (const std::exception& exception) {
      if (!connection.is_open() || !IsCausedByArticle(exception)) throw;
      log::Error("article not indexed",
                 {{"article", article_id}, {"message", postgres::DescribeError(exception)}});
    }
  }
}

absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query) {
  static const std::string statement = SelectFound();
  const ParsedQuery parsed = ParseSearchQuery(query.text);
  if (parsed.wanted.empty()) return InvalidField("query", "has no word to search for");
  const std::string after = query.after_key.empty() ? "infinity/" : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const postgres::Result rows =
      connection.Read(statement, ArrayParameter(parsed.wanted), ArrayParameter(parsed.excluded),
                      query.language, key.first, key.second, query.page_size + 1);
  return FillPage<v1::SearchResult>(
      rows, rows.size(), query.page_size, kMaxReplyBytes,
      [&parsed](const postgres::Row& row) { return ReadFound(row, parsed); });
}

}  // namespace content::store
