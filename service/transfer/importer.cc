#include "transfer/importer.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "content/text.h"
#include "transfer/encoding.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/formats.h"
#include "transfer/file_name.h"
#include "transfer/medium.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

// Each file is an item of its own.
constexpr char kSourceOfFiles[] = "file";

// Returns why a file in a folder is no article; empty if it may be one.
std::string WhyLeftOut(const std::string& path) {
  if (HasFormatByName(path)) return "";
  const absl::StatusOr<std::string> head = ReadFile(path, ExportFile::kHeadBytes);
  if (!head.ok() || RecognizeFormat(path, *head) || RecognizeExport(*head)) return "";
  if (!PackingOf(*head).empty()) return "compressed";
  if (IsListOfPosts(*head) && ReadListOfPosts(path)) return "read with its posts";
  const bool is_text = !absl::StrContains(BeginningInUtf8(*head), absl::string_view("\0", 1));
  return is_text ? "of no known format" : "no text";
}

// Files of one name differ in their folders.
uint64_t DigestOfName(const FoundFile& file) {
  const FileName name = ReadFileName(file.telling_path);
  return absl::HashOf(name.dated_stem, name.stem, name.language);
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

// Returns what Parse needs of a file. A refusal if it cannot be read, or has to be unpacked.
absl::StatusOr<std::string> ReadItem(const std::string& path) {
  // One byte more than Parse takes is enough for it to refuse the file.
  absl::StatusOr<std::string> content = ReadFile(path, kMaxFileBytes + 1);
  if (!content.ok()) return transfer::Refuse("cannot be read", content.status().message());
  const absl::string_view packing = PackingOf(*content);
  if (packing.empty()) return content;
  return transfer::Refuse("compressed",
                          absl::StrCat("the file is compressed, as ", packing, "; unpack it first",
                                       packing == "gzip" ? ": gunzip -c FILE | contentd import -"
                                                         : ", and import what is in it"));
}

absl::StatusOr<ParsedArticle> ParseFile(const FoundFile& file,
                                        const absl::StatusOr<std::string>& content,
                                        const ImportOptions& options, ListsOfPosts& lists) {
  const std::string& path = file.path;
  if (!content.ok()) return content.status();
  const std::optional<Format> format =
      options.format ? std::get<Format>(*options.format) : RecognizeFormat(path, *content);
  if (!format && HasExtension(path)) {
    return transfer::Refuse("of no known format",
                            "the format of the file is not known; give it with --format");
  }
  return Parse(*content, format.value_or(Format::kText), options.overrides, file.telling_path,
               lists.Find(path));
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

// In a dry run, which sees only the files, this tells whether two have the same article.
uint64_t DigestOfContent(const v1::Article& article) {
  return absl::HashOf(article.SerializeAsString());
}

// What was retracted does not come back because it is imported again.
bool IsKeptBack(const ParsedArticle& parsed, const InspectedArticle& owner) {
  const bool stays_retracted = parsed.restoration && parsed.restoration->retracted;
  return owner.retracted && !stays_retracted;
}

// Returns whether two items are taken for one.
bool IsSame(Likeness likeness) {
  return likeness == Likeness::kSame || likeness == Likeness::kSameTitle;
}

// Says that the run has brought in the same item before.
std::string IsThatOf(absl::string_view name, absl::string_view place) {
  return absl::StrCat(name, " is already that of ", place, ", with other content");
}

}  // namespace

// Returns whether an article of this likeness is that of the file. Many files of one name have one
// title, such as "Introduction".
bool Importer::IsClearlyThatOf(const Sent& sent, Likeness likeness) {
  return likeness == Likeness::kSame ||
         (likeness == Likeness::kSameTitle && sent.parsed.is_named_after_file);
}

// Says whose the article's name is.
std::string Importer::DescribeOwner(const Sent& sent, const InspectedArticle& owner) {
  const std::string& name = sent.name;
  const std::string& current = owner.article.name();
  const std::string where = current == name ? name : absl::StrCat(name, ", now ", current, ",");
  if (owner.retracted) return absl::StrCat(where, " is there, but was retracted");
  if (!sent.earlier.empty()) {
    return IsThatOf(where, sent.earlier);
  }
  const Likeness likeness = Compare(sent, owner);
  if (IsClearlyThatOf(sent, likeness)) return absl::StrCat(where, " is there with other content");
  if (likeness == Likeness::kSameTitle) {
    return absl::StrCat(where, " is there with other content, and only the title tells that it ",
                        "is this article");
  }
  const char* const is_another =
      likeness == Likeness::kOther ? " is another article, " : " may be another article, ";
  if (owner.article.title() != sent.report.title) {
    return absl::StrCat(where, is_another, "\"", OneLine(owner.article.title()), "\"");
  }
  const absl::Time time = absl::FromUnixSeconds(owner.article.publish_time().seconds());
  return absl::StrCat(where, is_another, "of ",
                      absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone()));
}

