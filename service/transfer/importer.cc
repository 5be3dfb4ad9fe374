#include "transfer/importer.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

// Enough to tell the format, and whether a file is text.
constexpr size_t kHeadBytes = 4096;

// Returns why a file in a folder is no article; empty if it may be one.
std::string WhyLeftOut(const std::string& path) {
  if (HasFormatByName(path)) return "";
  const absl::StatusOr<std::string> head = ReadFile(path, kHeadBytes);
  if (!head.ok() || RecognizeFormat(path, *head)) return "";
  return absl::StrContains(*head, absl::string_view("\0", 1)) ? "no text" : "of no known format";
}

bool HasExtension(absl::string_view path) {
  return absl::StrContains(path.substr(path.find_last_of('/') + 1), '.');
}

// One byte more than Parse takes is enough for it to refuse the file.
absl::StatusOr<ParsedArticle> ParseFile(const FoundFile& file, const ImportOptions& options) {
  const std::string& path = file.path;
  const absl::StatusOr<std::string> content = ReadFile(path, kMaxFileBytes + 1);
  if (!content.ok()) return transfer::Refuse("cannot be read", content.status().message());
  std::optional<Format> format = options.format;
  if (!format) format = RecognizeFormat(path, *content);
  if (!format && HasExtension(path)) {
    return transfer::Refuse("of no known format",
                            "the format of the file is not known; give it with --format");
  }
  return Parse(*content, format.value_or(Format::kText), options.overrides, file.telling_path);
}

ItemReport ReportOn(const std::string& path, const v1::Article& article, Outcome outcome) {
  return {.outcome = outcome,
          .path = path,
          .name = article.name(),
          .title = article.title(),
          .sections = article.sections_size(),
          .words = article.word_count(),
          .body_bytes = article.body().size()};
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

absl::Time TimeOf(const v1::Article& article) {
  return absl::FromUnixSeconds(article.publish_time().seconds());
}

// Returns whether an article in the store may be what a file has become before. Only for names that
// were made.
bool MayBeOf(const ParsedArticle& parsed, const v1::Article& stored) {
  if (stored.title() != parsed.article.title()) return false;
  if (!parsed.is_dated) return true;
  const absl::Duration apart = TimeOf(stored) - TimeOf(parsed.article);
  return absl::AbsDuration(apart) < absl::Hours(24);
}

// Says whose a name is.
std::string DescribeOwner(const std::string& name, const ParsedArticle& parsed,
                          const std::string& title, const InspectedArticle& owner) {
  const std::string& current = owner.article.name();
  const std::string where = current == name ? name : absl::StrCat(name, ", now ", current, ",");
  if (owner.retracted) return absl::StrCat(where, " is there, but was retracted");
  if (owner.article.title() != title) {
    return absl::StrCat(where, " is another article, \"", OneLine(owner.article.title()), "\"");
  }
  if (parsed.is_name_made && !MayBeOf(parsed, owner.article)) {
    const absl::Time time = TimeOf(owner.article);
    return absl::StrCat(where, " is another article, of ",
                        absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()));
  }
  return absl::StrCat(where, " is there with other content");
}

}  // namespace

Importer::Importer(ImportOptions options, Publishing* publishing, Report& report)
    : options_(std::move(options)),
      report_id_(options_.report_file.empty() ? std::nullopt : IdOfFile(options_.report_file)),
      publishing_(publishing),
      report_(report) {}

bool Importer::Run() {
  size_t count = 0;
  VisitFiles(options_.paths, [&](const FoundFile&) {
    ++count;
    return !options_.is_stopped();
  });
  report_.SetTotal(count);
  bool is_complete = true;
  VisitFiles(options_.paths, [&](const FoundFile& file) { return is_complete = Import(file); });
  AwaitAnswers();
  const std::lock_guard lock(mutex_);
  is_complete = is_complete && !is_store_gone_;
  if (!is_complete) {
    report_.Say(
        "contentd: the import has stopped before its end. Run the same command again to go on: "
        "what is in already stays as it is.");
  }
  return is_complete;
}

// Returns whether the import goes on.
bool Importer::Import(const FoundFile& file) {
  {
    const std::lock_guard lock(mutex_);
    if (is_store_gone_ || options_.is_stopped()) return false;
  }
  std::string left_out = file.left_out;
  if (file.id && file.id == report_id_) left_out = "the report of this import";
  if (left_out.empty() && !file.is_given && !options_.format) left_out = WhyLeftOut(file.path);
  if (left_out.empty()) {
    ImportArticle(file.path, ParseFile(file, options_));
  } else {
    report_.Add({.outcome = Outcome::kLeftOut, .path = file.path, .reason = left_out});
  }
  return true;
}

