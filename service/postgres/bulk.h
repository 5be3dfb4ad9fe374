#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
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

  /// Returns whether all rows have the same value in the first column, and others beside it.
  bool shares_first() const {
    return kColumns > 1 && !rows_.empty() &&
           std::all_of(rows_.begin(), rows_.end(),
                       [this](const Row& row) { return row[0] == rows_.front()[0]; });
  }

  /// Returns the rows by the value in their first column.
  std::map<std::string, Rows> by_first() const {
    std::map<std::string, Rows> groups;
    for (const Row& row : rows_) groups[row[0]].rows_.push_back(row);
    return groups;
  }

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

  /// The same, but the first column as its one value. Requires shares_first().
  Row columns_after_first() const {
    Row columns = this->columns();
    columns[0] = rows_.front()[0];
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
/// values, which costs the database half as much. So is the first column if all rows have the same
/// value there: a database whose tables are distributed by it then knows where the rows are.
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

  /// The same, but where tables are distributed, runs the statement once for each value in the
  /// first column. To change rows in many places, this is faster there, and locks nothing but these
  /// rows.
  void QueueApart(Transaction& transaction, const Rows<kColumns>& rows) const {
    if (!transaction.is_distributed()) return Queue(transaction, rows);
    for (const auto& [first, group] : rows.by_first()) Queue(transaction, group);
  }

 private:
  // Calls `function` with the statement's text and parameters.
  template <class Function>
  auto Pass(const Rows<kColumns>& rows, Function function) const {
    if (rows.has_single_row())
      return std::apply(function, std::tuple_cat(std::tie(one_), rows.front()));
    if (rows.shares_first())
      return std::apply(function, std::tuple_cat(std::tie(one_first_), rows.columns_after_first()));
    return std::apply(function, std::tuple_cat(std::tie(many_), rows.columns()));
  }

  std::string one_;
  std::string one_first_;
  std::string many_;
};

template <size_t kColumns>
BulkStatement<kColumns>::BulkStatement(absl::string_view text,
                                       const std::array<const char*, kColumns>& types) {
  std::string values;
  std::string arrays;
  std::string arrays_after_first;
  for (size_t i = 0; i < kColumns; ++i) {
    const std::string value = absl::StrCat("$", i + 1, "::", types[i]);
    absl::StrAppend(&values, i == 0 ? "" : ", ", value);
    absl::StrAppend(&arrays, i == 0 ? "" : ", ", value, "[]");
    if (i > 0) absl::StrAppend(&arrays_after_first, i == 1 ? "" : ", ", value, "[]");
  }
  const auto with_rows = [&text](const auto&... rows) {
    return absl::StrReplaceAll(text, {{"$rows", absl::StrCat(rows...)}});
  };
  one_ = with_rows("(SELECT ", values, ")");
  one_first_ =
      with_rows("(SELECT $1::", types[0], ", * FROM unnest(", arrays_after_first, ") AS others)");
  many_ = with_rows("unnest(", arrays, ")");
}

template <size_t kColumns>
BulkStatement<kColumns> BulkStatement<kColumns>::Insert(
    absl::string_view table, const std::array<InsertedColumn, kColumns>& columns) {
  std::string names;
  std::array<const char*, kColumns> types;
  std::string values;  // of a single row
  std::string fields;  // of n
  for (size_t i = 0; i < kColumns; ++i) {
    const InsertedColumn& column = columns[i];
    const char* const separator = i == 0 ? "" : ", ";
    const auto append_value = [&](std::string& list, const std::string& parameter) {
      absl::StrAppend(&list, separator, absl::StrReplaceAll(column.value, {{"$", parameter}}));
    };
    absl::StrAppend(&names, separator, column.name);
    types[i] = column.type;
    append_value(values, absl::StrCat("$", i + 1, "::", column.type));
    append_value(fields, absl::StrCat("n.", column.name));
  }
  const std::string insert = absl::StrCat("INSERT INTO ", table, " (", names, ") ");
  BulkStatement statement(absl::StrCat(insert, "SELECT ", fields, " FROM $rows AS n (", names, ")"),
                          types);
  statement.one_ = absl::StrCat(insert, "VALUES (", values, ")");
  return statement;
}

}  // namespace content::postgres
