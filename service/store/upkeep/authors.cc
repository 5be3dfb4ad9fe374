#include "store/upkeep/authors.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/errors.h"
#include "google/protobuf/util/time_util.h"
#include "store/columns.h"
#include "store/comments/comment_tree.h"
#include "store/comments/reports.h"
#include "store/lock.h"

namespace content::store {
namespace {

constexpr int kExportPageSize = 200;
constexpr int kExportPageBytes = 1 << 20;

// Maximum number of comments erased by one transaction, because other writes to the article wait
// for it.
constexpr int kMaxErased = 100;

// The second condition is the index's: it holds only comments that have an author.
constexpr char kByAuthor[] = "c.author_id = $1 AND c.author_id <> ''";

// $1 author, $2 and $3 article key and comment id of the last row of the page before, $4 limit.
std::string SelectCommentsOfAuthor() {
  return absl::StrCat("SELECT ", CommentColumns(),
                      ", c.article_key || '/' || c.comment_id AS page_key "
                      "FROM comment c",
                      kJoinArticles, "WHERE ", kByAuthor,
                      " AND (c.article_key, c.comment_id) > ($2::bigint, $3::uuid) "
                      "ORDER BY c.article_key, c.comment_id LIMIT $4::integer");
}

// Comes before every other key.
constexpr char kFirstKey[] = "0/00000000-0000-0000-0000-000000000000";

// $1 author. `joined` joins other tables.
std::string SelectFirstArticle(absl::string_view joined = "") {
  return absl::StrCat("SELECT c.article_key FROM comment c ", joined, " WHERE ", kByAuthor,
                      " ORDER BY c.article_key, c.comment_id LIMIT 1");
}

// $1 author, $2 bucket, $3 article key, $4 limit.
std::string SelectIds() {
  return absl::StrCat("SELECT c.comment_id FROM comment c WHERE ", kByAuthor,
                      " AND c.bucket = $2::smallint AND c.article_key = $3::bigint "
                      "ORDER BY c.comment_id LIMIT $4::integer");
}

// $1 reporter.
constexpr char kSelectReportedArticle[] =
    "SELECT r.article_key FROM comment_report r WHERE r.reporter_id = $1 "
    "ORDER BY r.article_key, r.comment_id LIMIT 1";

// $1 reporter, $2 bucket, $3 article key, $4 limit.
constexpr char kSelectReportedComments[] =
    "SELECT r.comment_id FROM comment_report r WHERE r.reporter_id = $1 "
    "AND r.bucket = $2::smallint AND r.article_key = $3::bigint "
    "ORDER BY r.comment_id LIMIT $4::integer";

// $1 reporter, $2 bucket, $3 article key, $4 comment ids.
constexpr char kDeleteReports[] =
    "DELETE FROM comment_report WHERE reporter_id = $1 "
    "AND bucket = $2::smallint AND article_key = $3::bigint AND comment_id = ANY ($4::uuid[])";

// Keys of some of the author's comments on an article.
std::set<StoredKey> FindKeys(postgres::Transaction& transaction, const std::string& author_id,
                             ArticleKey article) {
  static const std::string statement = SelectIds();
  std::set<StoredKey> keys;
  for (const auto& row :
       transaction.Exec(statement, author_id, article.bucket(), article.value(), kMaxErased)) {
    keys.insert({article, row["comment_id"].c_str()});
  }
  return keys;
}

// Returns whether an attempt was committed. The article's lock, which the attempt held, ensures
// that it has ended. No other write leaves the same comment with the same etag and time.
bool WasCommitted(postgres::Transaction& transaction, const LockedArticle& article,
                  const ErasureAttempt& attempt) {
  CommentTree tree(transaction);
  tree.Read({attempt.key});
  const StoredComment* const comment = tree.Find(article, attempt.key.comment_id);
  return comment != nullptr && comment->message.state() == attempt.tombstone.state() &&
         comment->message.etag() == attempt.tombstone.etag() &&
         comment->message.update_time() == attempt.tombstone.update_time();
}

// Returns what the attempt did if it was committed, otherwise nullopt. Commits the lock, because
// the attempt may be committed on this host only, and this commit waits for a standby.
std::optional<ErasedComments> AnswerIfCommitted(postgres::Connection& connection,
                                                const ErasureAttempt& attempt,
                                                const Announce& announce) {
  postgres::Transaction transaction(connection);
  const auto article = LockArticle(transaction, attempt.key.article);
  if (!article || !WasCommitted(transaction, *article, attempt)) return std::nullopt;
  transaction.Commit();
  announce({NoticeOf(*article)});
  return attempt.erased;
}

// Erases comments on the article. Returns nullopt if the author has none left there.
std::optional<ErasureAttempt> EraseSome(postgres::Transaction& transaction, LockedArticle& article,
                                        const std::string& author_id) {
  const std::set<StoredKey> keys = FindKeys(transaction, author_id, article.key);
  if (keys.empty()) return std::nullopt;
  CommentTree tree(transaction);
  tree.Read(keys);
  tree.ReadAbove(keys);
  ErasureAttempt attempt{.erased = {.articles = {article.first_name}, .complete = false},
                         .key = *keys.begin(),
                         .tombstone = {}};
  for (const StoredKey& key : keys) {
    const StoredComment* const comment = tree.Find(article, key.comment_id);
    if (comment == nullptr) continue;  // not possible under the lock
    attempt.key = key;
    attempt.tombstone = tree.Change(article, *comment, article.now, Tombstone(comment->message));
    ++attempt.erased.comment_count;
  }
  tree.Write();
  WriteCounters(transaction, {&article});
  return attempt;
}

// Erases some of the reports that the reader has made, of comments on one article. Returns whether
// there may be more.
absl::StatusOr<bool> EraseReports(postgres::Transaction& transaction,
                                  const std::string& reporter_id) {
  const postgres::Result first = transaction.Exec(kSelectReportedArticle, reporter_id);
  if (first.empty()) return false;
  const auto article = LockArticle(transaction, ReadKey(first[0]["article_key"]));
  // If the database is damaged, nobody else writes to the article either.
  const ArticleKey key = article ? article->key : ReadKey(first[0]["article_key"]);
  std::vector<std::string> ids;
  std::set<StoredKey> comments;
  for (const auto& row : transaction.Exec(kSelectReportedComments, reporter_id, key.bucket(),
                                          key.value(), kMaxErased)) {
    ids.push_back(row["comment_id"].c_str());
    comments.insert({key, ids.back()});
  }
  transaction.Exec(kDeleteReports, reporter_id, key.bucket(), key.value(), ArrayParameter(ids));
  CommentReports others(transaction);
  others.Read(comments, {});
  for (const StoredKey& comment : comments) others.Recount(comment);
  others.Write();
  return true;
}

}  // namespace

absl::StatusOr<Page<v1::Comment>> ExportAuthor(postgres::Connection& connection,
                                               const std::string& author_id,
                                               const std::string& after_key) {
  static const std::string statement = SelectCommentsOfAuthor();
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
                                           const std::string& author_id,
                                           std::optional<ErasureAttempt>& attempt,
                                           const Announce& announce) {
  if (attempt) {
    auto erased = AnswerIfCommitted(connection, *attempt, announce);
    if (erased) return *std::move(erased);
  }
  static const std::string select_article = SelectFirstArticle();
  static const std::string select_next_article =
      SelectFirstArticle("JOIN article_state s USING (bucket, article_key)");
  postgres::Transaction transaction(connection);
  postgres::Result first = transaction.Exec(select_article, author_id);
  if (first.empty()) {
    const absl::StatusOr<bool> more = EraseReports(transaction, author_id);
    if (!more.ok()) return more.status();
    // Those who erased the last ones may have lost their connection before a standby had that.
    if (!*more) WriteNothing(transaction);
    transaction.Commit();
    return ErasedComments{.complete = !*more};
  }
  std::optional<LockedArticle> found = LockArticle(transaction, ReadKey(first[0]["article_key"]));
  if (!found) {  // the database is damaged; the others are erased all the same
    first = transaction.Exec(select_next_article, author_id);
    if (!first.empty()) found = LockArticle(transaction, ReadKey(first[0]["article_key"]));
  }
  if (!found) return Internal("the author has comments on an article that article_state lacks");

  LockedArticle& article = *found;
  attempt = EraseSome(transaction, article, author_id);
  // Others may have erased them before the lock was taken. There may be more on other articles.
  if (!attempt) return ErasedComments{.complete = false};
  transaction.Commit();
  announce({NoticeOf(article)});
  return attempt->erased;
}

}  // namespace content::store
