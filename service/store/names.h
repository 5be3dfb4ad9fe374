#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "postgres/connection.h"
#include "postgres/transaction.h"
#include "store/article_key.h"

// Names of articles. Only the statements here use article_name, whose key is not the article's: all
// others take the article's key. Functions throw like postgres::Connection.
namespace content::store {

/// Finds the keys of articles by any name that they have or had, in memory or else in the database:
///
///   const std::optional<ArticleKey> key = names.Find(connection, "some-id");
///
/// A name never gets another article, so what is remembered stays right, unless a failover or a
/// restore loses commits. Therefore call Forget if the article of a key is not there, and Clear
/// before a session of another database or timeline is used. Names that no article has are not
/// remembered. Remembers 100,000 to 200,000 names, in at most 30 MB.
///
/// Thread-safe.
class ArticleNames {
 public:
  /// Returns the keys of the articles with these names, which may repeat, in the same order;
  /// nullopt if no article has or had the name. Runs at most one statement.
  std::vector<std::optional<ArticleKey>> Find(postgres::Connection& connection,
                                              const std::vector<std::string>& names);
  std::vector<std::optional<ArticleKey>> Find(postgres::Transaction& transaction,
                                              const std::vector<std::string>& names);

  /// The same for one name.
  std::optional<ArticleKey> Find(postgres::Connection& connection, const std::string& name);
  std::optional<ArticleKey> Find(postgres::Transaction& transaction, const std::string& name);

  /// Returns the key if it is in memory.
  std::optional<ArticleKey> Recall(const std::string& name);

  void Forget(const std::string& name);

  /// Forgets the name and returns ARTICLE_NOT_FOUND.
  absl::Status NotFound(const std::string& name);

  /// Forgets all names, also those that other threads are reading from the database.
  void Clear();

 private:
  template <class Read>
  std::vector<std::optional<ArticleKey>> FindWith(const std::vector<std::string>& names, Read read);

  using Keys = absl::flat_hash_map<std::string, ArticleKey>;

  // Require mutex_. Names that are forgotten for the new one are moved to `dropped`: to free them
  // takes milliseconds.
  std::optional<ArticleKey> RecallLocked(const std::string& name, Keys& dropped);
  void RememberLocked(const std::string& name, ArticleKey key, Keys& dropped);

  std::mutex mutex_;
  // Once there are kMaxRecent, the recent ones become the older ones, and those are dropped. A name
  // that is used becomes a recent one. Guarded by mutex_.
  Keys recent_;
  Keys older_;
  int64_t generation_ = 0;  // how often Clear was called; guarded by mutex_
};

/// Returns the former names of articles, sorted, by key. Takes their current names. The result has
/// no entry for an article without former names.
using NamesByKey = std::map<ArticleKey, std::vector<std::string>>;
NamesByKey ReadFormerNames(postgres::Connection& connection,
                           const std::map<ArticleKey, std::string>& current_names);
NamesByKey ReadFormerNames(postgres::Transaction& transaction,
                           const std::map<ArticleKey, std::string>& current_names);

/// Returns the keys of the articles that have or had these names, by name. Asks the database, not
/// the memory.
std::map<std::string, ArticleKey> ReadKeys(postgres::Transaction& transaction,
                                           const std::vector<std::string>& names);

/// Returns those of the keys that articles have.
std::set<ArticleKey> KeysInUse(postgres::Transaction& transaction,
                               const std::vector<ArticleKey>& keys);

/// Gives each of these names to a new article and returns the articles' keys, without the names
/// that articles have or had. `wanted` are the keys, not in use, that some shall have. Waits for
/// concurrent transactions that give the same names. Takes them in the same order, so that these do
/// not deadlock.
std::map<std::string, ArticleKey> TakeNames(postgres::Transaction& transaction,
                                            const std::vector<std::string>& names,
                                            const std::map<std::string, ArticleKey>& wanted = {});

/// Gives the name to an article. Returns false if another article has or had it.
bool TakeName(postgres::Transaction& transaction, const std::string& name, ArticleKey key);

/// Gives these names, of which the article has none, to it. Returns those that other articles have
/// or had, sorted.
std::vector<std::string> TakeNames(postgres::Transaction& transaction,
                                   const std::set<std::string>& names, ArticleKey key);

}  // namespace content::store
