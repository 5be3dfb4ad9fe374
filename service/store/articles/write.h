#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/article.h"
#include "content/request_key.h"
#include "content/v1/article.pb.h"
#include "postgres/transaction.h"
#include "store/audit/log.h"
#include "store/lock.h"
#include "store/request_log.h"

// The rules for writing articles; see content/publishing.h. They work in memory, on articles that
// are locked, so that one transaction can do many writes.
namespace content::store {

/// An article to create or replace.
struct Publication {
  /// The id in the article's name.
  std::string id;
  v1::Article article;
  PublishOptions options;
};

using ArticleWrite = std::variant<Publication, ArticleEdit, ArticleRename, ArticleRetraction>;

/// An article as the writes of a transaction have left it so far.
struct ArticleDraft {
  /// At revision 0 if the article is new. Without a key if it does not exist and is not created.
  LockedArticle locked = {};
  /// In FULL view. nullopt if it has no text yet.
  std::optional<v1::Article> article = std::nullopt;

  // What the transaction must write, besides the article's state if `locked.changed`.

  bool is_new = false;  // its state must be inserted
  bool has_new_text = false;
  bool has_new_labels = false;
  enum class Search { kUnchanged, kIndex, kRemove } search = Search::kUnchanged;
};

/// The data that a write uses.
struct ArticleScope {
  ArticleDraft& draft;
  RequestLog& requests;
  AuditLog& audit;
  /// Who makes the write; nullptr if that is not known.
  const Caller* caller;
  postgres::Transaction& transaction;
};

/// Returns the id of the article, as the caller gave it.
const std::string& ArticleOf(const ArticleWrite& write);

const RequestKey& RequestOf(const ArticleWrite& write);

/// Returns whether the write is only checked.
bool IsDryRun(const ArticleWrite& write);

/// Returns whether the write creates an article if none has the name.
bool WouldCreate(const ArticleWrite& write);

/// Returns the bytes that an article takes, including its labels: there is one for each pair of an
/// author and a tag.
size_t SizeOf(const v1::Article& article);

/// Returns the bytes that a write brings along, without those of the stored article.
size_t SizeOf(const ArticleWrite& write);

/// Applies a write to its draft, or replays its answer if the same request was done before. The
/// answer to a renaming is in BASIC view, that to a retraction has only the revision. A write that
/// fails changes nothing. One that changes something adds its event to the audit trail. Only
/// renamings and publications with former names use the transaction, for the names.
///
/// The write's request must have been read. A Publication must be complete (CompleteArticle).
absl::StatusOr<PublishedArticle> ApplyWrite(const ArticleScope& scope, const ArticleWrite& write);

}  // namespace content::store
