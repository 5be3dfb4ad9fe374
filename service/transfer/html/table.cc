#include "transfer/html/table.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "content/text.h"
#include "transfer/html/tree.h"

namespace content::transfer {
namespace {

constexpr size_t kMaxColumns = 30;
constexpr size_t kMaxWidth = 100;  // of a table as code, in characters

using Row = std::vector<Runs>;

struct Table {
  bool has_header = false;
  std::vector<Row> rows;
};

bool IsCell(const GumboNode& node) { return IsElement(node, {GUMBO_TAG_TD, GUMBO_TAG_TH}); }

// Returns whether a cell with such an element is a part of the page rather than of a table.
bool IsBlockOfPage(const GumboNode& node) {
  return IsElement(node, {GUMBO_TAG_TABLE, GUMBO_TAG_UL, GUMBO_TAG_OL, GUMBO_TAG_DL, GUMBO_TAG_PRE,
                          GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_H1, GUMBO_TAG_H2, GUMBO_TAG_H3,
                          GUMBO_TAG_H4, GUMBO_TAG_H5, GUMBO_TAG_H6, GUMBO_TAG_HR, GUMBO_TAG_FIGURE,
                          GUMBO_TAG_FORM, GUMBO_TAG_ARTICLE});
}

// Returns how many rows or columns a cell takes.
size_t Span(const GumboNode& cell, const char* attribute) {
  size_t span = 0;
  if (!absl::SimpleAtoi(Attribute(cell, attribute), &span)) return 1;
  return std::clamp(span, size_t{1}, kMaxColumns);
}

// Arranges cells in rows and columns.
class Grid {
 public:
  void AddRow() {
    FillTaken();
    rows_.emplace_back();
  }

  void AddCell(const GumboNode& cell, Runs text) {
    FillTaken();
    const size_t rows = Span(cell, "rowspan");
    for (size_t i = 0; i < Span(cell, "colspan"); ++i) {
      const size_t column = rows_.back().size();
      if (column == kMaxColumns) return;
      if (taken_.size() <= column) taken_.resize(column + 1);
      taken_[column] = rows - 1;
      rows_.back().push_back(std::exchange(text, {}));
    }
  }

  std::vector<Row> Take() {
    FillTaken();
    size_t columns = 0;
    for (const Row& row : rows_) columns = std::max(columns, row.size());
    for (Row& row : rows_) row.resize(columns);
    return std::move(rows_);
  }

 private:
  // Passes the columns here that cells of earlier rows take.
  void FillTaken() {
    if (rows_.empty()) return;
    Row& row = rows_.back();
    while (row.size() < taken_.size() && taken_[row.size()] > 0) {
      --taken_[row.size()];
      row.emplace_back();
    }
  }

  std::vector<Row> rows_;
  std::vector<size_t> taken_;  // by column: how many further rows its last cell takes
};

using CellNodes = std::vector<std::vector<const GumboNode*>>;

// The cells of each row. The table must contain no other.
CellNodes CellsOf(const GumboNode& table) {
  CellNodes rows;
  Visit(table, [&rows](const GumboNode& node) {
    if (IsElement(node, {GUMBO_TAG_TR})) rows.emplace_back();
    if (!IsCell(node)) return !IsElement(node, {GUMBO_TAG_CAPTION});
    if (!rows.empty()) rows.back().push_back(&node);
    return false;
  });
  rows.erase(std::remove_if(rows.begin(), rows.end(), [](const auto& row) { return row.empty(); }),
             rows.end());
  return rows;
}

Table ReadTable(const GumboNode& table, absl::FunctionRef<Runs(const GumboNode&)> read) {
  const CellNodes rows = CellsOf(table);
  Grid grid;
  for (const auto& row : rows) {
    grid.AddRow();
    for (const GumboNode* const cell : row) grid.AddCell(*cell, read(*cell));
  }
  const bool has_header =
      std::all_of(rows.front().begin(), rows.front().end(),
                  [](const GumboNode* cell) { return IsElement(*cell, {GUMBO_TAG_TH}); });
  return {.has_header = has_header, .rows = grid.Take()};
}

bool IsPlain(const Runs& text) {
  return std::all_of(text.begin(), text.end(), [](const Run& run) {
    return run.link.empty() && (run.kind == Run::Kind::kText || run.kind == Run::Kind::kCode);
  });
}

// The width of each column, in characters.
std::vector<size_t> ColumnWidths(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], CountCharacters(PlainText(row[i])));
    }
  }
  return widths;
}

