#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "content/article.h"
#include "content/rules.h"
#include "content/v1/comment.pb.h"
#include "postgres/result.h"

// What the rows of articles and comments mean, and the pieces of SQL that statements share. In all
// of them `s` is an article's state, `a` the article, `c` a comment. Times go in as RFC 3339 text
// and come out as microseconds. The columns that are read here are found by their place: a
// statement has them before its others.
namespace content::store {

/// Columns for ReadState, of `s`.
inline constexpr char kStateColumns[] =
    "s.article_id, s.revision, s.comment_count, s.feed_position";

/// Of a row that has kStateColumns from the column `first` on.
ArticleState ReadState(const postgres::Row& row, size_t first);

/// Columns for ReadArticle and EncodeArticle, of `s` and `a`. `body`: what to select as the body of
/// the FULL view.
std::string ArticleColumns(v1::ArticleView view, absl::string_view body = "a.body");

/// Of a row that begins with ArticleColumns of this view.
v1::Article ReadArticle(const postgres::Row& row, v1::ArticleView view);

/// The same row as wire bytes.
EncodedArticle EncodeArticle(const postgres::Row& row, v1::ArticleView view);

/// Columns for ReadComment, of `s` and `c`.
extern const char kCommentColumns[];

/// Readers see neither author nor text of a comment that is not VISIBLE.
enum class Audience { kReaders, kModerators };

/// Of a row that begins with kCommentColumns.
v1::Comment ReadComment(const postgres::Row& row, Audience audience);

/// The condition that `s` is the article of the name in a parameter, such as "$1".
std::string IsNamed(absl::string_view parameter);

/// The condition that readers see the article at the time in a parameter.
std::string IsReadable(absl::string_view now);

/// Names that an article had before its current one, as a text array.
extern const char kFormerNames[];

// ---- Parameters ----

/// A time as the statements take it. Infinite times are PostgreSQL's.
std::string TimeParameter(absl::Time time);

/// The present.
std::string NowParameter();

/// An array of any texts.
std::string ArrayParameter(const std::vector<std::string>& values);

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);

/// A column that holds a text array of such values.
std::vector<std::string> ReadArray(const postgres::Field& field);

// ---- Pages ----

/// Moves what fits on a page from `rows`, read one by one with `read`, into it: at least one, at
/// most `page_size` and `max_bytes`. `matched` rows there would have been. Rows have a column
/// `page_key`.
template <class T, class Read>
Page<T> FillPage(const postgres::Result& rows, size_t matched, int page_size, int max_bytes,
                 Read read) {
  const auto page_key = rows.column_number("page_key");
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
