#include "store/search.h"

#include "content/errors.h"
#include "store/rows.h"

namespace content::store {
namespace {

// $1 article key, $2 publish time.
constexpr char kInsertSearch[] = R"sql(
INSERT INTO article_search (article_id, config, publish_time, search)
SELECT a.article_id, c.config, $2::timestamptz,
       setweight(to_tsvector(c.config::regconfig, a.title), 'A') ||
       setweight(to_tsvector(c.config::regconfig, a.summary), 'B') ||
       setweight(to_tsvector(c.config::regconfig, left(a.body, 200000)), 'C') ||
       array_to_tsvector(ARRAY['config=' || c.config])
FROM article a
CROSS JOIN LATERAL (
  SELECT coalesce((SELECT l.config FROM search_language l
                   WHERE l.language = lower(split_part(a.language_code, '-', 1))), 'simple')
) AS c (config)
WHERE a.article_id = $1
ON CONFLICT (article_id) DO UPDATE SET
  config = excluded.config, publish_time = excluded.publish_time, search = excluded.search
)sql";

// $1 article key.
constexpr char kDeleteSearch[] = "DELETE FROM article_search WHERE article_id = $1";

}  // namespace

void IndexArticle(Transaction& transaction, const std::string& article_id,
                  absl::Time publish_time) {
  transaction.Exec(kInsertSearch, article_id, TimeParameter(publish_time));
}

void UnindexArticle(Transaction& transaction, const std::string& article_id) {
  transaction.Exec(kDeleteSearch, article_id);
}

absl::StatusOr<Page<v1::SearchResult>> SearchArticles(Connection& /*connection*/,
                                                      const SearchQuery& /*query*/) {
  return Internal();  // HELPER
}

}  // namespace content::store
