#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "postgres/transaction.h"

// Statements that take any number of rows as parameters. Not thread-safe, except for const methods.
namespace content::postgres {

/// Appends a text to an array in PostgreSQL's notation
/// (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). `array` must be empty before
/// the first text; the caller appends the closing brace.
void AppendToArray(absl::string_view value, std::string& array);

/// Rows of parameters, as text:
///
///   Rows<2> rows;
///   rows.Add("name", 3);
template <size_t kColumns>
class Rows {
 public:
  using Row = std::array<std::string, kColumns>;

  /// Adds a row of strings, numbers and booleans.
  template <class... Values>
  void Add(const Values&... values) {
    static_assert(sizeof...(Values) == kColumns);
    rows_.push_back({ParameterText(values)...});
  }

  bool empty() const { return rows_.empty(); }
  bool is_one() const { return rows_.size() == 1; }

  /// The first row.
  const Row& one() const { return rows_.front(); }

  /// Returns the values of each column as one array.
  Row columns() const {
    Row columns;
    for (size_t i = 0; i < kColumns; ++i) {
      for (const Row& row : rows_) AppendToArray(row[i], columns[i]);
      absl::StrAppend(&columns[i], rows_.empty() ? "{}" : "}");
    }
    return columns;
  }

 private:
  std::vector<Row> rows_;
};

/// A statement that takes Rows. Several rows are sent as arrays. A single row is sent as plain
/// values, which costs the database half as much.
///
///   const BulkStatement<2> insert(
///       "INSERT INTO t (name, n) SELECT name, n FROM $rows AS r (name, n)", {"text", "integer"});
///   insert.Exec(transaction, rows);
template <size_t kColumns>
class BulkStatement {
 public:
  /// `$rows` in `text` stands for the rows. It must be in a FROM clause and be followed by an alias
  /// that names the columns. `types` are the columns' SQL types.
  BulkStatement(absl::string_view text, const std::array<const char*, kColumns>& types);

  Result Exec(Transaction& transaction, const Rows<kColumns>& rows) const {
    return Pass(rows, [&](const auto&... parameters) { return transaction.Exec(parameters...); });
  }

  /// See Transaction::Queue.
  void Queue(Transaction& transaction, const Rows<kColumns>& rows) const {
    Pass(rows, [&](const auto&... parameters) { transaction.Queue(parameters...); });
  }

 private:
  // Calls `function` with the statement's text and parameters.
  template <class Function>
  auto Pass(const Rows<kColumns>& rows, Function function) const {
    if (rows.is_one()) return std::apply(function, std::tuple_cat(std::tie(one_), rows.one()));
    return std::apply(function, std::tuple_cat(std::tie(many_), rows.columns()));
  }

  std::string one_;
  std::string many_;
};

template <size_t kColumns>
BulkStatement<kColumns>::BulkStatement(absl::string_view text,
                                       const std::array<const char*, kColumns>& types) {
  std::string values;
  std::string arrays;
  for (size_t i = 0; i < kColumns; ++i) {
    const char* const separator = i == 0 ? "" : ", ";
    absl::StrAppend(&values, separator, "$", i + 1, "::", types[i]);
    absl::StrAppend(&arrays, separator, "$", i + 1, "::", types[i], "[]");
  }
  one_ = absl::StrReplaceAll(text, {{"$rows", absl::StrCat("(SELECT ", values, ")")}});
  many_ = absl::StrReplaceAll(text, {{"$rows", absl::StrCat("unnest(", arrays, ")")}});
}

}  // namespace content::postgres
