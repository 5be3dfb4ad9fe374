#include "store/columns.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "content/names.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/time_util.h"
#include "postgres/bulk.h"
#include "store/articles/json.h"

namespace content::store {
namespace {

using google::protobuf::io::CodedOutputStream;
using google::protobuf::util::TimeUtil;

// One column of a SELECT list. `column` is its position in the rows.
template <class Column>
struct ColumnSql {
  Column column;
  const char* sql;
};

// Returns whether every column of the list is at its position and none is missing.
template <class Column, size_t kCount>
constexpr bool IsInPlace(const std::array<ColumnSql<Column>, kCount>& columns) {
  for (size_t place = 0; place < kCount; ++place) {
    if (columns[place].sql == nullptr || columns[place].column != static_cast<Column>(place)) {
      return false;
    }
  }
  return true;
}

// Returns the first `count` columns as a SELECT list.
template <class Columns>
std::string SelectList(const Columns& columns, size_t count) {
  return absl::StrJoin(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(count), ", ",
                       [](std::string* list, const auto& column) { *list += column.sql; });
}

enum ArticleColumn : size_t {
  kFirstName,
  kRevision,
  kCommentCount,
  kFeedPosition,
  kStateColumnCount,  // the columns before this one are those of ReadState
  kName = kStateColumnCount,
  kCommentPolicy,
  kPublishTime,
  kUpdateTime,
  kTextRevision,
  kTitle,
  kLanguageCode,
  kSummary,
  kSourceUri,
  kWordCount,
  kAuthors,
  kTags,
  kBasicColumnCount,  // the columns after this one are in the FULL view only
  kSections = kBasicColumnCount,
  kBody,
  kFullColumnCount,
};

constexpr std::array<ColumnSql<ArticleColumn>, kFullColumnCount> kArticleColumns = {{
    {kFirstName, "s.first_name"},
    {kRevision, "s.revision"},
    {kCommentCount, "s.comment_count"},
    {kFeedPosition, "s.feed_position"},
    {kName, "s.name"},
    {kCommentPolicy, "s.comment_policy"},
    {kPublishTime, "(extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_time"},
    {kUpdateTime, "(extract(epoch FROM a.update_time) * 1000000)::bigint AS update_time"},
    {kTextRevision, "a.text_revision"},
    {kTitle, "a.title"},
    {kLanguageCode, "a.language_code"},
    {kSummary, "a.summary"},
    {kSourceUri, "a.source_uri"},
    {kWordCount, "a.word_count"},
    {kAuthors, "a.authors"},
    {kTags, "a.tags"},
    {kSections, "a.sections"},
    {kBody, "a.body"},
}};
static_assert(IsInPlace(kArticleColumns));

enum CommentColumn : size_t {
  kCommentArticleName,
  kCommentId,
  kParentId,
  kDepth,
  kCommentState,
  kAuthorId,
  kAuthorDisplayName,
  kCommentBody,
  kReplyCount,
  kEditCount,
  kCommentCreateTime,
  kCommentUpdateTime,
  kCommentRevision,
  kCommentTextRevision,
  kCommentColumnCount,
};

constexpr std::array<ColumnSql<CommentColumn>, kCommentColumnCount> kCommentColumns = {{
    {kCommentArticleName, "s.name AS article_name"},
    {kCommentId, "c.comment_id"},
    {kParentId, "c.parent_id"},
    {kDepth, "c.depth"},
    {kCommentState, "c.state"},
    {kAuthorId, "c.author_id"},
    {kAuthorDisplayName, "c.author_display_name"},
    {kCommentBody, "c.body"},
    {kReplyCount, "c.reply_count"},
    {kEditCount, "c.edit_count"},
    {kCommentCreateTime, "(extract(epoch FROM c.create_time) * 1000000)::bigint AS create_time"},
    {kCommentUpdateTime, "(extract(epoch FROM c.update_time) * 1000000)::bigint AS update_time"},
    {kCommentRevision, "c.revision AS comment_revision"},
    {kCommentTextRevision, "c.text_revision"},
}};
static_assert(IsInPlace(kCommentColumns));

google::protobuf::Timestamp ReadTime(const postgres::Field& micros) {
  return TimeUtil::MicrosecondsToTimestamp(micros.as<int64_t>());
}

// Reads the fields that EncodedArticle has in the BASIC view.
void ReadBasicText(const postgres::Row& row, v1::Article& article) {
  article.set_name(ArticleName(row[kName].c_str()));
  article.set_title(row[kTitle].c_str());
  ReadAuthors(row[kAuthors].text(), article);
  *article.mutable_publish_time() = ReadTime(row[kPublishTime]);
  *article.mutable_update_time() = ReadTime(row[kUpdateTime]);
  article.set_language_code(row[kLanguageCode].c_str());
  article.set_summary(row[kSummary].c_str());
  ReadTags(row[kTags].text(), article);
  article.set_source_uri(row[kSourceUri].c_str());
  article.set_word_count(row[kWordCount].as<int>());
  article.set_comment_policy(static_cast<v1::CommentPolicy>(row[kCommentPolicy].as<int>()));
  article.set_etag(row[kTextRevision].c_str());
}

// The tag of `body` on the wire: https://protobuf.dev/programming-guides/encoding/#structure
constexpr uint32_t kLengthDelimited = 2;
constexpr uint32_t kBodyTag = v1::Article::kBodyFieldNumber << 3 | kLengthDelimited;

uint8_t* WriteBody(absl::string_view body, uint8_t* to) {
  if (body.empty()) return to;
  to = CodedOutputStream::WriteTagToArray(kBodyTag, to);
  to = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(body.size()), to);
  return CodedOutputStream::WriteRawToArray(body.data(), static_cast<int>(body.size()), to);
}

size_t SizeOfBody(absl::string_view body) {
  if (body.empty()) return 0;
  const auto length = static_cast<uint32_t>(body.size());
  return CodedOutputStream::VarintSize32(kBodyTag) + CodedOutputStream::VarintSize32(length) +
         body.size();
}

}  // namespace