bool FitsIntoColumns(const Table& table) {
  size_t total = 0;
  for (const size_t width : ColumnWidths(table.rows)) total += width + 3;
  return total <= kMaxWidth &&
         std::all_of(table.rows.begin(), table.rows.end(),
                     [](const Row& row) { return std::all_of(row.begin(), row.end(), IsPlain); });
}

std::string RowLine(const Row& row, const std::vector<size_t>& widths) {
  std::vector<std::string> cells;
  for (size_t i = 0; i < row.size(); ++i) {
    std::string text = PlainText(row[i]);
    text.append(widths[i] - CountCharacters(text), ' ');
    cells.push_back(std::move(text));
  }
  return std::string(absl::StripTrailingAsciiWhitespace(absl::StrJoin(cells, " | ")));
}

Block InColumns(const Table& table) {
  const std::vector<size_t> widths = ColumnWidths(table.rows);
  std::vector<std::string> lines;
  for (const Row& row : table.rows) lines.push_back(RowLine(row, widths));
  if (table.has_header) {
    std::vector<std::string> rules;
    for (const size_t width : widths) rules.emplace_back(width, '-');
    lines.insert(lines.begin() + 1, absl::StrJoin(rules, "-|-"));
  }
  return {.kind = Block::Kind::kCode, .code = absl::StrJoin(lines, "\n")};
}

// A row, with the heading of its column before each cell.
Block RowItem(const Row& row, const std::vector<std::string>& headings) {
  Runs text;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].empty()) continue;
    if (!text.empty()) text.push_back({.kind = Run::Kind::kBreak});
    if (!headings.empty() && !headings[i].empty()) {
      text.push_back({.text = absl::StrCat(headings[i], ":"), .is_strong = true});
      text.push_back({.text = " "});
    }
    text.insert(text.end(), row[i].begin(), row[i].end());
  }
  Block item{.kind = Block::Kind::kItem};
  for (Runs& paragraph : Paragraphs(text)) item.children.push_back({.runs = std::move(paragraph)});
  return item;
}

// Returns the headings of the columns, if there are some and they are short enough to be repeated
// in each row. Longer ones could make a text of any length.
std::vector<std::string> HeadingsOf(const Table& table) {
  constexpr size_t kMaxHeadingCharacters = 40;
  std::vector<std::string> headings;
  if (!table.has_header) return headings;
  for (const Runs& cell : table.rows.front()) {
    if (!IsPlain(cell)) return {};
    headings.push_back(PlainText(cell));
    if (CountCharacters(headings.back()) > kMaxHeadingCharacters) return {};
  }
  return headings;
}

Block AsList(const Table& table) {
  Block list{.kind = Block::Kind::kList};
  const std::vector<std::string> headings = HeadingsOf(table);
  for (size_t i = headings.empty() ? 0 : 1; i < table.rows.size(); ++i) {
    Block item = RowItem(table.rows[i], headings);
    if (!item.children.empty()) list.children.push_back(std::move(item));
  }
  return list;
}

}  // namespace

bool IsDataTable(const GumboNode& table) {
  if (HasWord(table, "role", {"presentation", "none"})) return false;
  bool has_blocks = false;
  Visit(table, [&](const GumboNode& node) {
    if (&node != &table && IsBlockOfPage(node)) has_blocks = true;
    return !has_blocks;
  });
  if (has_blocks) return false;
  size_t columns = 0;
  const CellNodes rows = CellsOf(table);
  for (const auto& row : rows) columns = std::max(columns, row.size());
  return rows.size() >= 2 && columns >= 2 && columns <= kMaxColumns;
}

Block TableBlock(const GumboNode& table, absl::FunctionRef<Runs(const GumboNode& cell)> read) {
  const Table data = ReadTable(table, read);
  return FitsIntoColumns(data) ? InColumns(data) : AsList(data);
}

}  // namespace content::transfer
