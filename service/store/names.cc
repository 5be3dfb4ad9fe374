#include "store/names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "content/errors.h"
#include "content/names.h"
#include "content/uuid.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

constexpr size_t kMaxRecent = 100'000;

// $1 names (array).
constexpr char kSelectKeys[] =
    "SELECT name, article_key FROM article_name WHERE name = ANY ($1::text[])";

// $1 article keys (array).
constexpr char kSelectNames[] =
    "SELECT article_key, name FROM article_name WHERE article_key = ANY ($1::bigint[]) ORDER BY "
    "name";

// Takes the keys or, where they are 0, their random bits. The time in them is the database's.
const postgres::BulkStatement<3>& InsertNew() {
  static const postgres::BulkStatement<3> statement(
      R"sql(
INSERT INTO article_name (name, article_key)
SELECT n.name, CASE WHEN n.article_key > 0 THEN n.article_key
                    ELSE ((extract(epoch FROM now()) * 1000)::bigint << 21) | n.random_bits END
FROM $rows AS n (name, article_key, random_bits) ORDER BY n.name
ON CONFLICT DO NOTHING
RETURNING name, article_key
)sql",
      std::array{"text", "bigint", "bigint"});
  return statement;
}
static_assert(ArticleKey::kRandomBits == 21);

// The keys of articles that are created together have the same time, so they differ in these bits.
uint64_t UnusedBits(std::set<uint64_t>& used) {
  constexpr uint64_t kMask = (uint64_t{1} << ArticleKey::kRandomBits) - 1;
  while (true) {
    const auto [bits, is_unused] = used.insert(RandomBits() & kMask);
    if (is_unused) return *bits;
  }
}

// $1 name, $2 article key.
constexpr char kInsertName[] =
    "INSERT INTO article_name (name, article_key) VALUES ($1, $2::bigint) ON CONFLICT DO NOTHING";

// $1 names (array), $2 article key.
constexpr char kInsertNames[] =
    "INSERT INTO article_name (name, article_key) "
    "SELECT n.name, $2::bigint FROM unnest($1::text[]) AS n (name) ORDER BY n.name "
    "ON CONFLICT DO NOTHING RETURNING name";

// Calls `read` with the keys as a parameter.
template <class Read>
NamesByKey ReadFormerNamesWith(const std::map<ArticleKey, std::string>& current_names, Read read) {
  std::vector<ArticleKey> keys;
  for (const auto& [key, name] : current_names) keys.push_back(key);
  NamesByKey former_names;
  for (const auto& row : read(KeysParameter(keys))) {
    const ArticleKey key = ReadKey(row["article_key"]);
    std::string name = row["name"].c_str();
    if (name != current_names.at(key)) former_names[key].push_back(std::move(name));
  }
  return former_names;
}

}  // namespace

std::vector<std::optional<ArticleKey>> ArticleNames::Find(postgres::Connection& connection,
                                                          const std::vector<std::string>& names) {
  return FindWith(
      names, [&](const std::string& unknown) { return connection.Read(kSelectKeys, unknown); });
}

std::vector<std::optional<ArticleKey>> ArticleNames::Find(postgres::Transaction& transaction,
                                                          const std::vector<std::string>& names) {
  return FindWith(names, [&](const std::string& unknown) {
    return transaction.ExecWithQueued(kSelectKeys, unknown);
  });
}

std::optional<ArticleKey> ArticleNames::Find(postgres::Connection& connection,
                                             const std::string& name) {
  return Find(connection, std::vector{name}).front();
}

std::optional<ArticleKey> ArticleNames::Find(postgres::Transaction& transaction,
                                             const std::string& name) {
  return Find(transaction, std::vector{name}).front();
}

template <class Read>
std::vector<std::optional<ArticleKey>> ArticleNames::FindWith(const std::vector<std::string>& names,
                                                              Read read) {
  std::vector<std::optional<ArticleKey>> keys(names.size());
  std::vector<std::string> unknown;
  int64_t generation = 0;
  Keys dropped;  // freed after mutex_ is released
  {
    const std::lock_guard lock(mutex_);
    generation = generation_;
    for (size_t i = 0; i < names.size(); ++i) {
      keys[i] = RecallLocked(names[i], dropped);
      if (!keys[i]) unknown.push_back(names[i]);
    }
  }
  if (unknown.empty()) return keys;
  Keys found;
  for (const auto& row : read(ArrayParameter(unknown))) {
    found.try_emplace(row["name"].c_str(), ReadKey(row["article_key"]));
  }
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < names.size(); ++i) {
    if (keys[i]) continue;
    if (const auto key = found.find(names[i]); key != found.end()) keys[i] = key->second;
  }
  // What was read before Clear may be of a database that is gone.
  if (generation == generation_) {
    for (const auto& [name, key] : found) RememberLocked(name, key, dropped);
  }
  return keys;
}

