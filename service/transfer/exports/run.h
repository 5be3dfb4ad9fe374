#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/call.h"
#include "content/store.h"
#include "transfer/exports/addresses.h"
#include "transfer/exports/comment_spool.h"
#include "transfer/exports/delivery.h"
#include "transfer/exports/export.h"
#include "transfer/exports/formats.h"
#include "transfer/parse.h"
#include "transfer/report.h"

namespace content::transfer {

struct ExportOptions {
  Overrides overrides = {};
  /// Where comments come from, in the place of what their file says; see ImportCommentsRequest.
  std::string source = {};
  /// The articles of pages, before all that files say.
  std::vector<MappedAddress> map = {};
  /// Who imports.
  std::shared_ptr<const Caller> caller = nullptr;
  /// Returns true once the import shall end. Thread-safe.
  std::function<bool()> is_stopped = [] { return false; };
};

/// Brings in exports: hands on their articles, keeps their comments aside (CommentSpool), and
/// imports these once all articles of the run are in the store. So it does not matter where in
/// which file an article is.
///
/// The article of a comment is, in this order: that of --map, that with the key in the same file,
/// that with the key in another file of the same source, that with the address in this run, one in
/// the store that readers see and whose source_uri is the address, and the one whose id or former
/// id the address ends with. What comes from several pages of one article is one discussion.
///
/// Sites move to other hosts, but other sites have pages of the same names. So a path, or the end
/// of an address, is enough only if the address has no host, if the host is that of articles of the
/// run, or if the article's source_uri has the host. A path of several articles tells nothing.
/// Items that are left out keep their comments from all other articles.
///
/// Not thread-safe, except that articles may land on any thread.
class ExportRun {
 public:
  /// Takes the name of an article once the store has it, whether or not it is new.
  using Landed = std::function<void(const std::string& name)>;
  /// Publishes an article and reports on it, with what `item` says of it. Calls `landed` sooner or
  /// later, on any thread, if the article comes in.
  using PublishArticle =
      std::function<void(ItemReport item, absl::StatusOr<ParsedArticle> article, Landed landed)>;

  /// `store` is nullptr for a dry run. All outlive this object.
  ExportRun(ExportOptions options, Store* store, Report& report, PublishArticle publish);

  ExportRun(const ExportRun&) = delete;
  ExportRun& operator=(const ExportRun&) = delete;

  /// Reads an export. `head` is how it begins.
  void Read(const std::string& path, const ExportFormat& format, absl::string_view head);

  /// Imports the comments of all files. Call it once all articles have landed. Returns whether it
  /// came to the end: it was not stopped, and the store could be reached.
  bool ImportComments();

 private:
  class Sink;

  struct File {
    std::string path;
    std::string source;
  };

  // Comments that name one article in the same way.
  struct Thread {
    uint32_t file;
    std::string key;
    std::string address;
  };

  uint32_t AddArticle(uint32_t file, const ExportedArticle& article);
  uint32_t IndexFor(uint32_t file, const ExportedArticle& article);
  void AddLeftOut(uint32_t file, const ExportedArticle& article);
  void AddKey(uint32_t file, const std::string& key, uint32_t article);
  void Land(uint32_t article, const std::string& name);
  uint32_t ThreadOf(uint32_t file, const ExportedComment& comment);
  std::string NameOf(uint32_t article);
  std::optional<uint32_t> FindByKey(const Thread& thread) const;
  std::optional<std::string> FindInRun(const Thread& thread);
  // Returns the thread of the page that the address of this one shows in another way.
  static Thread PageOf(const Thread& thread);
  bool IsOfRun(absl::string_view address) const;
  std::vector<std::string> FindArticles();
  void FindInStore(const std::vector<uint32_t>& threads, std::vector<std::string>& articles);
  std::string Guess(const std::string& address);
  void VisitStored(absl::FunctionRef<void(const v1::Article&)> visit);
  std::vector<CommentGroup> MakeGroups();

  const ExportOptions options_;
  Store* const store_;
  Report& report_;
  const PublishArticle publish_;

  std::vector<File> files_;
  std::vector<Thread> threads_;
  absl::flat_hash_map<uint64_t, uint32_t> thread_ids_;
  absl::flat_hash_map<uint64_t, uint32_t> by_key_;
  absl::flat_hash_map<uint64_t, uint32_t> by_item_;
  AddressIndex by_address_;
  AddressIndex left_out_;
  AddressIndex mapped_;
  CommentSpool spool_;

  std::mutex mutex_;               // guards the names
  std::deque<std::string> names_;  // of the articles of the run
};

}  // namespace content::transfer
