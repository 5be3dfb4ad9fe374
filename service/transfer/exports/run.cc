#include "transfer/exports/run.h"

#include <algorithm>
#include <future>
#include <map>
#include <tuple>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/await.h"
#include "base/digest.h"
#include "base/errors.h"
#include "content/names.h"
#include "content/normalize.h"
#include "content/rules.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/imported_comment.h"
#include "transfer/ids.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

// Comments that are brought into their form together.
constexpr size_t kMaxTaken = 500;
constexpr size_t kMaxTakenBytes = size_t{1} << 20;

constexpr int kStoredPage = 200;
constexpr size_t kMaxSourceBytes = 100;
constexpr size_t kOriginBytes = 12;

// In the place of an article: an item that was left out.
constexpr uint32_t kNoArticle = UINT32_MAX;

std::string SourceOf(const ExportFormat& format, absl::string_view origin) {
  if (origin.empty()) return std::string(format.name);
  std::string source = absl::StrCat(format.name, ":", origin);
  if (source.size() <= kMaxSourceBytes) return source;
  const std::string digest = Digest({origin}).substr(0, kOriginBytes);
  return absl::StrCat(format.name, ":", absl::BytesToHexString(digest));
}

// An article of this service has everything that it needs.
absl::StatusOr<ParsedArticle> TakeAsItIs(ExportedArticle exported) {
  v1::Article& article = exported.file.article;
  NormalizeMessage(article);
  Violations violations;
  CheckArticle(article, "article", violations);
  if (article.name().empty()) violations.Add("article.name", "is required");
  absl::Status status = violations.ToStatus();
  if (status.ok()) status = CompleteArticle("article", article);
  if (!status.ok()) return Refuse("bad field", absl::StripPrefix(status.message(), "article."));
  return ParsedArticle{.article = std::move(article),
                       .is_dated = true,
                       .former_names = std::move(exported.file.former_names),
                       .restoration = exported.restoration};
}

}  // namespace

// Takes the items of one file. What is made of comments takes longer than reading them, so another
// thread makes it of some, while the next are read.
class ExportRun::Sink : public ExportSink {
 public:
  Sink(ExportRun& run, const ExportFormat& format, uint32_t file)
      : run_(run), format_(format), file_(file) {}

  void SetOrigin(absl::string_view origin) override {
    KeepTaken();
    AwaitKept();  // it needs the origin
    if (run_.options_.source.empty()) run_.files_[file_].source = SourceOf(format_, origin);
  }

  bool Take(ExportedArticle exported) override {
    if (!exported.left_out.empty()) {
      run_.AddLeftOut(file_, exported);
      return LeaveOut(ItemKind::kArticle, exported.label, exported.left_out);
    }
    run_.report_.Expect(1);
    const uint32_t article = run_.AddArticle(file_, exported);
    ItemReport item{.outcome = Outcome::kValid, .path = path(), .item = std::move(exported.label)};
    run_.publish_(
        std::move(item),
        exported.restoration ? TakeAsItIs(std::move(exported)) : Complete(std::move(exported)),
        [this_run = &run_, article](const std::string& name) { this_run->Land(article, name); });
    return GoesOn();
  }

  bool Take(ExportedComment comment) override {
    const uint32_t thread = run_.ThreadOf(file_, comment);
    const bool is_huge = comment.body.size() > kMaxTakenBytes;
    taken_bytes_ += comment.body.size();
    taken_.emplace_back(thread, std::move(comment));
    if (taken_.size() >= kMaxTaken || taken_bytes_ >= kMaxTakenBytes) KeepTaken();
    if (is_huge) AwaitKept();  // no two of them in memory
    return GoesOn();
  }

  bool LeaveOut(ItemKind kind, absl::string_view label, absl::string_view reason) override {
    Add(kind, Outcome::kLeftOut, label, reason, "");
    return GoesOn();
  }

  bool Refuse(ItemKind kind, absl::string_view label, absl::string_view problem) override {
    Add(kind, Outcome::kRefused, label, "cannot be read", problem);
    return GoesOn();
  }

  bool is_stopped() const override { return !GoesOn(); }

