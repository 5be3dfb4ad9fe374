#include "transfer/exports/delivery.h"

#include <algorithm>
#include <numeric>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/await.h"
#include "content/names.h"
#include "content/rules.h"
#include "transfer/exports/imported_comment.h"

namespace content::transfer {
namespace {

// The store imports into articles that wait together. With fewer at a time, it would do less at
// once, which costs more for each comment; with more, it gains nothing.
constexpr size_t kWorkers = 32;
// Each worker has a batch in memory, several times.
constexpr size_t kMaxBatchBytes = size_t{512} << 10;

using Entry = CommentSpool::Entry;

// Returns the entries with each after the one that it replies to, and else in the order of their
// times. One that replies to itself, through others or not, has no parent any more.
std::vector<Entry> ParentsFirst(absl::Span<const Entry> entries) {
  std::vector<size_t> by_time(entries.size());
  std::iota(by_time.begin(), by_time.end(), size_t{0});
  std::sort(by_time.begin(), by_time.end(), [entries](size_t a, size_t b) {
    return std::pair(entries[a].time, entries[a].offset) <
           std::pair(entries[b].time, entries[b].offset);
  });
  absl::flat_hash_map<uint64_t, size_t> places;
  for (const size_t place : by_time) places.try_emplace(entries[place].id, place);
  std::vector<Entry> sorted;
  sorted.reserve(entries.size());
  // From which place each was come to first.
  std::vector<size_t> visited_from(entries.size(), entries.size());
  for (const size_t place : by_time) {
    const size_t begin = sorted.size();
    for (size_t at = place; visited_from[at] == entries.size();) {
      visited_from[at] = place;
      sorted.push_back(entries[at]);
      const auto parent = places.find(entries[at].parent);
      if (parent == places.end()) break;
      at = parent->second;
      if (visited_from[at] == place) sorted.back().parent = 0;
    }
    std::reverse(sorted.begin() + static_cast<ptrdiff_t>(begin), sorted.end());
  }
  return sorted;
}

// Takes those off the front that share a call.
absl::Span<const Entry> TakeBatch(absl::Span<const Entry>& entries) {
  size_t count = 0;
  for (size_t bytes = 0;
       count < std::min<size_t>(entries.size(), kMaxImportedComments) && bytes < kMaxBatchBytes;
       ++count) {
    bytes += entries[count].size;
  }
  const absl::Span<const Entry> batch = entries.subspan(0, count);
  entries.remove_prefix(count);
  return batch;
}

std::string Describe(const v1::CommentImportResult& result) {
  return absl::StrJoin(result.problems(), "\n", [](std::string* text, const auto& problem) {
    absl::StrAppend(text, problem.field(), " ", problem.description());
  });
}

std::string Describe(const Violations& problems) {
  return absl::StrJoin(problems.fields(), "\n", [](std::string* text, const auto& field) {
    absl::StrAppend(text, field.path, " ", field.description);
  });
}

std::string ReasonFor(absl::string_view field, const ItemReport& report) {
  return field == "body" && report.body_bytes == 0 ? "no text" : "bad field";
}

Outcome OutcomeOf(v1::CommentImportOutcome outcome) {
  switch (outcome) {
    case v1::COMMENT_IMPORT_OUTCOME_CREATED:
      return Outcome::kTaken;
    case v1::COMMENT_IMPORT_OUTCOME_UNCHANGED:
      return Outcome::kUnchanged;
    case v1::COMMENT_IMPORT_OUTCOME_DELETED:
      return Outcome::kReplaced;
    case v1::COMMENT_IMPORT_OUTCOME_CONFLICT:
      return Outcome::kConflict;
    default:
      return Outcome::kRefused;
  }
}

void AddPlacement(v1::ThreadPlacement placement, ItemReport& report) {
  if (placement == v1::THREAD_PLACEMENT_PARENT_MISSING) {
    report.notes.emplace_back("the comment it replies to is missing, so it is at the top");
  } else if (placement == v1::THREAD_PLACEMENT_BESIDE_PARENT) {
    report.notes.emplace_back("it is beside the comment it replies to, which is too deep");
  }
}

// Says by its name what the comment replies to: that may be in an earlier batch.
void NameParent(const CommentGroup& group, const std::string& name, v1::ImportedComment& comment) {
  if (!comment.reply_to().empty()) {
    const std::string article_id = ParseArticleName(group.article).value();
    comment.set_reply_to(CommentName(article_id, comment.reply_to()));
  } else if (!name.empty()) {
    comment.set_reply_to(name);
    comment.clear_reply_to_source_id();
  }
}

// Removes what a comment without a parent replies to, which is itself.
void PutAtTop(const Entry& entry, SpooledComment& spooled) {
  v1::ImportedComment& comment = spooled.comment;
  const bool is_reply = !comment.reply_to().empty() || !comment.reply_to_source_id().empty();
  if (entry.parent != 0 || !is_reply) return;
  comment.clear_reply_to();
  comment.clear_reply_to_source_id();
  spooled.notes.emplace_back("it replies to itself, so it is at the top");
}

// COMMENT_STATE_VISIBLE -> "visible"
std::string StateOf(const v1::ImportedComment& comment) {
  const std::string& name = v1::CommentState_Name(comment.state());
  return absl::AsciiStrToLower(absl::StripPrefix(name, "COMMENT_STATE_"));
}

}  // namespace

CommentDelivery::CommentDelivery(Options options, CommentImports* imports, CommentSpool& spool,
                                 Report& report)
    : options_(std::move(options)), imports_(imports), spool_(spool), report_(report) {}

bool CommentDelivery::Run(const std::vector<CommentGroup>& groups) {
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> workers;
  while (workers.size() < std::min(kWorkers, groups.size())) {
    workers.emplace_back([&] {
      for (size_t i = next++; i < groups.size() && !IsEnding(); i = next++) RunGroup(groups[i]);
    });
  }
  workers.clear();
  return !IsEnding();
}

void CommentDelivery::RunGroup(const CommentGroup& group) {
  const Entries all =
      absl::MakeConstSpan(spool_.entries()).subspan(group.begin, group.end - group.begin);
  // Those of no article are in one group, which may be too large to be copied.
  if (group.article.empty()) return LeaveAllOut(all);
  const std::vector<CommentSpool::Entry> sorted = ParentsFirst(all);
  Names names;
  for (const CommentSpool::Entry& entry : sorted) {
    if (entry.parent != 0) names.try_emplace(entry.parent);
  }
  for (Entries rest = sorted; !rest.empty() && !IsEnding();) {
    const Entries from_here = rest;
    const Entries batch = TakeBatch(rest);
    const absl::Status status =
        imports_ == nullptr ? Check(group, batch) : Import(group, batch, names);
    if (absl::IsNotFound(status)) return LeaveAllOut(from_here);
    if (!status.ok()) return Fail(status);
  }
}

void CommentDelivery::LeaveAllOut(Entries entries) {
  while (!entries.empty() && !IsEnding()) {
    if (const absl::Status status = LeaveOut(TakeBatch(entries)); !status.ok()) return Fail(status);
  }
}

// NOT_FOUND if there is no such article.
absl::Status CommentDelivery::Import(const CommentGroup& group, Entries batch, Names& names) {
  absl::StatusOr<std::vector<SpooledComment>> comments = spool_.Read(batch);
  if (!comments.ok()) return comments.status();
  CommentImport import{.article_id = ParseArticleName(group.article).value(),
                       .source = group.source};
  std::vector<ItemReport> reports;
  reports.reserve(batch.size());
  import.comments.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    PutAtTop(batch[i], (*comments)[i]);
    reports.push_back(ReportOn(batch[i], (*comments)[i]));
    import.comments.push_back(std::move((*comments)[i].comment));
    const auto parent = names.find(batch[i].parent);
    NameParent(group, parent == names.end() ? "" : parent->second, import.comments.back());
  }
  const absl::StatusOr<v1::ImportCommentsResponse> response =
      Await<v1::ImportCommentsResponse>([&](auto done) {
        imports_->ImportComments({.caller = options_.caller}, std::move(import), std::move(done));
      });
  if (!response.ok()) return response.status();
  for (size_t i = 0; i < batch.size(); ++i) {
    const v1::CommentImportResult& result = response->results(static_cast<int>(i));
    if (const auto name = names.find(batch[i].id); name != names.end()) {
      name->second = result.name();
    }
    ItemReport& report = reports[i];
    report.outcome = OutcomeOf(result.outcome());
    report.name = result.name();
    report.problems = Describe(result);
    if (report.outcome == Outcome::kRefused) {
      report.reason = ReasonFor(result.problems(0).field(), report);
    }
    if (report.outcome == Outcome::kTaken) AddPlacement(result.placement(), report);
    report_.Add(report);
  }
  return absl::OkStatus();
}