// Compares an item with the article that has its name.
Likeness Importer::Compare(const Sent& sent, const InspectedArticle& owner) {
  if (!sent.earlier.empty()) return Likeness::kSame;
  return transfer::Compare(sent.identity, IdentityOf(owner.article));
}

// Returns whether the owner of a name that the item had before is the item. Who edits a name often
// edits the title with it, but not the time.
bool Importer::IsRenamed(const Sent& sent, const InspectedArticle& owner) {
  const Likeness likeness = Compare(sent, owner);
  const bool has_same_time =
      sent.identity.is_dated && sent.identity.time == IdentityOf(owner.article).time;
  return IsSame(likeness) || (likeness == Likeness::kUnknown && has_same_time);
}

Importer::ClaimOfItem Importer::ClaimOf(const Sent& sent) {
  return {.path = PlaceOf(sent.report), .identity = sent.identity};
}

Importer::Importer(ImportOptions options, Store* store, Report& report)
    : options_(std::move(options)),
      report_id_(options_.report_file.empty() ? std::nullopt : IdOfFile(options_.report_file)),
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

bool Importer::Run() {
  size_t count = 0;
  VisitFiles(options_.paths, [&](const FoundFile& file) {
    ++count;
    CountName(file);
    return !options_.is_stopped();
  });
  report_.SetTotal(count);
  bool is_complete = true;
  VisitFiles(options_.paths, [&](const FoundFile& file) { return is_complete = Import(file); });
  AwaitAnswers();
  is_complete = is_complete && !IsStoreGone() && exports_.ImportComments();
  if (!is_complete) {
    report_.Say(
        "contentd: the import has stopped before its end. Run the same command again to go on: "
        "what is in already stays as it is.");
  }
  return is_complete;
}

// Counts the files that may be articles.
void Importer::CountName(const FoundFile& file) {
  if (!file.left_out.empty() || !HasFormatByName(file.path)) return;
  const auto [name, is_new] = file_names_.try_emplace(DigestOfName(file), true);
  if (!is_new) name->second = false;
}

// Returns whether no other file that was counted has the name of this one.
bool Importer::HasOnlyName(const FoundFile& file) const {
  const auto name = file_names_.find(DigestOfName(file));
  return name != file_names_.end() && name->second;
}

bool Importer::IsStoreGone() {
  const std::lock_guard lock(mutex_);
  return is_store_gone_;
}

bool Importer::IsGoingOn() { return !IsStoreGone() && !options_.is_stopped(); }

// Returns whether the import goes on.
bool Importer::Import(const FoundFile& file) {
  if (!IsGoingOn()) return false;
  std::string left_out = file.left_out;
  if (file.id && file.id == report_id_) left_out = "the report of this import";
  if (left_out.empty() && IsBesidePostsOfMedium(file.path)) left_out = "about the writer, no post";
  if (left_out.empty() && !file.is_given && !options_.format) left_out = WhyLeftOut(file.path);
  if (left_out.empty()) {
    const absl::StatusOr<std::string> content = ReadItem(file.path);
    if (const auto* const format = content.ok() ? ExportFormatOf(*content, options_) : nullptr) {
      exports_.Read(file.path, *format, *content);
      return IsGoingOn();  // it may have stopped in the middle
    }
    absl::StatusOr<ParsedArticle> parsed = ParseFile(file, content, options_, lists_of_posts_);
    if (parsed.ok()) {
      if (!HasOnlyName(file)) parsed->is_named_after_file = false;
      parsed->source = kSourceOfFiles;
      parsed->key = file.path;
    }
    ImportArticle({.outcome = Outcome::kValid, .path = file.path}, std::move(parsed),
                  [](const std::string&) {});
  } else {
    report_.Add({.outcome = Outcome::kLeftOut, .path = file.path, .reason = left_out});
  }
  return true;
}

