#include "store/articles/search.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/rules.h"
#include "store/articles/snippet.h"
#include "store/columns.h"

namespace content::store {
namespace {

// $1 article key, $2 publish time. PostgreSQL allows a tsvector of 1 MiB, which 100,000 characters
// never exceed: at worst each takes 4 bytes, and each word counts twice, alone and in a compound.
constexpr char kInsertSearch[] = R"sql(
INSERT INTO article_search (article_id, config, publish_time, search)
SELECT a.article_id, c.config, $2::timestamptz,
       setweight(to_tsvector(c.config::regconfig, a.title), 'A') ||
       setweight(to_tsvector(c.config::regconfig, a.summary), 'B') ||
       setweight(to_tsvector(c.config::regconfig, left(a.body, 100000)), 'C') ||
       array_to_tsvector(ARRAY['config=' || c.config, 'language=' || c.language])
FROM article a
CROSS JOIN LATERAL (
  SELECT coalesce(l.config, 'simple'), t.language
  FROM (SELECT lower(split_part(a.language_code, '-', 1))) AS t (language)
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

// $1 text, $2 language or '', $3 and $4 rank and article key of the last row of the page before, $5
// limit. Selects the columns of an article with `page_key` and `marked_body` (see
// MakeSnippet). There is at least one row: `is_word` says whether the text has a word to search
// for, and all other columns are NULL if nothing is found.
//
// `words` has the meaning of the text in each configuration that articles have. `matching` joins
// them to one query, so that the index is scanned once. `any_word` has the same words as mere
// alternatives, without those that must not occur: ranking and marking by these takes time and
// memory in proportion to the article, while marking a phrase can take gigabytes.
std::string SelectFound() {
  constexpr char kFound[] = R"sql(
WITH RECURSIVE used (config) AS (
  (SELECT config FROM article_search ORDER BY config LIMIT 1)
  UNION ALL
  SELECT next.config FROM used CROSS JOIN LATERAL (
    SELECT n.config FROM article_search n WHERE n.config > used.config ORDER BY n.config LIMIT 1
  ) next
), wanted (config) AS (
  SELECT config FROM used WHERE $$2 = ''
  UNION ALL
  SELECT coalesce((SELECT l.config FROM search_language l WHERE l.language = $$2), 'simple')
  WHERE $$2 <> '' OR NOT EXISTS (SELECT FROM used)
), words AS MATERIALIZED (
  SELECT config, query,
         regexp_replace(querytree(query), ' (&|<(-|\d+)>) ', ' | ', 'g')::tsquery AS any_word
  FROM wanted CROSS JOIN LATERAL websearch_to_tsquery(config::regconfig, $$1) AS query
  WHERE numnode(query) > 0
), matching (query) AS (
  SELECT string_agg(
           format('(%s) & ''config=%s''', query, config) ||
           CASE WHEN $$2 = '' THEN '' ELSE format(' & ''language=%s''', $$2) END, ' | ')::tsquery
  FROM words
), newest AS (
  SELECT f.article_id, f.config, f.search FROM article_search f
  WHERE f.search @@ (SELECT query FROM matching) AND f.publish_time < 'infinity'
  ORDER BY f.publish_time DESC, f.article_id DESC LIMIT 1000
), page AS (
  SELECT article_id, config, any_word, rank
  FROM newest JOIN words USING (config) CROSS JOIN LATERAL ts_rank(search, any_word, 1) AS rank
  WHERE (rank, article_id) < ($$3::real, $$4)
  ORDER BY rank DESC, article_id DESC LIMIT $$5::integer
)
SELECT found.*, matching.query IS NOT NULL AS is_word
FROM matching LEFT JOIN (
  SELECT $0, rank, rank || '/' || article_id AS page_key,
         ts_headline(config::regconfig, left(a.body, 100000), any_word,
                     E'HighlightAll=true, StartSel=\x01, StopSel=\x02') AS marked_body
  FROM page JOIN article_state s USING (article_id) JOIN article a USING (article_id)
  WHERE $1
) found ON true
ORDER BY found.rank DESC, found.article_id DESC)sql";
  return absl::Substitute(kFound, ArticleColumns(v1::ARTICLE_VIEW_BASIC), kIsReadable);
}

v1::SearchResult ReadFound(const postgres::Row& row) {
  v1::SearchResult result;
  *result.mutable_article() = ReadArticle(row, v1::ARTICLE_VIEW_BASIC);
  for (v1::SnippetPart& part : MakeSnippet(row["marked_body"].c_str())) {
    *result.add_snippet() = std::move(part);
  }
  return result;
}

}  // namespace

void IndexArticle(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time) {
  transaction.Exec(kInsertSearch, article_id, TimeParameter(publish_time));
}

void ShowInSearch(postgres::Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time) {
  transaction.Exec(kUpdateSearchTime, article_id, TimeParameter(publish_time));
}

void UnindexArticle(postgres::Transaction& transaction, const std::string& article_id) {
  transaction.Exec(kDeleteSearch, article_id);
}

absl::StatusOr<Page<v1::SearchResult>> SearchArticles(postgres::Connection& connection,
                                                      const SearchQuery& query) {
  static const std::string statement = SelectFound();
  const std::string after = query.after_key.empty() ? "infinity/" : query.after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, absl::MaxSplits('/', 1));
  const postgres::Result rows = connection.Read(statement, query.text, query.language, key.first,
                                                key.second, query.page_size + 1);
  if (!rows[0]["is_word"].as<bool>()) return InvalidField("query", "has no word to search for");
  if (rows[0]["page_key"].is_null()) return Page<v1::SearchResult>();
  return FillPage<v1::SearchResult>(rows, rows.size(), query.page_size, kMaxReplyBytes, ReadFound);
}

}  // namespace content::store
