#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/call.h"
#include "content/publishing.h"
#include "content/store.h"
#include "transfer/exports/run.h"
#include "transfer/files.h"
#include "transfer/item_identity.h"
#include "transfer/parse.h"
#include "transfer/report.h"
#include "transfer/substack.h"

namespace content::transfer {

struct ImportOptions {
  /// Files, folders, and `-`.
  std::vector<std::string> paths;
  /// nullopt: each file's own.
  std::optional<FileFormat> format = std::nullopt;
  Overrides overrides = {};
  /// See ExportOptions.
  std::string source = {};
  std::vector<MappedAddress> map = {};
  /// The file that the report goes to, which is never imported; empty if there is none.
  std::string report_file = {};
  /// Whether articles take the place of those that have their ids and other content, and rename
  /// those that have their former names.
  bool replace = false;
  /// Who imports.
  std::shared_ptr<const Caller> caller = nullptr;
  /// Returns true once the import shall end. Thread-safe.
  std::function<bool()> is_stopped = [] { return false; };
};

/// Publishes the articles of files. Each gets an id (Parse), and goes to the store while others are
/// on their way, so that they share transactions: at most kMaxInFlight articles and, unless one
/// alone has more, kMaxBytesInFlight bytes. An article that cannot be taken in does not stop the
/// others.
///
/// Of two items that claim one id, the second gets its other name, or is refused. If both are one
/// item (item_identity.h), as in exports that overlap, the first stays: the second is unchanged or
/// a conflict. An id that an article in the store has is only given the item that this article is
/// (if only its title tells so, the id must be the file's name, and no other file of the run may
/// have that), or one whose file, or the user, names the id; and only if `replace` says so. Then an
/// article that has a former name of the item, and is the item, gets its id too. So nothing is lost
/// if an import runs again, and what is in already is reported as unchanged. Remembers the ids of a
/// run, some 250 bytes for each.
class Importer {
 public:
  static constexpr int kMaxInFlight = 1'000;
  static constexpr size_t kMaxBytesInFlight = size_t{16} << 20;

  /// `store` is nullptr for a dry run, which only checks the files. Both outlive this object.
  Importer(ImportOptions options, Store* store, Report& report);

  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  /// Blocks until every file is dealt with, until it is stopped and all that went to the store is
  /// answered, or until the store cannot be reached. Returns whether every file was dealt with.
  /// Call it once.
  bool Run();

 private:
  // An article on its way.
  struct Sent {
    ItemReport report;  // as far as it is known
    ItemIdentity identity;
    ParsedArticle parsed;  // without its article, unless that may be needed again
    std::string name;      // under which it is published
    size_t bytes;
    // The place of the same item, which has come in before in this run. Otherwise empty, and the
    // name is claimed.
    std::string earlier = {};
    std::string free_name = {};  // another name that is claimed and that no article has, or empty
    // Not at first: the name may lead to an article that had it before.
    bool may_replace = false;
    bool is_last_try = false;
    bool was_renamed = false;  // the article that is there, to have this name
    ExportRun::Landed landed;
  };

  // An item has claimed a name in this run.
  struct ClaimOfItem {
    std::string path;  // for people
    ItemIdentity identity;
    uint64_t content = 0;     // in a dry run: a digest of the article
    bool is_settled = false;  // the store has taken the article in
  };

  static std::string DescribeOwner(const Sent& sent, const InspectedArticle& owner);
  static Likeness Compare(const Sent& sent, const InspectedArticle& owner);
  static bool IsClearlyThatOf(const Sent& sent, Likeness likeness);
  static bool IsRenamed(const Sent& sent, const InspectedArticle& owner);
  static ClaimOfItem ClaimOf(const Sent& sent);
  bool IsStoreGone();
  bool IsGoingOn();
  void CountName(const FoundFile& file);
  bool HasOnlyName(const FoundFile& file) const;
  bool Import(const FoundFile& file);
  void ImportArticle(ItemReport item, absl::StatusOr<ParsedArticle> parsed,
                     ExportRun::Landed landed);
  void ReportRefusal(ItemReport item, const absl::Status& refusal);
  void FinishDryRun(ItemReport item, const v1::Article& article,
                    const std::optional<ClaimOfItem>& earlier);
  void Send(Sent sent);
  absl::StatusOr<std::optional<ClaimOfItem>> Claim(ParsedArticle& parsed, const ItemReport& item);
  std::optional<ClaimOfItem> FindClaim(const std::string& name);
  void LookForFormer(Sent sent, size_t index);
  void Rename(Sent sent, const InspectedArticle& owner);
  void Publish(Sent sent);
  void Land(Sent sent, absl::StatusOr<PublishedArticle> published);
  void TryOtherName(Sent sent);
  bool MayReplace(const Sent& sent, const InspectedArticle& owner) const;
  void AskOwner(Sent sent);
  void PublishInPlace(Sent sent, const InspectedArticle& owner);
  void PublishUnderFreeName(Sent sent);
  void Inspect(const std::string& name, Callback<InspectedArticle> done);
  void Fail(const Sent& sent, const absl::Status& status);
  void End(const Sent& sent, Outcome outcome, absl::string_view reason, absl::string_view problem);
  bool ClaimName(const std::string& name, ClaimOfItem claim);
  bool IsClaimed(const std::string& name);
  void GiveBack(const std::string& name);
  void TakePlace(size_t bytes);
  void Leave(size_t bytes);
  void AwaitAnswers();

  const ImportOptions options_;
  const std::optional<FileId> report_id_;
  Publishing* const publishing_;
  Report& report_;
  // Whether only one file of the run has a name, by its digest.
  absl::flat_hash_map<uint64_t, bool> file_names_;
  ListsOfPosts lists_of_posts_;
  ExportRun exports_;

  std::mutex mutex_;  // guards all that follow
  std::condition_variable changed_;
  int in_flight_ = 0;
  size_t bytes_in_flight_ = 0;
  bool is_store_gone_ = false;
  absl::flat_hash_map<std::string, ClaimOfItem> claims_;  // by name
};

}  // namespace content::transfer
