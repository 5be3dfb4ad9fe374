#include "transfer/substack.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/encoding.h"
#include "transfer/files.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

// More than the list of any archive has.
constexpr size_t kMaxListBytes = size_t{64} << 20;

using CsvRow = std::vector<std::string>;

// Removes the first value of a row, with the comma or the line end after it, and returns it. A
// value in quotes may have commas, line ends and, twice, quotes. `ends_row`: whether it was the
// last one.
std::string TakeValue(absl::string_view& csv, bool& ends_row) {
  std::string value;
  bool is_quoted = false;
  size_t i = 0;
  for (; i < csv.size(); ++i) {
    if (csv[i] == '"') {
      if (is_quoted && i + 1 < csv.size() && csv[i + 1] == '"') {
        value.push_back(csv[++i]);
      } else {
        is_quoted = !is_quoted;
      }
    } else if (!is_quoted && (csv[i] == ',' || csv[i] == '\n')) {
      break;
    } else {
      value.push_back(csv[i]);
    }
  }
  ends_row = i == csv.size() || csv[i] == '\n';
  csv.remove_prefix(std::min(i + 1, csv.size()));
  return std::string(absl::StripAsciiWhitespace(value));
}

CsvRow TakeRow(absl::string_view& csv) {
  CsvRow row;
  for (bool ends_row = false; !ends_row;) row.push_back(TakeValue(csv, ends_row));
  return row;
}

// The columns that are read.
struct Columns {
  size_t id = std::string::npos;
  size_t date = std::string::npos;
  size_t is_published = std::string::npos;
  size_t audience = std::string::npos;
  size_t title = std::string::npos;
  size_t subtitle = std::string::npos;
};

std::optional<Columns> ColumnsOf(const CsvRow& names) {
  Columns columns;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == "post_id") columns.id = i;
    if (names[i] == "post_date") columns.date = i;
    if (names[i] == "is_published") columns.is_published = i;
    if (names[i] == "audience") columns.audience = i;
    if (names[i] == "title") columns.title = i;
    if (names[i] == "subtitle") columns.subtitle = i;
  }
  const bool is_list = columns.id != std::string::npos && columns.title != std::string::npos &&
                       columns.is_published != std::string::npos;
  return is_list ? std::optional(columns) : std::nullopt;
}

std::string ValueIn(const CsvRow& row, size_t column) {
  return column < row.size() ? row[column] : "";
}

std::string WhyDraft(const CsvRow& row, const Columns& columns) {
  const std::string is_published = ValueIn(row, columns.is_published);
  if (!absl::EqualsIgnoreCase(is_published, "true")) {
    return absl::StrCat("posts.csv: is_published is ", is_published);
  }
  const std::string audience = ValueIn(row, columns.audience);
  if (audience.empty() || audience == "everyone") return "";
  return absl::StrCat("posts.csv: audience is ", audience);
}

// Both are HTML.
std::string TextIn(const CsvRow& row, size_t column) {
  return OneLine(HtmlToPlainText(ValueIn(row, column)));
}

ListedPost PostIn(const CsvRow& row, const Columns& columns) {
  const std::string id = ValueIn(row, columns.id);
  const size_t dot = id.find('.');
  return {.title = TextIn(row, columns.title),
          .summary = TextIn(row, columns.subtitle),
          .time = ParseDate(ValueIn(row, columns.date)),
          .slug = dot == std::string::npos ? "" : id.substr(dot + 1),
          .draft = WhyDraft(row, columns)};
}

std::string NumberOf(absl::string_view id) { return std::string(id.substr(0, id.find('.'))); }

// Returns the number of a post in the name of its file; empty if that is no post's.
std::string NumberInName(const std::string& name) {
  std::string number = NumberOf(name);
  const bool is_number = number.find_first_not_of("0123456789") == std::string::npos;
  return is_number && absl::EndsWith(name, ".html") ? number : "";
}

}  // namespace

bool IsListOfPosts(absl::string_view head) {
  const std::string decoded = BeginningInUtf8(head);
  absl::string_view csv = decoded;
  absl::ConsumePrefix(&csv, "\uFEFF");
  return ColumnsOf(TakeRow(csv)).has_value();
}

std::optional<std::map<std::string, ListedPost>> ReadListOfPosts(const std::string& path) {
  absl::StatusOr<std::string> content = ReadFile(path, kMaxListBytes);
  if (!content.ok()) return std::nullopt;
  const std::string encoding = FindEncoding(*content, /*is_html=*/false);
  if (!encoding.empty()) content = Decode(*content, encoding);
  if (!content.ok() || !IsUtf8(*content)) return std::nullopt;
  absl::string_view csv = *content;
  absl::ConsumePrefix(&csv, "\uFEFF");
  const std::optional<Columns> columns = ColumnsOf(TakeRow(csv));
  if (!columns) return std::nullopt;
  std::map<std::string, ListedPost> posts;
  while (!csv.empty()) {
    const CsvRow row = TakeRow(csv);
    posts.emplace(NumberOf(ValueIn(row, columns->id)), PostIn(row, *columns));
  }
  return posts;
}

const ListedPost* ListsOfPosts::Find(const std::string& path) {
  const fs::path file(path);
  const std::string number = NumberInName(file.filename().string());
  if (number.empty()) return nullptr;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::string list = (folder / ".." / "posts.csv").string();
  if (list != path_) {
    posts_ = ReadListOfPosts(list);
    path_ = std::move(list);
  }
  if (!posts_) return IdOfFile(path_) ? &of_unread_list_ : nullptr;
  const auto post = posts_->find(number);
  return post == posts_->end() ? &unlisted_ : &post->second;
}

}  // namespace content::transfer
