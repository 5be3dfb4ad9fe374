#include "postgres/result.h"

#include <pqxx/pqxx>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace content::postgres {
namespace {

// Takes the number in the type that the version of libpqxx wants.
std::string ColumnName(const pqxx::result& rows, size_t column) {
  return rows.column_name(static_cast<pqxx::row_size_type>(column));
}

}  // namespace

absl::string_view Field::NotNull() const {
  if (is_null()) Throw("is NULL");
  return text();
}

bool Field::ParseBool() const {
  const absl::string_view text = NotNull();
  if (text != "t" && text != "f") Throw("is not a boolean");
  return text == "t";
}

int64_t Field::ParseInteger() const {
  int64_t value = 0;
  if (!absl::SimpleAtoi(NotNull(), &value)) Throw("is not an integer");
  return value;
}

void Field::Throw(absl::string_view problem) const {
  throw std::runtime_error(
      absl::StrCat("the value of ", ColumnName(*rows_, column_), " ", problem));
}

Field Row::operator[](size_t column) const {
  if (column >= result_->column_count_) {
    throw std::out_of_range(
        absl::StrCat("there is no column ", column, " in a result of ", result_->Columns()));
  }
  const Result::Value& value = result_->values_[index_ * result_->column_count_ + column];
  return {value.text, value.size, *result_->rows_, column};
}

Field Row::operator[](absl::string_view column) const {
  return (*this)[result_->column_number(column)];
}

Result::Result(const pqxx::result& rows)
    : rows_(std::make_shared<const pqxx::result>(rows)),
      row_count_(static_cast<size_t>(rows.size())),
      column_count_(static_cast<size_t>(rows.columns())),
      affected_rows_(static_cast<size_t>(rows.affected_rows())) {
  values_.reserve(row_count_ * column_count_);
  for (const auto& row : *rows_) {
    for (const auto& field : row) {
      if (field.is_null()) {
        values_.push_back({nullptr, 0});
      } else {
        values_.push_back({field.c_str(), field.size()});
      }
    }
  }
}

Row Result::operator[](size_t row) const {
  if (row >= row_count_) {
    throw std::out_of_range(absl::StrCat("there is no row ", row, " in a result of ", row_count_,
                                         " rows of ", Columns()));
  }
  return {this, row};
}

std::string Result::Columns() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < column_count_; ++i) names.push_back(ColumnName(*rows_, i));
  return absl::StrCat("(", absl::StrJoin(names, ", "), ")");
}

size_t Result::column_number(absl::string_view name) const {
  return static_cast<size_t>(rows_->column_number(std::string(name)));
}

}  // namespace content::postgres