void Importer::ImportArticle(const std::string& path, absl::StatusOr<ParsedArticle> parsed) {
  absl::Status status = parsed.status();
  if (status.ok()) status = Claim(*parsed, path);
  if (!status.ok()) {
    const std::string reason = ReasonOfRefusal(status);
    return report_.Add({.outcome = reason == kReasonDraft ? Outcome::kDraft : Outcome::kRefused,
                        .path = path,
                        .reason = reason,
                        .problems = std::string(status.message())});
  }
  ItemReport report = ReportOn(path, parsed->article, Outcome::kValid);
  report.ignored_keys = std::move(parsed->ignored_keys);
  report.notes = std::move(parsed->notes);
  if (publishing_ == nullptr) return report_.Add(report);
  const size_t bytes = parsed->article.ByteSizeLong();
  const std::string name = parsed->article.name();
  Sent sent{
      .report = std::move(report), .parsed = *std::move(parsed), .name = name, .bytes = bytes};
  TakePlace(bytes);
  const bool may_replace = options_.replace && !sent.parsed.is_name_made;
  Publish(std::move(sent), may_replace);
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

// Keeps the article if it may have to be published again: if its name was made.
void Importer::Publish(Sent sent, bool may_replace) {
  v1::Article article =
      sent.parsed.is_name_made ? sent.parsed.article : std::move(sent.parsed.article);
  publishing_->PublishArticle(
      {.caller = options_.caller}, std::move(article),
      {.may_replace = may_replace, .imported = true},
      [this, sent = std::move(sent)](absl::StatusOr<PublishedArticle> published) mutable {
        Land(std::move(sent), std::move(published));
      });
}

// Runs on a thread of the store, as do all that follow from it.
void Importer::Land(Sent sent, absl::StatusOr<PublishedArticle> published) {
  if (absl::IsAlreadyExists(published.status())) return TryOtherName(std::move(sent));
  if (!published.ok()) return Fail(sent, published.status());
  {
    const std::lock_guard lock(mutex_);
    claims_[sent.name].is_settled = true;
  }
  sent.report.outcome = OutcomeOf(*published);
  sent.report.name = published->article.name();
  report_.Add(sent.report);
  Leave(sent.bytes);
}

// The article's name is taken. If the name was made, an earlier run may have given the article its
// other name, because another file had the first.
void Importer::TryOtherName(Sent sent) {
  const std::string other = sent.parsed.other_name;
  if (sent.is_last_try || other.empty() || !ClaimFor(sent, other)) {
    return AskOwner(std::move(sent));
  }
  Inspect(other,
          [this, sent = std::move(sent), other](absl::StatusOr<InspectedArticle> owner) mutable {
            if (owner.ok() && MayBeOf(sent.parsed, owner->article)) {
              GiveBack(std::exchange(sent.name, other));
              return PublishAgain(std::move(sent), *owner);
            }
            GiveBack(other);
            AskOwner(std::move(sent));
          });
}

// Asks whose the name is. If the article that has it may be that of the file, `replace` applies.
void Importer::AskOwner(Sent sent) {
  const std::string name = sent.name;
  Inspect(name, [this, sent = std::move(sent)](absl::StatusOr<InspectedArticle> owner) mutable {
    if (!owner.ok()) return Fail(sent, owner.status());
    const bool may_replace = options_.replace && sent.parsed.is_name_made && !sent.is_last_try;
    if (may_replace && !owner->retracted && MayBeOf(sent.parsed, owner->article)) {
      return PublishAgain(std::move(sent), *owner);
    }
    Refuse(sent, "id of another article",
           DescribeOwner(sent.name, sent.parsed, sent.report.title, *owner));
  });
}

// Publishes the article in the place of `owner`, if that is still what it was.
void Importer::PublishAgain(Sent sent, const InspectedArticle& owner) {
  sent.is_last_try = true;
  sent.parsed.article.set_name(sent.name);
  sent.parsed.article.set_etag(owner.article.etag());
  Publish(std::move(sent), options_.replace);
}

void Importer::Inspect(const std::string& name, Callback<InspectedArticle> done) {
  publishing_->InspectArticle({.caller = options_.caller}, ParseArticleName(name).value(),
                              std::move(done));
}

// The store cannot answer.
void Importer::Fail(const Sent& sent, const absl::Status& status) {
  if (absl::IsUnavailable(status)) {
    const std::lock_guard lock(mutex_);
    is_store_gone_ = true;
  }
  Refuse(sent, "database", status.message());
}

// Gives the name back, so that another file may have it.
void Importer::Refuse(const Sent& sent, absl::string_view reason, absl::string_view problem) {
  GiveBack(sent.name);
  ItemReport report = sent.report;
  report.outcome = Outcome::kRefused;
  report.reason = std::string(reason);
  report.problems = std::string(problem);
  report_.Add(report);
  Leave(sent.bytes);
}

// Returns whether the name was free.
bool Importer::ClaimFor(const Sent& sent, const std::string& name) {
  const std::lock_guard lock(mutex_);
  return claims_.try_emplace(name, ClaimOfFile{.path = sent.report.path}).second;
}

void Importer::GiveBack(const std::string& name) {
  const std::lock_guard lock(mutex_);
  claims_.erase(name);
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