std::string StateColumns() { return SelectList(kArticleColumns, kStateColumnCount); }

ArticleState ReadState(const postgres::Row& row, size_t first) {
  return {.article_id = row[first + kFirstName].c_str(),
          .revision = row[first + kRevision].as<int64_t>(),
          .comment_count = row[first + kCommentCount].as<int64_t>(),
          .version = row[first + kFeedPosition].as<int64_t>()};
}

std::string ArticleColumns(v1::ArticleView view, absl::string_view body) {
  if (view != v1::ARTICLE_VIEW_FULL) return SelectList(kArticleColumns, kBasicColumnCount);
  return absl::StrCat(SelectList(kArticleColumns, kBody), ", ", body, " AS body");
}

std::string BodyWithin(absl::string_view max_bytes) {
  // The sum covers the rows up to this one.
  return absl::StrCat(
      "CASE WHEN sum(octet_length(a.body)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(a.body) "
      "<= ",
      max_bytes, " THEN a.body END");
}

v1::Article ReadArticle(const postgres::Row& row, v1::ArticleView view) {
  v1::Article article;
  ReadBasicText(row, article);
  if (view == v1::ARTICLE_VIEW_FULL) {
    ReadSections(row[kSections].text(), article);
    article.set_body(row[kBody].c_str());
  }
  article.set_comment_count(row[kCommentCount].as<int64_t>());
  article.set_revision(row[kRevision].as<int64_t>());
  return article;
}

bool HasBody(const postgres::Row& row) { return !row[kBody].is_null(); }