void Importer::ImportArticle(ItemReport item, absl::StatusOr<ParsedArticle> parsed,
                             ExportRun::Landed landed) {
  if (!parsed.ok()) return ReportRefusal(std::move(item), parsed.status());
  const absl::StatusOr<std::optional<ClaimOfItem>> earlier = Claim(*parsed, item);
  if (!earlier.ok()) return ReportRefusal(std::move(item), earlier.status());
  Describe(*parsed, item);
  if (publishing_ == nullptr) {
    landed(item.name);
    return FinishDryRun(std::move(item), parsed->article, *earlier);
  }
  const size_t bytes = parsed->article.ByteSizeLong();
  const std::string name = parsed->article.name();
  Send({.report = std::move(item),
        .identity = IdentityOf(*parsed),
        .parsed = *std::move(parsed),
        .name = name,
        .bytes = bytes,
        .earlier = *earlier ? (*earlier)->path : "",
        .landed = std::move(landed)});
}

void Importer::ReportRefusal(ItemReport item, const absl::Status& refusal) {
  item.reason = ReasonOfRefusal(refusal);
  item.outcome = item.reason == kReasonDraft ? Outcome::kDraft : Outcome::kRefused;
  item.problems = std::string(refusal.message());
  report_.Add(item);
}

void Importer::FinishDryRun(ItemReport item, const v1::Article& article,
                            const std::optional<ClaimOfItem>& earlier) {
  if (earlier && earlier->content == DigestOfContent(article)) {
    item.outcome = Outcome::kUnchanged;
  } else if (earlier) {
    item.outcome = Outcome::kConflict;
    item.problems = IsThatOf(item.name, earlier->path);
  }
  report_.Add(item);
}

void Importer::Send(Sent sent) {
  TakePlace(sent.bytes);
  if (sent.parsed.former_names.empty() || !sent.earlier.empty()) return Publish(std::move(sent));
  const std::string name = sent.name;
  Inspect(name,
          [this, sent = std::move(sent)](const absl::StatusOr<InspectedArticle>& owner) mutable {
            if (!absl::IsNotFound(owner.status())) return Publish(std::move(sent));
            LookForFormer(std::move(sent), 0);
          });
}

// Names the article as the same item of this run, which is returned, or else claims its name or its
// other name for it. A refusal if other items have claimed them.
absl::StatusOr<std::optional<Importer::ClaimOfItem>> Importer::Claim(ParsedArticle& parsed,
                                                                     const ItemReport& item) {
  const ItemIdentity identity = IdentityOf(parsed);
  std::string free_name;
  std::string problem;
  std::vector<std::string> names = {parsed.article.name()};
  if (!parsed.other_name.empty()) names.push_back(parsed.other_name);
  const size_t own_names = names.size();
  for (const std::string& id : parsed.former_names) names.push_back(ArticleName(id));
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    std::optional<ClaimOfItem> claim = FindClaim(name);
    if (claim && IsSame(transfer::Compare(identity, claim->identity))) {
      parsed.article.set_name(name);
      return claim;
    }
    if (i >= own_names) continue;
    if (!claim && free_name.empty()) free_name = name;
    if (claim && problem.empty()) problem = absl::StrCat(name, " is already that of ", claim->path);
  }
  if (free_name.empty()) return transfer::Refuse("id taken in this run", problem);
  parsed.article.set_name(free_name);
  ClaimOfItem claim{.path = PlaceOf(item), .identity = identity};
  if (publishing_ == nullptr) claim.content = DigestOfContent(parsed.article);
  if (ClaimName(free_name, std::move(claim))) return std::nullopt;
  // Meanwhile, an article that is on its way has taken it as its other name.
  parsed.article.set_name(names.front());
  return Claim(parsed, item);
}

