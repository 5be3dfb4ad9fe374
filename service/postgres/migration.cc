#include "postgres/migration.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace content::postgres {
namespace {

constexpr absl::string_view kStepMark = "-- step: ";
// The migrations up to this one are older than the question, and not compatible.
constexpr int kLastWithoutAnswer = 5;
constexpr absl::string_view kCompatible = "-- compatible: yes";
constexpr absl::string_view kNotCompatible = "-- compatible: no";

bool HasLine(absl::string_view text, absl::string_view wanted) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  return std::find(lines.begin(), lines.end(), wanted) != lines.end();
}

// Names need no quotes in SQL.
bool IsName(absl::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == absl::string_view::npos;
}

// Parses what follows the mark. The step's SQL is still empty.
std::optional<MigrationStep> ParseMark(absl::string_view text) {
  if (text == "transaction") return MigrationStep{MigrationStep::Kind::kTransaction, "", ""};
  if (text == "no transaction") return MigrationStep{MigrationStep::Kind::kStatement, "", ""};
  if (absl::ConsumePrefix(&text, "index ") && IsName(text)) {
    return MigrationStep{MigrationStep::Kind::kIndex, text, ""};
  }
  if (absl::ConsumePrefix(&text, "batches of ") && IsName(text)) {
    return MigrationStep{MigrationStep::Kind::kBatches, text, ""};
  }
  return std::nullopt;
}

// Returns the place of the first mark at or after `from` that begins a line; npos if there is none.
size_t FindMark(absl::string_view sql, size_t from) {
  size_t at = sql.find(kStepMark, from);
  while (at != absl::string_view::npos && at > 0 && sql[at - 1] != '\n') {
    at = sql.find(kStepMark, at + 1);
  }
  return at;
}

// Only comments may precede the first step, because nothing would run them.
bool HasOnlyComments(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  return std::all_of(lines.begin(), lines.end(), [](absl::string_view line) {
    return line.empty() || absl::StartsWith(line, "--");
  });
}

// Returns whether the line is a mark, or was meant to be one.
bool LooksLikeMark(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "--")) return false;
  return absl::StartsWithIgnoreCase(absl::StripLeadingAsciiWhitespace(line), "step");
}

absl::Status InvalidMigration(const Migration& migration, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("migration ", migration.name, " ", what));
}

// A mark that was mistyped would be a comment.
absl::Status CheckLines(const Migration& migration) {
  const std::vector<absl::string_view> lines = absl::StrSplit(migration.sql, '\n');
  for (const absl::string_view line : lines) {
    if (LooksLikeMark(line) && !absl::StartsWith(line, kStepMark)) {
      return InvalidMigration(migration, absl::StrCat("has a mistyped mark: ", line));
    }
  }
  const bool has_answer = IsCompatible(migration) || HasLine(migration.sql, kNotCompatible);
  if (migration.version > kLastWithoutAnswer && !has_answer) {
    return InvalidMigration(
        migration,
        "does not say whether it is compatible: it needs a line `-- compatible: yes` or "
        "`-- compatible: no`");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<MigrationStep>> StepsOf(const Migration& migration) {
  if (absl::Status status = CheckLines(migration); !status.ok()) return status;
  const absl::string_view sql = migration.sql;
  size_t at = FindMark(sql, 0);
  if (at == absl::string_view::npos) {
    return std::vector<MigrationStep>{{MigrationStep::Kind::kTransaction, "", sql}};
  }
  if (!HasOnlyComments(sql.substr(0, at))) {
    return InvalidMigration(migration, "has SQL before its first step");
  }
  std::vector<MigrationStep> steps;
  while (at != absl::string_view::npos) {
    const size_t end_of_mark = std::min(sql.find('\n', at), sql.size());
    const size_t end = FindMark(sql, end_of_mark);
    const size_t text_at = at + kStepMark.size();
    std::optional<MigrationStep> step = ParseMark(sql.substr(text_at, end_of_mark - text_at));
    if (!step) return InvalidMigration(migration, "has a step of an unknown kind");
    step->sql = sql.substr(end_of_mark, std::min(end, sql.size()) - end_of_mark);
    steps.push_back(*step);
    at = end;
  }
  return steps;
}

bool IsCompatible(const Migration& migration) { return HasLine(migration.sql, kCompatible); }

}  // namespace content::postgres
