#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"

namespace pqxx {
class result;
}

// The result of a statement. All access is checked: a missing row or column, an unexpected NULL,
// and text that does not parse as the requested type throw an exception, which names the columns
// and which the pool turns into INTERNAL.
namespace content::postgres {

/// One value. Valid while the Result's rows exist.
class Field {
 public:
  /// `rows` and `column` are for error messages.
  Field(const char* text, size_t size, const pqxx::result& rows, size_t column)
      : text_(text), size_(size), rows_(&rows), column_(column) {}

  bool is_null() const { return text_ == nullptr; }

  /// Returns the value as NUL-terminated text; empty for NULL.
  const char* c_str() const { return text_ == nullptr ? "" : text_; }
  absl::string_view text() const { return {c_str(), size_}; }

  /// Returns the value as a bool, an integer or a std::string. Throws if it is NULL or does not
  /// parse.
  template <class T>
  T as() const {
    if constexpr (std::is_same_v<T, std::string>) {
      return std::string(NotNull());
    } else if constexpr (std::is_same_v<T, bool>) {
      return ParseBool();
    } else {
      static_assert(std::is_integral_v<T>);
      return Narrow<T>(ParseInteger());
    }
  }

 private:
  absl::string_view NotNull() const;
  bool ParseBool() const;
  int64_t ParseInteger() const;
  // Throws an error that names the column.
  [[noreturn]] void Throw(absl::string_view problem) const;

  template <class T>
  T Narrow(int64_t value) const {
    const T narrow = static_cast<T>(value);
    if (static_cast<int64_t>(narrow) != value || (narrow < T{}) != (value < 0)) {
      Throw("is out of range");
    }
    return narrow;
  }

  const char* text_;
  size_t size_;
  const pqxx::result* rows_;
  size_t column_;
};

class Result;

/// One row. Valid while the Result exists and has not been moved.
class Row {
 public:
  Field operator[](size_t column) const;
  Field operator[](absl::string_view column) const;

 private:
  friend class Result;
  Row(const Result* result, size_t index) : result_(result), index_(index) {}

  const Result* result_;
  size_t index_;
};

/// The rows of one statement, in memory. Move-only.
class Result {
 public:
  explicit Result(const pqxx::result& rows);

  Result(Result&&) = default;
  Result& operator=(Result&&) = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;

  size_t size() const { return row_count_; }
  bool empty() const { return row_count_ == 0; }

  /// Number of rows that the statement inserted, changed or deleted.
  size_t affected_rows() const { return affected_rows_; }

  Row operator[](size_t row) const;

  /// Returns the index of the column with this name.
  size_t column_number(absl::string_view name) const;

  class Iterator {
   public:
    Iterator(const Result* result, size_t index) : result_(result), index_(index) {}
    Row operator*() const { return (*result_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Result* result_;
    size_t index_;
  };
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, row_count_}; }

 private:
  friend class Row;

  // A value without what an error needs.
  struct Value {
    const char* text;  // nullptr for NULL
    size_t size;
  };

  // Returns the columns, as text for errors.
  std::string Columns() const;

  std::shared_ptr<const pqxx::result> rows_;  // owns what the fields point to
  std::vector<Value> values_;                 // row by row
  size_t row_count_ = 0;
  size_t column_count_ = 0;
  size_t affected_rows_ = 0;
};

}  // namespace content::postgres