// Returns who has claimed a name in this run. A claim that may still fail is waited for.
std::optional<Importer::ClaimOfItem> Importer::FindClaim(const std::string& name) {
  const auto find = [&]() -> std::optional<ClaimOfItem> {
    const std::lock_guard lock(mutex_);
    const auto claim = claims_.find(name);
    return claim == claims_.end() ? std::nullopt : std::optional(claim->second);
  };
  std::optional<ClaimOfItem> claim = find();
  if (!claim || claim->is_settled) return claim;
  AwaitAnswers();
  return find();
}

// No article has the name, so the item may be there under a name that it had before. What another
// item of this run has brought in is not this one.
void Importer::LookForFormer(Sent sent, size_t index) {
  if (index == sent.parsed.former_names.size()) return Publish(std::move(sent));
  const std::string former = ArticleName(sent.parsed.former_names[index]);
  if (IsClaimed(former)) return LookForFormer(std::move(sent), index + 1);
  Inspect(former, [this, sent = std::move(sent),
                   index](const absl::StatusOr<InspectedArticle>& owner) mutable {
    const bool is_renamed =
        owner.ok() && IsRenamed(sent, *owner) && ClaimName(owner->article.name(), ClaimOf(sent));
    if (is_renamed) return Rename(std::move(sent), *owner);
    LookForFormer(std::move(sent), index + 1);
  });
}

// The item is there, but was renamed where it comes from. It has claimed its name here, too.
void Importer::Rename(Sent sent, const InspectedArticle& owner) {
  const std::string current = owner.article.name();
  if (!options_.replace || owner.retracted) {
    GiveBack(current);
    sent.landed(current);
    return End(sent, Outcome::kConflict, "",
               absl::StrCat(sent.name, " is here as ", current, "; rename that first",
                            owner.retracted ? "" : ", or put this in its place with --replace"));
  }
  ArticleRename renaming{.id = ParseArticleName(current).value(),
                         .new_id = ParseArticleName(sent.name).value(),
                         .etag = owner.article.etag()};
  publishing_->RenameArticle(
      {.caller = options_.caller}, std::move(renaming),
      [this, current, sent = std::move(sent)](absl::StatusOr<v1::Article> renamed) mutable {
        GiveBack(current);
        if (!renamed.ok()) return Fail(sent, renamed.status());
        sent.was_renamed = true;
        sent.may_replace = true;
        sent.report.notes.emplace_back("the article was renamed");
        PublishInPlace(std::move(sent), {.article = *std::move(renamed)});
      });
}

// Keeps the article if it may have to be published again.
void Importer::Publish(Sent sent) {
  const bool may_come_again = options_.replace || !sent.parsed.other_name.empty();
  v1::Article article = may_come_again ? sent.parsed.article : std::move(sent.parsed.article);
  PublishOptions options{.may_replace = sent.may_replace,
                         .imported = true,
                         .former_names = sent.parsed.former_names,
                         .restoration = sent.parsed.restoration};
  publishing_->PublishArticle(
      {.caller = options_.caller}, std::move(article), std::move(options),
      [this, sent = std::move(sent)](absl::StatusOr<PublishedArticle> published) mutable {
        Land(std::move(sent), std::move(published));
      });
}

// Runs on a thread of the store, as do all that follow from it.
void Importer::Land(Sent sent, absl::StatusOr<PublishedArticle> published) {
  if (absl::IsAlreadyExists(published.status())) return TryOtherName(std::move(sent));
  if (absl::IsFailedPrecondition(published.status())) {
    return End(sent, Outcome::kRefused, "id of another article", published.status().message());
  }
  if (!published.ok()) return Fail(sent, published.status());
  {
    const std::lock_guard lock(mutex_);
    if (sent.earlier.empty()) claims_[sent.name].is_settled = true;
  }
  sent.report.outcome = OutcomeOf(*published);
  if (sent.was_renamed) sent.report.outcome = Outcome::kReplaced;  // whatever else has changed
  sent.report.name = published->article.name();
  for (const std::string& name : published->names_of_others) {
    sent.report.notes.push_back(
        absl::StrCat(ArticleName(name), " is another article, so it does not lead to this one"));
  }
  sent.landed(sent.report.name);
  report_.Add(sent.report);
  Leave(sent.bytes);
}