  // Keeps the last comments aside. An error if that was not possible for all.
  absl::Status Finish() {
    KeepTaken();
    AwaitKept();
    return status_;
  }

 private:
  using Taken = std::vector<std::pair<uint32_t, ExportedComment>>;  // with their threads

  // Begins to keep aside what was taken, after what was taken before.
  void KeepTaken() {
    if (taken_.empty()) return;
    AwaitKept();
    kept_ = std::async(std::launch::async, [this, taken = std::exchange(taken_, {})]() mutable {
      return Keep(std::move(taken));
    });
    taken_bytes_ = 0;
  }

  void AwaitKept() {
    if (kept_.valid()) status_.Update(kept_.get());
  }

  // Runs on a thread of its own.
  absl::Status Keep(Taken taken) const {
    for (auto& [thread, comment] : taken) {
      const std::string label = absl::StrCat(
          "comment ", comment.source_id.empty() ? comment.comment_id : comment.source_id);
      const absl::StatusOr<SpooledComment> spooled =
          ToImportedComment(std::move(comment), run_.files_[file_].source);
      if (!spooled.ok()) {
        Add(ItemKind::kComment, Outcome::kRefused, label, ReasonOfRefusal(spooled.status()),
            spooled.status().message());
        continue;
      }
      run_.report_.Expect(1);
      if (absl::Status status = run_.spool_.Add(thread, *spooled); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const std::string& path() const { return run_.files_[file_].path; }

  absl::StatusOr<ParsedArticle> Complete(ExportedArticle exported) const {
    absl::StatusOr<ParsedArticle> parsed =
        CompleteExported(std::move(exported.file), exported.key, run_.options_.overrides);
    if (parsed.ok()) {
      parsed->source = run_.files_[file_].source;
      parsed->key = std::move(exported.key);
    }
    return parsed;
  }

  bool GoesOn() const { return status_.ok() && !run_.options_.is_stopped(); }

  // Thread-safe.
  void Add(ItemKind kind, Outcome outcome, absl::string_view label, absl::string_view reason,
           absl::string_view problem) const {
    run_.report_.Expect(1);
    run_.report_.Add({.is_comment = kind == ItemKind::kComment,
                      .outcome = outcome,
                      .path = path(),
                      .item = std::string(label),
                      .reason = std::string(reason),
                      .problems = std::string(problem)});
  }

  ExportRun& run_;
  const ExportFormat& format_;
  const uint32_t file_;
  Taken taken_;
  size_t taken_bytes_ = 0;
  absl::Status status_;  // of what was kept
  std::future<absl::Status> kept_;
};

ExportRun::ExportRun(ExportOptions options, Store* store, Report& report, PublishArticle publish)
    : options_(std::move(options)), store_(store), report_(report), publish_(std::move(publish)) {
  for (uint32_t i = 0; i < options_.map.size(); ++i) mapped_.Add(options_.map[i].address, i);
}

void ExportRun::Read(const std::string& path, const ExportFormat& format, absl::string_view head) {
  const auto file_index = static_cast<uint32_t>(files_.size());
  files_.push_back({path, options_.source.empty() ? SourceOf(format, "") : options_.source});
  Sink sink(*this, format, file_index);
  const absl::StatusOr<std::unique_ptr<ExportFile>> file = ExportFile::Open(path, head);
  absl::Status status = file.ok() ? format.read(**file, sink) : file.status();
  status.Update(sink.Finish());
  if (status.ok()) return report_.FinishFile();
  report_.Add({.outcome = Outcome::kRefused,
               .path = path,
               .reason = "cannot be read",
               .problems = std::string(status.message())});
}

uint32_t ExportRun::AddArticle(uint32_t file, const ExportedArticle& article) {
  const uint32_t index = IndexFor(file, article);
  AddKey(file, article.key, index);
  for (const std::string& address : article.addresses) by_address_.Add(address, index);
  return index;
}

// Copies of an item, as in exports that overlap, have one index: that of whichever comes in. So
// their address is that of one article.
uint32_t ExportRun::IndexFor(uint32_t file, const ExportedArticle& article) {
  const std::lock_guard lock(mutex_);
  const auto next = static_cast<uint32_t>(names_.size());
  if (!article.key.empty() && !article.addresses.empty()) {
    const v1::Article& fields = article.file.article;
    const uint64_t item =
        absl::HashOf(files_[file].source, article.key, HostOf(fields.source_uri()), fields.name());
    const auto [found, is_new] = by_item_.try_emplace(item, next);
    if (!is_new) return found->second;
  }
  names_.emplace_back();
  return next;
}

void ExportRun::AddLeftOut(uint32_t file, const ExportedArticle& article) {
  AddKey(file, article.key, kNoArticle);
  for (const std::string& address : article.addresses) left_out_.Add(address, kNoArticle);
}

// The first article of a key keeps it.
void ExportRun::AddKey(uint32_t file, const std::string& key, uint32_t article) {
  if (key.empty()) return;
  for (const uint64_t id : {absl::HashOf(file, key), absl::HashOf(files_[file].source, key)}) {
    const auto [found, is_new] = by_key_.try_emplace(id, article);
    if (!is_new && found->second == kNoArticle) found->second = article;
  }
}

// Runs on any thread.
void ExportRun::Land(uint32_t article, const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_[article] = name;
}

std::string ExportRun::NameOf(uint32_t article) {
  if (article == kNoArticle) return "";
  const std::lock_guard lock(mutex_);
  return names_[article];
}

uint32_t ExportRun::ThreadOf(uint32_t file, const ExportedComment& comment) {
  const uint64_t id = absl::HashOf(file, comment.article_key, comment.address);
  const auto [thread, is_new] = thread_ids_.try_emplace(id, static_cast<uint32_t>(threads_.size()));
  if (is_new) threads_.push_back({file, comment.article_key, comment.address});
  return thread->second;
}

std::optional<uint32_t> ExportRun::FindByKey(const Thread& thread) const {
  if (thread.key.empty()) return std::nullopt;
  auto found = by_key_.find(absl::HashOf(thread.file, thread.key));
  if (found == by_key_.end()) {
    found = by_key_.find(absl::HashOf(files_[thread.file].source, thread.key));
  }
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

// Returns whether a page may be one of the sites of the run.
bool ExportRun::IsOfRun(absl::string_view address) const {
  return HostOf(address).empty() || by_address_.HasHost(address);
}

// Returns the article of a thread, empty if that has not come in; nullopt if the run does not know
// it.
std::optional<std::string> ExportRun::FindInRun(const Thread& thread) {
  std::optional<uint32_t> mapped = mapped_.Find(thread.address);
  if (!mapped) mapped = mapped_.Find(thread.key);
  if (mapped) return options_.map[*mapped].article;
  std::optional<uint32_t> article = FindByKey(thread);
  if (!article) article = by_address_.Find(thread.address);
  if (!article) article = left_out_.Find(thread.address);
  if (!article && by_address_.HasHost(thread.address)) {
    article = by_address_.FindByPath(thread.address);
  }
  // Nothing tells which of several pages it is, or it is one that is left out.
  const bool is_ambiguous = IsOfRun(thread.address) && by_address_.IsAmbiguous(thread.address);
  if (!article && (is_ambiguous || left_out_.HasPath(thread.address))) article = kNoArticle;
  return article ? std::optional(NameOf(*article)) : std::nullopt;
}

ExportRun::Thread ExportRun::PageOf(const Thread& thread) {
  return {thread.file, thread.key, AddressOfPage(thread.address)};
}

std::vector<std::string> ExportRun::FindArticles() {
  std::vector<std::string> articles(threads_.size());
  std::vector<uint32_t> unknown;
  for (uint32_t i = 0; i < threads_.size(); ++i) {
    std::optional<std::string> article = FindInRun(threads_[i]);
    if (!article) article = FindInRun(PageOf(threads_[i]));
    if (article) {
      articles[i] = *std::move(article);
    } else if (!threads_[i].address.empty()) {
      unknown.push_back(i);
    }
  }
  if (!unknown.empty() && store_ != nullptr) FindInStore(unknown, articles);
  return articles;
}

// Looks at all articles of the store for the addresses of threads that the run does not know.
void ExportRun::FindInStore(const std::vector<uint32_t>& threads,
                            std::vector<std::string>& articles) {
  AddressIndex wanted;
  for (const uint32_t thread : threads) {
    wanted.Add(threads_[thread].address, thread);
    wanted.Add(AddressOfPage(threads_[thread].address), thread);
  }
  AddressIndex stored;
  std::vector<std::string> names;
  VisitStored([&](const v1::Article& article) {
    if (article.source_uri().empty() || !wanted.HasPath(article.source_uri())) return;
    stored.Add(article.source_uri(), static_cast<uint32_t>(names.size()));
    names.push_back(article.name());
  });
  for (const uint32_t thread : threads) {
    if (options_.is_stopped()) return;
    const std::string page = AddressOfPage(threads_[thread].address);
    const bool is_of_run = IsOfRun(page);
    std::optional<uint32_t> found = stored.Find(threads_[thread].address);
    if (!found) found = stored.Find(page);
    if (!found && is_of_run) found = stored.FindByPath(page);
    if (found) {
      articles[thread] = names[*found];
    } else if (!is_of_run || !stored.IsAmbiguous(page)) {
      articles[thread] = Guess(page);
    }
  }
}

// Returns the article whose id, or former id, the address ends with; empty if there is none of the
// same site.
std::string ExportRun::Guess(const std::string& address) {
  const std::string id = IdFromAddress(address);
  if (id.empty()) return "";
  if (IsOfRun(address)) return ArticleName(id);  // the import of comments looks for it
  const absl::StatusOr<InspectedArticle> found = Await<InspectedArticle>(
      [&](auto done) { store_->InspectArticle({.caller = options_.caller}, id, std::move(done)); });
  const bool is_of_site =
      found.ok() && !found->retracted && HostOf(found->article.source_uri()) == HostOf(address);
  return is_of_site ? found->article.name() : "";
}

void ExportRun::VisitStored(absl::FunctionRef<void(const v1::Article&)> visit) {
  ArticleQuery query{.page_size = kStoredPage};
  do {
    absl::StatusOr<Page<v1::Article>> page = Await<Page<v1::Article>>([&](auto done) {
      store_->ListArticles({.caller = options_.caller}, query, std::move(done));
    });
    if (!page.ok()) return;  // the import of comments will say why
    for (const v1::Article& article : page->items) visit(article);
    query.after_key = std::move(page->next_key);
  } while (!query.after_key.empty() && !options_.is_stopped());
}

// Sorts the comments by their articles.
std::vector<CommentGroup> ExportRun::MakeGroups() {
  const std::vector<std::string> articles = FindArticles();
  std::vector<CommentGroup> groups;
  std::map<std::pair<std::string, std::string>, uint32_t> group_ids;
  std::vector<uint32_t> group_of_thread;
  for (size_t i = 0; i < threads_.size(); ++i) {
    const std::string& source = files_[threads_[i].file].source;
    const auto [group, is_new] =
        group_ids.try_emplace(std::pair(articles[i], source), static_cast<uint32_t>(groups.size()));
    if (is_new) groups.push_back({.article = articles[i], .source = source});
    group_of_thread.push_back(group->second);
  }
  auto& entries = spool_.entries();
  std::sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
    return std::pair(group_of_thread[a.thread], a.offset) <
           std::pair(group_of_thread[b.thread], b.offset);
  });
  for (size_t i = 0; i < entries.size(); ++i) {
    CommentGroup& group = groups[group_of_thread[entries[i].thread]];
    if (group.end == 0) group.begin = i;
    group.end = i + 1;
  }
  return groups;
}

bool ExportRun::ImportComments() {
  if (spool_.entries().empty()) return true;
  if (const absl::Status status = spool_.Flush(); !status.ok()) {
    report_.Say(absl::StrCat("contentd: ", status.message()));
    return false;
  }
  const std::vector<CommentGroup> groups = MakeGroups();
  CommentDelivery delivery(
      {.caller = options_.caller,
       .is_stopped = options_.is_stopped,
       .path_of = [this](uint32_t thread) { return files_[threads_[thread].file].path; },
       .page_of =
           [this](uint32_t thread) {
             const Thread& found = threads_[thread];
             return found.address.empty() ? found.key : found.address;
           }},
      store_, spool_, report_);
  return delivery.Run(groups);
}

}  // namespace content::transfer
