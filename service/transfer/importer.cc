#include "transfer/importer.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/formats.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

std::string AbsolutePath(const std::string& path) {
  if (path == kStandardInput) return path;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// Returns why a file in a folder is no article; empty if it may be one.
std::string WhyLeftOut(const std::string& path) {
  if (HasFormatByName(path)) return "";
  const absl::StatusOr<std::string> head = ReadFile(path, ExportFile::kHeadBytes);
  if (!head.ok() || RecognizeFormat(path, *head) || RecognizeExport(*head)) return "";
  return absl::StrContains(*head, absl::string_view("\0", 1)) ? "no text" : "of no known format";
}

bool HasExtension(absl::string_view path) {
  return absl::StrContains(path.substr(path.find_last_of('/') + 1), '.');
}

// Returns the format of the export in a file; nullptr if it is none.
const ExportFormat* ExportFormatOf(absl::string_view content, const ImportOptions& options) {
  if (!options.format) return RecognizeExport(content.substr(0, ExportFile::kHeadBytes));
  const auto* const format = std::get_if<const ExportFormat*>(&*options.format);
  return format == nullptr ? nullptr : *format;
}

absl::StatusOr<ParsedArticle> ParseFile(const std::string& path,
                                        const absl::StatusOr<std::string>& content,
                                        const ImportOptions& options) {
  if (!content.ok()) return transfer::Refuse("cannot be read", content.status().message());
  const std::optional<Format> format =
      options.format ? std::get<Format>(*options.format) : RecognizeFormat(path, *content);
  if (!format && HasExtension(path)) {
    return transfer::Refuse("of no known format",
                            "the format of the file is not known; give it with --format");
  }
  return Parse(*content, format.value_or(Format::kText), options.overrides, AbsolutePath(path));
}

// Adds what is known of the article.
void Describe(ParsedArticle& parsed, ItemReport& item) {
  item.name = parsed.article.name();
  item.title = parsed.article.title();
  item.ignored_keys = std::move(parsed.ignored_keys);
  item.notes = std::move(parsed.notes);
  item.sections = parsed.article.sections_size();
  item.words = parsed.article.word_count();
  item.body_bytes = parsed.article.body().size();
}

Outcome OutcomeOf(const PublishedArticle& published) {
  switch (published.outcome) {
    case v1::PUBLISH_OUTCOME_REPLACED:
      return Outcome::kReplaced;
    case v1::PUBLISH_OUTCOME_UNCHANGED:
      return Outcome::kUnchanged;
    default:
      return Outcome::kTaken;
  }
}

// Says whose a name is.
std::string DescribeOwner(const std::string& name, const std::string& title,
                          const InspectedArticle& owner) {
  const std::string& current = owner.article.name();
  const std::string where = current == name ? name : absl::StrCat(name, ", now ", current, ",");
  if (owner.retracted) return absl::StrCat(where, " is there, but was retracted");
  if (owner.article.title() == title) {
    return absl::StrCat(where, " is there with other content");
  }
  return absl::StrCat(where, " is another article, \"", OneLine(owner.article.title()), "\"");
}

}  // namespace

Importer::Importer(ImportOptions options, Store* store, Report& report)
    : options_(std::move(options)),
      publishing_(store),
      report_(report),
      exports_(
          {.overrides = options_.overrides,
           .source = options_.source,
           .map = options_.map,
           .caller = options_.caller,
           .is_stopped = options_.is_stopped},
          store, report,
          [this](ItemReport item, absl::StatusOr<ParsedArticle> parsed, ExportRun::Landed landed) {
            ImportArticle(std::move(item), std::move(parsed), std::move(landed));
          }) {}

void Importer::Run() {
  size_t count = 0;
  VisitFiles(options_.paths, [&](const FoundFile&) {
    ++count;
    return !options_.is_stopped();
  });
  report_.SetTotal(count);
  VisitFiles(options_.paths, [this](const FoundFile& file) { return Import(file); });
  AwaitAnswers();
  const bool has_all = IsGoingOn() && exports_.ImportComments();
  if (!has_all || options_.is_stopped()) {
    report_.Say(
        "contentd: the import has stopped before its end. Run the same command again to go on: "
        "what is in already stays as it is.");
  }
}

bool Importer::IsGoingOn() {
  const std::lock_guard lock(mutex_);
  return !is_store_gone_ && !options_.is_stopped();
}

// Returns whether the import goes on.
bool Importer::Import(const FoundFile& file) {
  if (!IsGoingOn()) return false;
  std::string left_out = file.left_out;
  if (left_out.empty() && !file.is_given && !options_.format) left_out = WhyLeftOut(file.path);
  if (left_out.empty()) {
    // One byte more than Parse takes is enough for it to refuse the file.
    const absl::StatusOr<std::string> content = ReadFile(file.path, kMaxFileBytes + 1);
    if (const auto* const format = content.ok() ? ExportFormatOf(*content, options_) : nullptr) {
      exports_.Read(file.path, *format, *content);
    } else {
      ImportArticle({.outcome = Outcome::kValid, .path = file.path},
                    ParseFile(file.path, content, options_), [](const std::string&) {});
    }
  } else {
    report_.Add({.outcome = Outcome::kLeftOut, .path = file.path, .reason = left_out});
  }
  return true;
}

