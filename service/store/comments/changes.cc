#include "store/comments/changes.h"

#include "absl/strings/substitute.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Maximum number of rows of one read. A watcher that is further behind reads again.
constexpr size_t kMaxChanges = 100;

// $1 bucket, $2 article key, $3 revision, $4 limit. Selects the comments that changed after $3: of
// each revision all or none. If the article is readable, there is at least one row, with its
// `revision` and `comment_count`; all other columns are NULL if no comment has changed.
std::string SelectCommentChanges() {
  constexpr char kChanges[] = R"sql(
SELECT change.*, s.revision, s.comment_count
FROM article_state s
LEFT JOIN LATERAL (
  SELECT $0
  FROM comment c
  WHERE c.bucket = s.bucket AND c.article_key = s.article_key AND c.ever_shown
    AND c.revision > $$3::bigint
  ORDER BY c.revision FETCH FIRST ($$4::integer) ROWS WITH TIES
) change ON true
WHERE $1 AND $2
ORDER BY change.comment_revision, change.comment_id)sql";
  return absl::Substitute(kChanges, CommentColumns(), kIsArticle, kIsReadable);
}

// Returns the number of comments that fit into kMaxReplyBytes, in whole revisions but at least one
// revision.
size_t CountFitting(const std::vector<v1::Comment>& comments) {
  size_t bytes = 0;
  size_t fitting = 0;
  for (size_t i = 0; i < comments.size(); ++i) {
    if (i > 0 && comments[i].revision() != comments[i - 1].revision()) fitting = i;
    bytes += comments[i].ByteSizeLong();
    if (bytes > kMaxReplyBytes && fitting > 0) return fitting;
  }
  return comments.size();
}

}  // namespace

absl::StatusOr<CommentChanges> ReadCommentChanges(postgres::Connection& connection,
                                                  ArticleNames& names,
                                                  const std::string& article_id,
                                                  const CommentCursor& after) {
  const Epoch epoch = connection.database().ToString();
  if (!after.epoch.empty() && after.epoch != epoch) return EpochEnded(ArticleName(article_id));
  static const std::string statement = SelectCommentChanges();
  const auto key = names.Find(connection, article_id);
  if (!key) return ArticleNotFound(ArticleName(article_id));
  const postgres::Result rows =
      connection.Read(statement, key->bucket(), key->value(), after.revision, kMaxChanges);
  if (rows.empty()) return names.NotFound(article_id);
  CommentChanges changes;
  changes.epoch = epoch;
  changes.article_revision = rows[0]["revision"].as<int64_t>();
  changes.comment_count = rows[0]["comment_count"].as<int64_t>();
  if (changes.article_revision < after.revision) {
    return RevisionNotReached(ArticleName(article_id), after.revision, changes.article_revision);
  }
  if (rows[0]["comment_id"].is_null()) return changes;
  for (const auto& row : rows) changes.comments.push_back(ReadComment(row, Audience::kReaders));
  changes.comments.resize(CountFitting(changes.comments));
  changes.complete = rows.size() < kMaxChanges && changes.comments.size() == rows.size();
  if (!changes.complete) changes.article_revision = changes.comments.back().revision();
  return changes;
}

}  // namespace content::store
