#include "transfer/report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "content/text.h"

namespace content::transfer {
namespace {

constexpr size_t kFirst = 3;
constexpr int kMaxExplained = 20;
constexpr size_t kMaxCounted = 200;
constexpr size_t kShownCounted = 10;
constexpr absl::Duration kBarInterval = absl::Milliseconds(100);
constexpr absl::Duration kLineInterval = absl::Seconds(10);
constexpr int kBarWidth = 24;
constexpr absl::string_view kClearLine = "\r\x1b[K";

constexpr std::array<std::pair<Outcome, absl::string_view>, 8> kLabels = {{
    {Outcome::kTaken, "taken"},
    {Outcome::kUnchanged, "unchanged"},
    {Outcome::kReplaced, "replaced"},
    {Outcome::kValid, "valid"},
    {Outcome::kDraft, "draft"},
    {Outcome::kConflict, "conflict"},
    {Outcome::kRefused, "refused"},
    {Outcome::kLeftOut, "left out"},
}};

absl::string_view LabelOf(Outcome outcome) {
  return std::find_if(kLabels.begin(), kLabels.end(),
                      [outcome](const auto& label) { return label.first == outcome; })
      ->second;
}

bool IsIn(Outcome outcome) {
  return outcome == Outcome::kTaken || outcome == Outcome::kUnchanged ||
         outcome == Outcome::kReplaced || outcome == Outcome::kValid;
}

// 1234567 -> "1,234,567"
std::string WithCommas(int64_t number) {
  std::string text = absl::StrCat(number);
  for (size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

std::string Rounded(absl::Duration time) {
  return absl::FormatDuration(absl::Ceil(time, absl::Seconds(1)));
}

}  // namespace

std::string Printable(absl::string_view text) {
  return OneLine(IsUtf8(text) ? std::string(text) : absl::CHexEscape(text));
}

std::string PlaceOf(const ItemReport& item) {
  const std::string path = Printable(item.path);
  return item.item.empty() ? path : absl::StrCat(path, ": ", Printable(item.item));
}

bool BeginsAsReport(absl::string_view head) { return absl::StartsWith(head, "{\"path\":"); }

Report::Report(const Output& output, SteadyClock& clock)
    : output_(output), clock_(clock), start_(clock.Now()), shown_(start_) {}

void Report::SetTotal(size_t files) {
  const std::lock_guard lock(mutex_);
  total_ = static_cast<int64_t>(files);
}

void Report::Expect(size_t items) {
  const std::lock_guard lock(mutex_);
  total_ += static_cast<int64_t>(items);
  has_items_ = true;
  ShowProgress();
}

void Report::FinishFile() {
  const std::lock_guard lock(mutex_);
  ++done_;
}

void Report::Add(const ItemReport& item) {
  const std::lock_guard lock(mutex_);
  ++done_;
  Count(item);
  if (output_.lines != nullptr) WriteLine(item);
  const bool stays_out = item.outcome == Outcome::kRefused || item.outcome == Outcome::kConflict;
  if (stays_out && !item.problems.empty()) ExplainRefusal(item);
  ShowProgress();
}

void Report::Say(absl::string_view message) {
  const std::lock_guard lock(mutex_);
  ClearBar();
  output_.messages << message << std::endl;
}

void Report::Count(const ItemReport& item) {
  const auto count = [&item](Row& row) {
    ++row.count;
    if (row.first.size() >= kFirst) return;
    row.first.push_back(IsIn(item.outcome) && !item.name.empty() ? item.name : PlaceOf(item));
  };
  const Kind kind = {item.is_comment, item.outcome};
  count(rows_[kind]);
  if (!item.reason.empty()) count(reasons_[{kind, item.reason}]);
  for (const std::string& note : item.notes) {
    if (notes_.size() < kMaxCounted || notes_.contains(note)) ++notes_[note];
  }
  for (const std::string& key : item.ignored_keys) {
    if (ignored_keys_.size() < kMaxCounted || ignored_keys_.contains(key)) ++ignored_keys_[key];
  }
}

void Report::ExplainRefusal(const ItemReport& item) {
  if (explained_ > kMaxExplained) return;
  ClearBar();
  if (explained_++ == kMaxExplained) {
    const char* const where = output_.lines != nullptr ? "the report" : "--report FILE";
    output_.messages << "contentd: more did not come in; " << where << " lists all" << std::endl;
    return;
  }
  for (const absl::string_view problem : absl::StrSplit(item.problems, '\n')) {
    output_.messages << "contentd: " << PlaceOf(item) << ": " << Printable(problem) << "\n";
  }
  output_.messages.flush();
}

void Report::WriteLine(const ItemReport& item) const {
  nlohmann::ordered_json line = {{"path", item.path}, {"outcome", LabelOf(item.outcome).data()}};
  if (item.is_comment) line["kind"] = "comment";
  if (!item.item.empty()) line["item"] = item.item;
  if (!item.name.empty()) line["name"] = item.name;
  if (!item.title.empty()) line["title"] = item.title;
  if (!item.state.empty()) line["state"] = item.state;
  if (!item.reason.empty()) line["reason"] = item.reason;
  if (!item.problems.empty()) {
    line["problems"] = std::vector<std::string>(absl::StrSplit(item.problems, '\n'));
  }
  if (!item.ignored_keys.empty()) line["ignored_keys"] = item.ignored_keys;
  if (!item.notes.empty()) line["notes"] = item.notes;
  if (IsIn(item.outcome) && !item.is_comment) {
    line["sections"] = item.sections;
    line["words"] = item.words;
    line["body_bytes"] = item.body_bytes;
  }
  *output_.lines << line.dump(-1, ' ', /*ensure_ascii=*/false,
                              nlohmann::ordered_json::error_handler_t::replace)
                 << "\n";
}

void Report::ShowProgress() {
  const SteadyTime now = clock_.Now();
  if (now - shown_ < (output_.is_terminal ? kBarInterval : kLineInterval)) return;
  shown_ = now;
  if (output_.is_terminal) {
    output_.messages << kClearLine << Bar() << " " << Progress() << std::flush;
    has_bar_ = true;
  } else {
    output_.messages << Progress() << std::endl;
  }
}

void Report::ClearBar() {
  if (std::exchange(has_bar_, false)) output_.messages << kClearLine;
}

std::string Report::Progress() const {
  std::string progress =
      absl::StrCat(WithCommas(done_), " of ", WithCommas(total_), has_items_ ? " items" : " files");
  if (done_ == 0) return progress;  // a large file is still being read
  const double rate = static_cast<double>(done_) / absl::ToDoubleSeconds(shown_ - start_);
  absl::StrAppend(&progress, ", ", WithCommas(static_cast<int64_t>(rate)), "/s");
  if (total_ > done_) {
    const double seconds = static_cast<double>(total_ - done_) / rate;
    absl::StrAppend(&progress, ", ", Rounded(absl::Seconds(seconds)), " left");
  }
  return progress;
}

std::string Report::Bar() const {
  const double share = total_ == 0 ? 1 : static_cast<double>(done_) / static_cast<double>(total_);
  const int filled = std::min(static_cast<int>(share * kBarWidth), kBarWidth);
  return absl::StrFormat("[%s%s] %3d%%", std::string(static_cast<size_t>(filled), '#'),
                         std::string(static_cast<size_t>(kBarWidth - filled), '.'),
                         std::min(static_cast<int>(share * 100), 100));
}

void Report::PrintRow(absl::string_view label, const Row& row) const {
  const bool are_more = row.count > static_cast<int64_t>(row.first.size());
  output_.results << absl::StrFormat("%-24s %9s  %s%s\n", label, WithCommas(row.count),
                                     absl::StrJoin(row.first, ", "), are_more ? ", ..." : "");
}

void Report::Finish(bool is_complete) {
  const std::lock_guard lock(mutex_);
  ClearBar();
  if (rows_.empty() && is_complete) output_.messages << "contentd: there is nothing to import\n";
  output_.messages.flush();
  for (const auto& [kind, row] : rows_) {
    const auto& [is_comment, outcome] = kind;
    PrintRow(absl::StrCat(is_comment ? "comments " : "", LabelOf(outcome)), row);
    for (const auto& [reason, items] : reasons_) {
      if (reason.first == kind && outcome != Outcome::kDraft) {
        PrintRow(absl::StrCat("  ", reason.second), items);
      }
    }
  }
  PrintCounts("Keys that were ignored: ", ", ", ignored_keys_);
  PrintCounts("Notes: ", "; ", notes_);
  output_.results.flush();
}

// Prints what is most frequent.
void Report::PrintCounts(absl::string_view label, absl::string_view separator,
                         const std::map<std::string, int64_t>& counts) const {
  if (counts.empty()) return;
  std::vector<std::pair<std::string, int64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (sorted.size() > kShownCounted) sorted.resize(kShownCounted);
  const auto append = [](std::string* text, const auto& entry) {
    absl::StrAppend(text, Printable(entry.first), " (", WithCommas(entry.second), ")");
  };
  output_.results << label << absl::StrJoin(sorted, separator, append) << "\n";
}

int Report::ExitStatus() const {
  const std::lock_guard lock(mutex_);
  const bool has_come_in = std::any_of(rows_.begin(), rows_.end(),
                                       [](const auto& row) { return IsIn(row.first.second); });
  if (!has_come_in) return 2;
  const bool has_lost = std::any_of(rows_.begin(), rows_.end(), [](const auto& row) {
    return row.first.second == Outcome::kRefused || row.first.second == Outcome::kConflict;
  });
  return has_lost ? 1 : 0;
}

}  // namespace content::transfer
