#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>

#include "postgres/transaction.h"
#include "store/comments/stored_key.h"

namespace content::store {

/// A reader's report of a comment.
struct ReportKey {
  StoredKey comment;
  std::string reporter_id;

  friend auto operator<=>(const ReportKey&, const ReportKey&) = default;
};

/// Reports of comments on locked articles. Like CommentTree, it reads what a transaction needs into
/// memory, changes it there, and writes the changes at the end. A report is open until a moderator
/// judges its comment. After that it stays, so that its reader is not counted again.
///
/// Readers see nothing of reports, so they change neither the comment nor the article's revision.
/// Not thread-safe.
class CommentReports {
 public:
  explicit CommentReports(postgres::Transaction& transaction) : transaction_(transaction) {}

  /// Reads the numbers of open reports of `comments`, and which of `reports` were made before.
  void Read(const std::set<StoredKey>& comments, const std::set<ReportKey>& reports);

  /// Returns whether the report was read or added.
  bool Has(const ReportKey& report) const { return made_.contains(report); }

  /// Returns the number of open reports of a comment that was read.
  int CountOf(const StoredKey& comment) const;

  /// Adds an open report, which must not be there yet.
  void Add(const ReportKey& report);

  /// Settles the open reports of a comment that has some.
  void Settle(const StoredKey& comment);

  /// Makes Write store the number of open reports as it was read, whatever is stored.
  void Recount(const StoredKey& comment) { recounted_.insert(comment); }

  bool has_changes() const { return !recounted_.empty(); }

  /// Writes all changes, at the latest with the commit.
  void Write() const;

 private:
  void WriteCounts() const;

  postgres::Transaction& transaction_;
  std::set<ReportKey> made_;
  std::map<ReportKey, bool> added_;  // whether it is settled
  std::map<StoredKey, int> counts_;  // without comments that have no open reports
  std::set<StoredKey> settled_;      // those whose stored reports are settled
  std::set<StoredKey> recounted_;    // those whose stored number is wrong
};

/// Deletes all reports of these comments, at the latest with the commit.
void DeleteReports(postgres::Transaction& transaction, const std::set<StoredKey>& comments);

}  // namespace content::store