std::optional<ArticleKey> ArticleNames::Recall(const std::string& name) {
  Keys dropped;
  const std::lock_guard lock(mutex_);
  return RecallLocked(name, dropped);
}

void ArticleNames::Forget(const std::string& name) {
  const std::lock_guard lock(mutex_);
  recent_.erase(name);
  older_.erase(name);
}

absl::Status ArticleNames::NotFound(const std::string& name) {
  Forget(name);
  return ArticleNotFound(ArticleName(name));
}

void ArticleNames::Clear() {
  Keys recent, older;  // freed after mutex_ is released
  const std::lock_guard lock(mutex_);
  ++generation_;
  recent.swap(recent_);
  older.swap(older_);
}

std::optional<ArticleKey> ArticleNames::RecallLocked(const std::string& name, Keys& dropped) {
  if (const auto entry = recent_.find(name); entry != recent_.end()) return entry->second;
  const auto entry = older_.find(name);
  if (entry == older_.end()) return std::nullopt;
  const ArticleKey key = entry->second;
  older_.erase(entry);
  RememberLocked(name, key, dropped);
  return key;
}

void ArticleNames::RememberLocked(const std::string& name, ArticleKey key, Keys& dropped) {
  if (recent_.size() >= kMaxRecent) {
    dropped = std::exchange(older_, std::exchange(recent_, {}));
  }
  recent_.insert_or_assign(name, key);
}

NamesByKey ReadFormerNames(postgres::Connection& connection,
                           const std::map<ArticleKey, std::string>& current_names) {
  return ReadFormerNamesWith(
      current_names, [&](const std::string& keys) { return connection.Read(kSelectNames, keys); });
}

NamesByKey ReadFormerNames(postgres::Transaction& transaction,
                           const std::map<ArticleKey, std::string>& current_names) {
  return ReadFormerNamesWith(
      current_names, [&](const std::string& keys) { return transaction.Exec(kSelectNames, keys); });
}

std::map<std::string, ArticleKey> ReadKeys(postgres::Transaction& transaction,
                                           const std::vector<std::string>& names) {
  std::map<std::string, ArticleKey> keys;
  for (const auto& row : transaction.ExecWithQueued(kSelectKeys, ArrayParameter(names))) {
    keys.emplace(row["name"].c_str(), ReadKey(row["article_key"]));
  }
  return keys;
}

std::set<ArticleKey> KeysInUse(postgres::Transaction& transaction,
                               const std::vector<ArticleKey>& keys) {
  std::set<ArticleKey> used;
  for (const auto& row : transaction.ExecWithQueued(kSelectNames, KeysParameter(keys))) {
    used.insert(ReadKey(row["article_key"]));
  }
  return used;
}

std::map<std::string, ArticleKey> TakeNames(postgres::Transaction& transaction,
                                            const std::vector<std::string>& names,
                                            const std::map<std::string, ArticleKey>& wanted) {
  std::map<std::string, ArticleKey> keys;
  if (names.empty()) return keys;
  postgres::Rows<3> rows;
  std::set<uint64_t> used;
  for (const std::string& name : names) {
    const auto key = wanted.find(name);
    rows.Add(name, key == wanted.end() ? 0 : key->second.value(), UnusedBits(used));
  }
  for (const auto& row : InsertNew().Exec(transaction, rows)) {
    keys.emplace(row["name"].c_str(), ReadKey(row["article_key"]));
  }
  return keys;
}

bool TakeName(postgres::Transaction& transaction, const std::string& name, ArticleKey key) {
  if (transaction.Exec(kInsertName, name, key.value()).affected_rows() == 1) return true;
  const postgres::Result rows = transaction.Exec(kSelectKeys, ArrayParameter({name}));
  return ReadKey(rows[0]["article_key"]) == key;
}

std::vector<std::string> TakeNames(postgres::Transaction& transaction,
                                   const std::set<std::string>& names, ArticleKey key) {
  if (names.empty()) return {};
  std::set<std::string> refused = names;
  const std::string listed = ArrayParameter({names.begin(), names.end()});
  for (const auto& row : transaction.Exec(kInsertNames, listed, key.value())) {
    refused.erase(row["name"].c_str());
  }
  return {refused.begin(), refused.end()};
}

}  // namespace content::store
