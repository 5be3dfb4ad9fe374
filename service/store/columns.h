#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
#include "store/article_key.h"

// Columns of articles and comments, and the pieces of SQL that statements share.
//
// In all of them, `s` is a row of article_state, `a` of article, and `c` of comment. Times are
// passed as RFC 3339 text and returned as microseconds. Columns are read by position, so a
// statement must select them before any others:
//
//   SELECT <CommentColumns()>, c.shown
//   FROM comment c JOIN article_state s USING (bucket, article_key) ...
namespace content::store {

/// Returns the columns for ReadState. They need `s`.
std::string StateColumns();

/// Reads the StateColumns that begin at column `first`.
ArticleState ReadState(const postgres::Row& row, size_t first);

/// Returns the columns for ReadArticle and EncodeArticle, beginning with StateColumns. They need
/// `s` and `a`. `body` is the SQL expression of the body in the FULL view.
std::string ArticleColumns(v1::ArticleView view, absl::string_view body = "a.body");

/// Returns the SQL expression of a body that is NULL if the bodies of the rows before it, in any
/// order, exceed `max_bytes`, an SQL expression too. The first row has its body in any case.
std::string BodyWithin(absl::string_view max_bytes);

/// Reads a row that begins with ArticleColumns of `view`.
v1::Article ReadArticle(const postgres::Row& row, v1::ArticleView view);

/// Returns whether the body is not NULL in a row that begins with ArticleColumns of the FULL view.
bool HasBody(const postgres::Row& row);

/// Like ReadArticle, but returns the article in wire format, without parsing its body into a
/// message.
EncodedArticle EncodeArticle(const postgres::Row& row, v1::ArticleView view);

/// Returns the columns for ReadComment. They need `s` and `c`.
std::string CommentColumns();

/// Readers see author and text of VISIBLE comments only.
enum class Audience { kReaders, kModerators };

/// Reads a row that begins with CommentColumns.
v1::Comment ReadComment(const postgres::Row& row, Audience audience);

// ---- Conditions and expressions ----

/// The condition that `s` is the article whose bucket and key are the first two parameters.
extern const char kIsArticle[];

/// The condition that readers see the article `s`. It is stored, so no clock can change it.
extern const char kIsReadable[];

/// Joins a list's rows to their articles, before the list's LIMIT. A left join, although every row
/// has its article: PostgreSQL takes `bucket` and `article_key` for independent. So it would expect
/// a 256th of the rows, and read and sort all of a long list instead of a page of it.
extern const char kJoinArticles[];

/// kIsReadable in a form that does not turn the left join into another.
extern const char kIsJoinedReadable[];

// ---- Parameters and values ----

/// Returns `time` as a parameter, truncated to microseconds. Infinite times become PostgreSQL's
/// infinities.
std::string TimeParameter(absl::Time time);

/// Returns texts, which may contain any character, as a parameter of type text[].
std::string ArrayParameter(const std::vector<std::string>& values);

/// Returns the keys as a parameter of type bigint[], and their buckets, without duplicates, as one
/// of type smallint[].
std::string KeysParameter(const std::vector<ArticleKey>& keys);
std::string BucketsParameter(const std::vector<ArticleKey>& keys);

inline ArticleKey ReadKey(const postgres::Field& field) { return ArticleKey(field.as<int64_t>()); }

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToTimestamp(absl::Time time);

// ---- Pages ----

/// Returns a page of the first `rows`, each read by `read`: at most `page_size` items with at most
/// `max_bytes` in total, but at least one if there is a row. The rows must have a column
/// `page_key`. `matched` is the number of rows that the statement found before it limited them by
/// bytes, so it may exceed the number of `rows`.
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
