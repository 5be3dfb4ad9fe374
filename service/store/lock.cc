#include "store/lock.h"

#include "absl/strings/str_cat.h"
#include "store/rows.h"

namespace content::store {

std::optional<LockedArticle> LockArticle(Transaction& transaction, const std::string& name,
                                         absl::Time now) {
  static const std::string statement = absl::StrCat(
      "SELECT s.article_id, s.name, s.revision, s.comment_policy, s.retracted, (", IsReadable("$2"),
      ") AS readable FROM article_state s WHERE ", IsNamed("$1"), " FOR NO KEY UPDATE");
  const pqxx::result rows = transaction.Exec(statement, name, TimeParameter(now));
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  return LockedArticle{
      .id = row["article_id"].c_str(),
      .name = row["name"].c_str(),
      .revision = row["revision"].as<int64_t>(),
      .comment_policy = static_cast<v1::CommentPolicy>(row["comment_policy"].as<int>()),
      .retracted = row["retracted"].as<bool>(),
      .readable = row["readable"].as<bool>()};
}

}  // namespace content::store
