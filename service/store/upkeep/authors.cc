#include "store/upkeep/authors.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "store/columns.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"

namespace content::store {
namespace {

constexpr int kExportPageSize = 200;
constexpr int kExportPageBytes = 1 << 20;

// How many comments one transaction erases: it keeps other writes to the article waiting.
constexpr int kErasureSize = 100;

// The index is of comments that have an author, and is used only if the statement says so too.
constexpr char kByAuthor[] = "c.author_id = $1 AND c.author_id <> ''";

// $1 author, $2 and $3 article key and comment id of the last row of the page before, $4 limit.
std::string SelectComments() {
  return absl::StrCat("SELECT ", kCommentColumns,
                      ", c.article_id || '/' || c.comment_id AS page_key "
                      "FROM comment c JOIN article_state s USING (article_id) WHERE ",
                      kByAuthor,
                      " AND (c.article_id, c.comment_id) > ($2, $3::uuid) "
                      "ORDER BY c.article_id, c.comment_id LIMIT $4::integer");
}

// A key that comes before every other.
constexpr char kFirstKey[] = "/00000000-0000-0000-0000-000000000000";

// $1 author.
std::string SelectFirstArticle() {
  return absl::StrCat("SELECT c.article_id FROM comment c WHERE ", kByAuthor,
                      " ORDER BY c.article_id, c.comment_id LIMIT 1");
}

// $1 author, $2 article key, $3 limit.
std::string SelectIds() {
  return absl::StrCat("SELECT c.comment_id FROM comment c WHERE ", kByAuthor,
                      " AND c.article_id = $2 ORDER BY c.comment_id LIMIT $3::integer");
}

// Some of the author's comments on an article.
std::set<StoredKey> FindSome(postgres::Transaction& transaction, const std::string& author_id,
                             const std::string& article_id) {
  static const std::string statement = SelectIds();
  std::set<StoredKey> keys;
  for (const auto& row : transaction.Exec(statement, author_id, article_id, kErasureSize)) {
    keys.insert({article_id, row["comment_id"].c_str()});
  }
  return keys;
}

}  // namespace

absl::StatusOr<Page<v1::Comment>> ExportAuthor(postgres::Connection& connection,
                                               const std::string& author_id,
                                               const std::string& after_key) {
  static const std::string statement = SelectComments();
  const std::string after = after_key.empty() ? kFirstKey : after_key;
  const std::pair<std::string, std::string> key = absl::StrSplit(after, '/');
  const postgres::Result rows =
      connection.Read(statement, author_id, key.first, key.second, kExportPageSize + 1);
  const auto read = [](const postgres::Row& row) {
    return ReadComment(row, Audience::kModerators);
  };
  return FillPage<v1::Comment>(rows, rows.size(), kExportPageSize, kExportPageBytes, read);
}

absl::StatusOr<ErasedComments> EraseAuthor(postgres::Connection& connection,
                                           const std::string& author_id, const Announce& announce) {
  static const std::string select_article = SelectFirstArticle();
  const absl::Time now = absl::Now();
  postgres::Transaction transaction(connection);
  const postgres::Result first = transaction.Exec(select_article, author_id);
  if (first.empty()) return ErasedComments{.complete = true};

  // The key is a name too, the first that the article had.
  std::optional<LockedArticle> article = LockArticle(transaction, first[0][0].c_str(), now);
  ErasedComments erased{.complete = false};
  Threads threads(transaction);
  // None, if others have erased them in the meantime.
  const std::set<StoredKey> comments = FindSome(transaction, author_id, article->id);
  threads.Read(comments);
  threads.ReadAbove(comments);
  for (const StoredKey& key : comments) {
    const StoredComment* comment = threads.Find(*article, key.comment_id);
    threads.Change(*article, key.comment_id, now, Tombstone(comment->message));
    ++erased.comment_count;
  }
  threads.Write();
  if (article->changed) WriteCounters(transaction, {&*article});
  if (erased.comment_count > 0) erased.articles.push_back(article->id);
  transaction.Commit();
  announce({NewsOf(*article)});
  return erased;
}

}  // namespace content::store
