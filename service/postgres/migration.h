#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace content::postgres {

/// A change of the schema: a file of SQL. Comment lines in it that begin with `-- step: ` divide it
/// into steps, which are applied one after the other and never again:
///
///   -- Comments have a language.
///   -- compatible: yes
///   -- step: transaction
///   ALTER TABLE comment ADD COLUMN language text;
///   -- step: index comment_by_language
///   CREATE INDEX CONCURRENTLY comment_by_language ON comment (language);
///
/// A file without such a line is one transaction.
struct Migration {
  int version;  // 1, 2, 3, ...
  absl::string_view name;
  absl::string_view sql;
};

struct MigrationStep {
  enum class Kind {
    /// `-- step: transaction`: statements that are applied together or not at all. Lock one busy
    /// table, and only for what is done at once.
    kTransaction,
    /// `-- step: no transaction`: one statement that runs by itself. Its locks must be in nobody's
    /// way (VALIDATE CONSTRAINT, DROP INDEX CONCURRENTLY). If it is interrupted it is run again, so
    /// a second run must do no harm.
    kStatement,
    /// `-- step: index NAME`: the CREATE INDEX CONCURRENTLY that makes it. If it is interrupted,
    /// what is left of the index is dropped, and it is made again.
    kIndex,
    /// `-- step: batches of TABLE`: one statement that is run again and again, each time in a
    /// transaction of its own. $1 is the maximum number of rows that it may go through, and $2 is a
    /// text: the `cursor` of its last run, and '' in the first. It returns at most one row with
    /// `rows`, the number of rows that it went through, and `cursor`; no row, or a `cursor` that is
    /// NULL, ends the step. It must find its rows with an index.
    kBatches,
  };
  Kind kind;
  absl::string_view object;  ///< The index, or the table.
  absl::string_view sql;
};

/// Returns the steps of a migration; at least one. FAILED_PRECONDITION if the file is not clear
/// about them, or has neither the line `-- compatible: yes` nor `-- compatible: no` (versions up to
/// 5 have none).
absl::StatusOr<std::vector<MigrationStep>> StepsOf(const Migration& migration);

/// Returns whether programs that need the version before this one also work during and after this
/// migration. Only a line `-- compatible: yes` promises that.
bool IsCompatible(const Migration& migration);

}  // namespace content::postgres