absl::Status CommentDelivery::Check(const CommentGroup& group, Entries batch) {
  absl::StatusOr<std::vector<SpooledComment>> comments = spool_.Read(batch);
  if (!comments.ok()) return comments.status();
  for (size_t i = 0; i < batch.size(); ++i) {
    PutAtTop(batch[i], (*comments)[i]);
    v1::ImportedComment& comment = (*comments)[i].comment;
    NameParent(group, "", comment);
    ItemReport report = ReportOn(batch[i], (*comments)[i]);
    Violations problems;
    CheckImportedComment(comment, absl::Now(), problems);
    report.outcome = problems.empty() ? Outcome::kValid : Outcome::kRefused;
    report.problems = Describe(problems);
    if (!problems.empty()) report.reason = ReasonFor(problems.fields()[0].path, report);
    report_.Add(report);
  }
  return absl::OkStatus();
}

absl::Status CommentDelivery::LeaveOut(Entries batch) {
  const absl::StatusOr<std::vector<SpooledComment>> comments = spool_.Read(batch);
  if (!comments.ok()) return comments.status();
  for (size_t i = 0; i < batch.size(); ++i) {
    ItemReport report = ReportOn(batch[i], (*comments)[i]);
    report.outcome = Outcome::kLeftOut;
    report.reason = "without an article";
    report.problems = "say with --map which article the page is";
    absl::StrAppend(&report.item, " on ", options_.page_of(batch[i].thread));
    report_.Add(report);
  }
  return absl::OkStatus();
}

ItemReport CommentDelivery::ReportOn(const Entry& entry, const SpooledComment& comment) const {
  return {.is_comment = true,
          .outcome = Outcome::kValid,
          .path = options_.path_of(entry.thread),
          .item = absl::StrCat("comment ", IdInSource(comment.comment)),
          .state = StateOf(comment.comment),
          .notes = comment.notes,
          .body_bytes = comment.comment.body().size()};
}

// Nothing can be imported any more.
void CommentDelivery::Fail(const absl::Status& error) {
  if (!has_failed_.exchange(true)) report_.Say(absl::StrCat("contentd: ", error.message()));
}

}  // namespace content::transfer
