#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "postgres/connection.h"
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
  bool has_single_row() const { return rows_.size() == 1; }

  /// The first row.
  const Row& front() const { return rows_.front(); }

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

/// A column of BulkStatement::Insert.
struct InsertedColumn {
  const char* name;
  const char* type;
  /// The value that is stored, if it is not the parameter itself. `$` stands for the parameter.
  const char* value = "$";
};

/// A statement that takes Rows. Several rows are sent as arrays. A single row is sent as plain
/// values, which costs the database half as much.
///
///   const BulkStatement<2> raise(
///       "UPDATE t SET n = r.n FROM $rows AS r (name, n) WHERE t.name = r.name", {"text",
///       "integer"});
///   raise.Exec(transaction, rows);
template <size_t kColumns>
class BulkStatement {
 public:
  /// `$rows` in `text` stands for the rows. It must be in a FROM clause and be followed by an alias
  /// that names the columns. `types` are the columns' SQL types.
  BulkStatement(absl::string_view text, const std::array<const char*, kColumns>& types);

  /// Returns a statement that inserts the rows into a table. A single row is inserted with VALUES:
  /// a distributed database knows where it belongs, and reports a duplicate as PostgreSQL does.
  static BulkStatement Insert(absl::string_view table,
                              const std::array<InsertedColumn, kColumns>& columns);

  Result Exec(Transaction& transaction, const Rows<kColumns>& rows) const {
    return Pass(rows, [&](const auto&... parameters) { return transaction.Exec(parameters...); });
  }

  /// See Connection::Read.
  Result Read(Connection& connection, const Rows<kColumns>& rows) const {
    return Pass(rows, [&](const auto&... parameters) { return connection.Read(parameters...); });
  }

  /// See Transaction::Queue.
  void Queue(Transaction& transaction, const Rows<kColumns>& rows) const {
    Pass(rows, [&](const auto&... parameters) { transaction.Queue(parameters...); });
  }

 private:
  BulkStatement(std::string one, std::string many) : one_(std::move(one)), many_(std::move(many)) {}

  // Calls `function` with the statement's text and parameters.
  template <class Function>
  auto Pass(const Rows<kColumns>& rows, Function function) const {
    if (rows.has_single_row())
      return std::apply(function, std::tuple_cat(std::tie(one_), rows.front()));
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

template <size_t kColumns>
BulkStatement<kColumns> BulkStatement<kColumns>::Insert(
    absl::string_view table, const std::array<InsertedColumn, kColumns>& columns) {
  std::string names;
  std::string arrays;
  std::string values_of_one;
  std::string values_of_many;
  for (size_t i = 0; i < kColumns; ++i) {
    const InsertedColumn& column = columns[i];
    const char* const separator = i == 0 ? "" : ", ";
    const std::string parameter = absl::StrCat("$", i + 1, "::", column.type);
    const std::string field = absl::StrCat("n.", column.name);
    absl::StrAppend(&names, separator, column.name);
    absl::StrAppend(&arrays, separator, parameter, "[]");
    absl::StrAppend(&values_of_one, separator,
                    absl::StrReplaceAll(column.value, {{"$", parameter}}));
    absl::StrAppend(&values_of_many, separator, absl::StrReplaceAll(column.value, {{"$", field}}));
  }
  const std::string insert = absl::StrCat("INSERT INTO ", table, " (", names, ") ");
  return {absl::StrCat(insert, "VALUES (", values_of_one, ")"),
          absl::StrCat(insert, "SELECT ", values_of_many, " FROM unnest(", arrays, ") AS n (",
                       names, ")")};
}

}  // namespace content::postgres
