#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"

// What became of every item of an import.
namespace content::transfer {

enum class Outcome {
  kTaken,      // it is new
  kUnchanged,  // it is there already
  kReplaced,   // it has taken the place of what was there
  kValid,      // it would be taken, as far as can be told without the database
  kDraft,      // it is not meant for readers
  kConflict,   // it is there already with other content, and stays as it is
  kRefused,
  kLeftOut,  // it is no article
};

struct ItemReport {
  bool is_comment = false;
  Outcome outcome;
  /// Of the file, as it was given.
  std::string path;
  /// Which one of the file it is, if the file is an export.
  std::string item = {};
  /// Of the article, if it has one.
  std::string name = {};
  std::string title = {};
  /// Of the comment, if the item is one: "visible", "pending" and so on.
  std::string state = {};
  /// Why the item was refused or left out: one of few.
  std::string reason = {};
  /// The same at length, with a line for each problem.
  std::string problems = {};
  std::vector<std::string> ignored_keys = {};
  std::vector<std::string> notes = {};
  int sections = 0;
  int words = 0;
  size_t body_bytes = 0;
};

/// Counts items, shows how far the import is, and sums it up at the end. Thread-safe. Takes a few
/// kilobytes, however many items there are.
class Report {
 public:
  struct Output {
    /// For the table at the end.
    std::ostream& results;
    /// For progress, and for the problems of the first items that are refused.
    std::ostream& messages;
    /// Whether `messages` is a terminal, where a bar shows the progress. Elsewhere it is a line
    /// every ten seconds.
    bool is_terminal = false;
    /// For a line of JSON for each item; nullptr: nobody wants them.
    std::ostream* lines = nullptr;
  };

  explicit Report(const Output& output, SteadyClock& clock = SteadyClock::System());

  /// Says how many files there are.
  void SetTotal(size_t files);

  /// Says that a file has more items, which will be dealt with.
  void Expect(size_t items);

  /// A file whose items were all announced has been read.
  void FinishFile();

  /// A file, or an item of one, has been dealt with. `item` is what became of it.
  void Add(const ItemReport& item);

  /// Prints a line among the messages.
  void Say(absl::string_view message);

  /// Prints the table. `is_complete`: whether every file was dealt with.
  void Finish(bool is_complete);

  /// Returns 0 if something came in or was there, and nothing was refused or in conflict; 1 if
  /// something was, too; 2 if nothing came in or was there.
  int ExitStatus() const;

 private:
  // Whether they are comments, and what became of them.
  using Kind = std::pair<bool, Outcome>;

  // Items of one kind, and the first of them.
  struct Row {
    int64_t count = 0;
    std::vector<std::string> first = {};
  };

  void Count(const ItemReport& item);
  void ExplainRefusal(const ItemReport& item);
  void WriteLine(const ItemReport& item) const;
  void ShowProgress();
  void ClearBar();
  void PrintRow(absl::string_view label, const Row& row) const;
  void PrintCounts(absl::string_view label, absl::string_view separator,
                   const std::map<std::string, int64_t>& counts) const;
  std::string Progress() const;
  std::string Bar() const;

  const Output output_;
  SteadyClock& clock_;
  const SteadyTime start_;
  mutable std::mutex mutex_;  // guards all that follow
  SteadyTime shown_;
  bool has_bar_ = false;
  int64_t total_ = 0;
  bool has_items_ = false;
  int64_t done_ = 0;
  int explained_ = 0;
  std::map<Kind, Row> rows_;
  std::map<std::pair<Kind, std::string>, Row> reasons_;
  std::map<std::string, int64_t> notes_;
  std::map<std::string, int64_t> ignored_keys_;
};

/// Returns a text, which may be any bytes, as one line of printable UTF-8.
std::string Printable(absl::string_view text);

/// Returns where an item is, as one line: its file and, if that is an export, which one it is.
std::string PlaceOf(const ItemReport& item);

/// Returns whether a file that begins so is a report (Report::Output::lines).
bool BeginsAsReport(absl::string_view head);

}  // namespace content::transfer