void Importer::ImportArticle(ItemReport item, absl::StatusOr<ParsedArticle> parsed,
                             ExportRun::Landed landed) {
  absl::Status status = parsed.status();
  if (status.ok()) status = Claim(*parsed, item.path);
  if (!status.ok()) {
    item.reason = ReasonOfRefusal(status);
    item.outcome = item.reason == kReasonDraft ? Outcome::kDraft : Outcome::kRefused;
    item.problems = std::string(status.message());
    return report_.Add(item);
  }
  Describe(*parsed, item);
  if (publishing_ == nullptr) {
    landed(item.name);
    return report_.Add(item);
  }
  Sent sent{.report = std::move(item),
            .landed = std::move(landed),
            .id = parsed->article.name(),
            .bytes = parsed->article.ByteSizeLong()};
  TakePlace(sent.bytes);
  Publish(std::move(sent), std::move(parsed->article));
}

// Claims the article's name for the file, or its other name. A refusal if other files have claimed
// them.
absl::Status Importer::Claim(ParsedArticle& parsed, const std::string& path) {
  const std::string name = parsed.article.name();
  const std::string claimant = Claimant(name);
  if (!claimant.empty() && !parsed.other_name.empty() && Claimant(parsed.other_name).empty()) {
    parsed.article.set_name(parsed.other_name);
  } else if (!claimant.empty()) {
    return transfer::Refuse("id taken in this run",
                            absl::StrCat(name, " is already that of ", Printable(claimant)));
  }
  const std::lock_guard lock(mutex_);
  claims_.try_emplace(parsed.article.name(), ClaimOfFile{.path = path});
  return absl::OkStatus();
}

// Returns the file that has claimed a name; empty if there is none. A claim that may still fail is
// waited for.
std::string Importer::Claimant(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    const auto claim = claims_.find(name);
    if (claim == claims_.end()) return "";
    if (claim->second.is_settled) return claim->second.path;
  }
  AwaitAnswers();
  const std::lock_guard lock(mutex_);
  const auto claim = claims_.find(name);
  return claim == claims_.end() ? "" : claim->second.path;
}

void Importer::Publish(Sent sent, v1::Article article) {
  publishing_->PublishArticle(
      {.caller = options_.caller}, std::move(article),
      {.may_replace = options_.replace, .imported = true},
      [this, sent = std::move(sent)](absl::StatusOr<PublishedArticle> published) mutable {
        Land(std::move(sent), std::move(published));
      });
}

// Runs on a thread of the store.
void Importer::Land(Sent sent, absl::StatusOr<PublishedArticle> published) {
  if (absl::IsAlreadyExists(published.status())) return RefuseTaken(std::move(sent));
  if (!published.ok()) {
    if (absl::IsUnavailable(published.status())) {
      const std::lock_guard lock(mutex_);
      is_store_gone_ = true;
    }
    Refuse(sent, "database", published.status().message());
  } else {
    {
      const std::lock_guard lock(mutex_);
      claims_[sent.id].is_settled = true;
    }
    sent.report.outcome = OutcomeOf(*published);
    sent.report.name = published->article.name();
    sent.landed(sent.report.name);
    report_.Add(sent.report);
  }
  Leave(sent.bytes);
}

// Asks whose the name is.
void Importer::RefuseTaken(Sent sent) {
  const std::string id = ParseArticleName(sent.id).value();
  publishing_->InspectArticle(
      {.caller = options_.caller}, id,
      [this, sent = std::move(sent)](const absl::StatusOr<InspectedArticle>& owner) mutable {
        // The comments of an article that was changed here or there are still its comments.
        if (owner.ok() && owner->article.title() == sent.report.title) {
          sent.landed(owner->article.name());
        }
        Refuse(sent, "id of another article",
               owner.ok() ? DescribeOwner(sent.id, sent.report.title, *owner)
                          : absl::StrCat(sent.id, " is another article"));
        Leave(sent.bytes);
      });
}

// Gives the name back, so that another file may have it.
void Importer::Refuse(const Sent& sent, absl::string_view reason, absl::string_view problem) {
  {
    const std::lock_guard lock(mutex_);
    claims_.erase(sent.id);
  }
  ItemReport report = sent.report;
  report.outcome = Outcome::kRefused;
  report.reason = std::string(reason);
  report.problems = std::string(problem);
  report_.Add(report);
}

void Importer::TakePlace(size_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return in_flight_ == 0 ||
           (in_flight_ < kMaxInFlight && bytes_in_flight_ + bytes <= kMaxBytesInFlight);
  });
  ++in_flight_;
  bytes_in_flight_ += bytes;
}

void Importer::Leave(size_t bytes) {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  bytes_in_flight_ -= bytes;
  changed_.notify_one();
}

void Importer::AwaitAnswers() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return in_flight_ == 0; });
}

}  // namespace content::transfer
