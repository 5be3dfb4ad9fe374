#include "postgres/result.h"

#include <pqxx/pqxx>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace content::postgres {

absl::string_view Field::NotNull() const {
  if (is_null()) throw std::runtime_error("the value is NULL");
  return text();
}

bool Field::ParseBool(absl::string_view text) {
  if (text != "t" && text != "f") throw std::runtime_error("the value is not a boolean");
  return text == "t";
}

int64_t Field::ParseInteger(absl::string_view text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) throw std::runtime_error("the value is not an integer");
  return value;
}

void Field::ThrowOutOfRange(int64_t value) {
  throw std::runtime_error(absl::StrCat(value, " is out of range"));
}

Field Row::operator[](size_t column) const {
  if (column >= result_->column_count_) throw std::out_of_range("there is no such column");
  return result_->fields_[index_ * result_->column_count_ + column];
}

Field Row::operator[](absl::string_view column) const {
  return (*this)[result_->column_number(column)];
}

Result::Result(const pqxx::result& rows)
    : rows_(std::make_shared<const pqxx::result>(rows)),
      row_count_(static_cast<size_t>(rows.size())),
      column_count_(static_cast<size_t>(rows.columns())),
      affected_rows_(static_cast<size_t>(rows.affected_rows())) {
  fields_.reserve(row_count_ * column_count_);
  for (const auto& row : *rows_) {
    for (const auto& field : row) {
      if (field.is_null()) {
        fields_.emplace_back(nullptr, 0);
      } else {
        fields_.emplace_back(field.c_str(), field.size());
      }
    }
  }
}

Row Result::operator[](size_t row) const {
  if (row >= row_count_) throw std::out_of_range("there is no such row");
  return {this, row};
}

size_t Result::column_number(absl::string_view name) const {
  return static_cast<size_t>(rows_->column_number(std::string(name)));
}

}  // namespace content::postgres