// The article's name is taken. If the name was made, an earlier run may have given the article its
// other name, because another item had the first.
void Importer::TryOtherName(Sent sent) {
  const std::string other = sent.parsed.other_name;
  const bool is_known = sent.is_last_try || !sent.earlier.empty();
  if (is_known || other.empty() || other == sent.name || !ClaimName(other, ClaimOf(sent))) {
    return AskOwner(std::move(sent));
  }
  Inspect(other,
          [this, sent = std::move(sent), other](absl::StatusOr<InspectedArticle> owner) mutable {
            if (owner.ok() && IsSame(Compare(sent, *owner))) {
              GiveBack(std::exchange(sent.name, other));
              sent.may_replace = MayReplace(sent, *owner);
              return PublishInPlace(std::move(sent), *owner);
            }
            if (absl::IsNotFound(owner.status())) {
              sent.free_name = other;
            } else {
              GiveBack(other);
            }
            AskOwner(std::move(sent));
          });
}

// Returns whether `replace` applies to the owner of the name: if it is clearly that of the file, or
// if the file or the user names it. A name that it had before does not name it.
bool Importer::MayReplace(const Sent& sent, const InspectedArticle& owner) const {
  const bool is_named = !sent.parsed.is_name_made && owner.article.name() == sent.name;
  return options_.replace && (is_named || IsClearlyThatOf(sent, Compare(sent, owner))) &&
         sent.earlier.empty() && !IsKeptBack(sent.parsed, owner);
}

// Asks whose the name is.
void Importer::AskOwner(Sent sent) {
  const std::string name = sent.name;
  Inspect(name, [this, sent = std::move(sent)](absl::StatusOr<InspectedArticle> owner) mutable {
    if (!owner.ok()) return Fail(sent, owner.status());
    sent.may_replace = !sent.is_last_try && MayReplace(sent, *owner);
    if (sent.may_replace) return PublishInPlace(std::move(sent), *owner);
    const Likeness likeness = Compare(sent, *owner);
    if (likeness == Likeness::kOther && !sent.free_name.empty()) {
      return PublishUnderFreeName(std::move(sent));
    }
    if (!IsSame(likeness)) {
      return End(sent, Outcome::kRefused, "id of another article", DescribeOwner(sent, *owner));
    }
    // The comments of an article that was changed here or there are still its comments.
    sent.landed(owner->article.name());
    End(sent, Outcome::kConflict, "", DescribeOwner(sent, *owner));
  });
}

// Publishes the article in the place of `owner`, if that is still what it was.
void Importer::PublishInPlace(Sent sent, const InspectedArticle& owner) {
  sent.is_last_try = true;
  if (!sent.free_name.empty()) GiveBack(std::exchange(sent.free_name, ""));
  sent.parsed.article.set_name(sent.name);
  sent.parsed.article.set_etag(owner.article.etag());
  Publish(std::move(sent));
}

void Importer::PublishUnderFreeName(Sent sent) {
  sent.is_last_try = true;
  GiveBack(std::exchange(sent.name, std::exchange(sent.free_name, "")));
  sent.parsed.article.set_name(sent.name);
  Publish(std::move(sent));
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
  End(sent, Outcome::kRefused, "database", status.message());
}

// The article has not come in. Gives its names back, so that other items may have them.
void Importer::End(const Sent& sent, Outcome outcome, absl::string_view reason,
                   absl::string_view problem) {
  if (sent.earlier.empty()) GiveBack(sent.name);
  if (!sent.free_name.empty()) GiveBack(sent.free_name);
  ItemReport report = sent.report;
  report.outcome = outcome;
  report.reason = std::string(reason);
  report.problems = std::string(problem);
  report_.Add(report);
  Leave(sent.bytes);
}

// Returns whether the name was free.
bool Importer::ClaimName(const std::string& name, ClaimOfItem claim) {
  const std::lock_guard lock(mutex_);
  return claims_.try_emplace(name, std::move(claim)).second;
}

bool Importer::IsClaimed(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return claims_.contains(name);
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
