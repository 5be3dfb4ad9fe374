#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/page.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "postgres/result.h"

// Columns of articles and comments, and the pieces of SQL that statements share.
//
// In all of them `s` is a row of article_state, `a` of article, and `c` of comment. Times go in as
// RFC 3339 text and come out as microseconds. Rows are read by the places of the columns, so a
// statement selects them before any others:
//
//   SELECT <CommentColumns()>, c.shown FROM comment c JOIN article_state s USING (article_id) ...
namespace content::store {

/// Columns for ReadState. They need `s`.
std::string StateColumns();

/// Reads a row that has StateColumns from the column `first` on.
ArticleState ReadState(const postgres::Row& row, size_t first);

/// Columns for ReadArticle and EncodeArticle, which begin with StateColumns. They need `s` and `a`.
/// `body` is the SQL of the body in the FULL view.
std::string ArticleColumns(v1::ArticleView view, absl::string_view body = "a.body");

/// Reads a row that begins with ArticleColumns of `view`.
v1::Article ReadArticle(const postgres::Row& row, v1::ArticleView view);

/// Whether the body in a row that begins with ArticleColumns of the FULL view is not NULL.
bool HasBody(const postgres::Row& row);

/// Like ReadArticle, but returns the article as it is sent, without making a message of its body.
EncodedArticle EncodeArticle(const postgres::Row& row, v1::ArticleView view);

/// Columns for ReadComment. They need `s` and `c`.
std::string CommentColumns();

/// Readers see author and text of VISIBLE comments only.
enum class Audience { kReaders, kModerators };

/// Reads a row that begins with CommentColumns.
v1::Comment ReadComment(const postgres::Row& row, Audience audience);

// ---- Conditions and expressions ----

/// The condition that `s` has, or had, the name in `parameter` (such as "$1").
std::string IsNamed(absl::string_view parameter);

/// The condition that readers see the article `s` at the time in the parameter `now`.
std::string IsReadable(absl::string_view now);

/// The former names of the article `s`, sorted, as a text array.
extern const char kFormerNames[];

// ---- Parameters and values ----

/// `time` as a parameter, cut to microseconds. Infinite times become PostgreSQL's.
std::string TimeParameter(absl::Time time);

/// The present as a parameter.
std::string NowParameter();

/// Any texts as a parameter of type text[].
std::string ArrayParameter(const std::vector<std::string>& values);

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);

/// Reads a text array whose values have no quotes, backslashes or commas, such as names.
std::vector<std::string> ReadArray(const postgres::Field& field);

// ---- Pages ----

/// Returns a page of the first of `rows`, each read by `read`: at most `page_size` items of at most
/// `max_bytes` together, but at least one if there is a row. The rows have a column `page_key`.
/// `matched` is the number of rows that the statement found; `rows` may be fewer, because it cuts
/// them by bytes as well.
template <class T, class Read>
Page<T> FillPage(const postgres::Result& rows, size_t matched, int page_size, int max_bytes,
                 Read read) {
  const size_t page_key = rows.column_number("page_key");
  Page<T> page;
  size_t bytes = 0;
  std::string last_key;
  for (const auto& row : rows) {
    if (page.items.size() == static_cast<size_t>(page_size)) break;
    T item = read(row);
    bytes += item.ByteSizeLong();
    if (bytes > static_cast<size_t>(std::max(max_bytes, 0)) && !page.items.empty()) break;
    page.items.push_back(std::move(item));
    last_key = row[page_key].c_str();
  }
  if (page.items.size() < matched) page.next_key = last_key;
  return page;
}

}  // namespace content::store