// The body goes straight from the row to the wire. A message would copy it and validate its UTF-8,
// which PostgreSQL has done already and which takes longer than everything else here.
EncodedArticle EncodeArticle(const postgres::Row& row, v1::ArticleView view) {
  const bool full = view == v1::ARTICLE_VIEW_FULL;
  // Thread-local, so that they keep their memory from call to call.
  thread_local v1::Article basic;
  thread_local v1::Article sections;
  basic.Clear();
  sections.Clear();
  ReadBasicText(row, basic);
  if (full) ReadSections(row[kSections].text(), sections);
  const absl::string_view body = full ? row[kBody].text() : "";

  const size_t basic_size = basic.ByteSizeLong();
  std::string text(basic_size + SizeOfBody(body) + sections.ByteSizeLong(), '\0');
  auto* to = reinterpret_cast<uint8_t*>(text.data());
  to = basic.SerializeWithCachedSizesToArray(to);
  to = WriteBody(body, to);
  sections.SerializeWithCachedSizesToArray(to);
  return {.state = ReadState(row, 0),
          .text = std::make_shared<const std::string>(std::move(text)),
          .basic_size = basic_size,
          .full = full};
}

std::string CommentColumns() { return SelectList(kCommentColumns, kCommentColumnCount); }

v1::Comment ReadComment(const postgres::Row& row, Audience audience) {
  const std::string article_id = row[kCommentArticleName].c_str();
  const auto state = static_cast<v1::CommentState>(row[kCommentState].as<int>());
  v1::Comment comment;
  comment.set_name(CommentName(article_id, row[kCommentId].c_str()));
  if (!row[kParentId].is_null()) {
    comment.set_reply_to(CommentName(article_id, row[kParentId].c_str()));
  }
  const bool has_text = state != v1::COMMENT_STATE_DELETED;
  if (state == v1::COMMENT_STATE_VISIBLE || (audience == Audience::kModerators && has_text)) {
    comment.mutable_author()->set_id(row[kAuthorId].c_str());
    comment.mutable_author()->set_display_name(row[kAuthorDisplayName].c_str());
    comment.set_body(row[kCommentBody].c_str());
  }
  comment.set_state(state);
  comment.set_depth(row[kDepth].as<int>());
  comment.set_reply_count(row[kReplyCount].as<int>());
  comment.set_edit_count(row[kEditCount].as<int>());
  *comment.mutable_create_time() = ReadTime(row[kCommentCreateTime]);
  *comment.mutable_update_time() = ReadTime(row[kCommentUpdateTime]);
  comment.set_revision(row[kCommentRevision].as<int64_t>());
  comment.set_etag(row[kCommentTextRevision].c_str());
  return comment;
}

const char kIsArticle[] = "s.bucket = $1::smallint AND s.article_key = $2::bigint";

const char kIsReadable[] = "NOT s.retracted AND NOT s.scheduled";

const char kJoinArticles[] = " LEFT JOIN article_state s USING (bucket, article_key) ";

const char kIsJoinedReadable[] = "(s.retracted OR s.scheduled) IS NOT TRUE";

std::string TimeParameter(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "infinity";
  if (time == absl::InfinitePast()) return "-infinity";
  // PostgreSQL would round to microseconds, and the row would then differ from the answer to the
  // writer.
  const absl::Time micros = absl::FromUnixMicros(absl::ToUnixMicros(time));
  // Four digits for the year, because PostgreSQL reads a shorter number as a day or a month.
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", micros, absl::UTCTimeZone());
}

std::string ArrayParameter(const std::vector<std::string>& values) {
  std::string array;
  for (const std::string& value : values) postgres::AppendToArray(value, array);
  return array.empty() ? "{}" : array + "}";
}

std::string KeysParameter(const std::vector<ArticleKey>& keys) {
  const auto append = [](std::string* list, ArticleKey key) { absl::StrAppend(list, key.value()); };
  return absl::StrCat("{", absl::StrJoin(keys, ",", append), "}");
}

std::string BucketsParameter(const std::vector<ArticleKey>& keys) {
  std::set<int> buckets;
  for (const ArticleKey key : keys) buckets.insert(key.bucket());
  return absl::StrCat("{", absl::StrJoin(buckets, ","), "}");
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(timestamp));
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(time));
}

}  // namespace content::store
