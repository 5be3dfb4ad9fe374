#include "store/columns.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "content/names.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/time_util.h"
#include "google/protobuf/wire_format_lite.h"
#include "postgres/bulk.h"
#include "store/articles/json.h"

namespace content::store {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::util::TimeUtil;

// What ArticleColumns gives, in its order.
enum ArticleColumn {
  kArticleId,
  kRevision,
  kCommentCount,
  kFeedPosition,
  kName,
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
  kSections,
  kBody,
};

constexpr char kBasicColumns[] = R"sql(
  s.article_id, s.revision, s.comment_count, s.feed_position, s.name, s.comment_policy,
  (extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_time,
  (extract(epoch FROM a.update_time) * 1000000)::bigint AS update_time,
  a.text_revision, a.title, a.language_code, a.summary, a.source_uri, a.word_count,
  a.authors, a.tags)sql";

// What kCommentColumns holds, in its order.
enum CommentColumn {
  kArticleName,
  kCommentId,
  kParentId,
  kDepth,
  kState,
  kAuthorId,
  kAuthorDisplayName,
  kCommentBody,
  kReplyCount,
  kEditCount,
  kCreateTime,
  kCommentUpdateTime,
  kCommentRevision,
  kCommentTextRevision,
};

google::protobuf::Timestamp ToTimestamp(const postgres::Field& micros) {
  return TimeUtil::MicrosecondsToTimestamp(micros.as<int64_t>());
}

// Valid until the result is gone.
absl::string_view TextOf(const postgres::Field& field) { return field.text(); }

// Adds what EncodedArticle has in the BASIC view.
void ReadBasicText(const postgres::Row& row, v1::Article& article) {
  article.set_name(ArticleName(row[kName].c_str()));
  article.set_title(row[kTitle].c_str());
  ReadAuthors(TextOf(row[kAuthors]), article);
  *article.mutable_publish_time() = ToTimestamp(row[kPublishTime]);
  *article.mutable_update_time() = ToTimestamp(row[kUpdateTime]);
  article.set_language_code(row[kLanguageCode].c_str());
  article.set_summary(row[kSummary].c_str());
  ReadTags(TextOf(row[kTags]), article);
  article.set_source_uri(row[kSourceUri].c_str());
  article.set_word_count(row[kWordCount].as<int>());
  article.set_comment_policy(static_cast<v1::CommentPolicy>(row[kCommentPolicy].as<int>()));
  article.set_etag(row[kTextRevision].c_str());
}

uint8_t* WriteBody(absl::string_view body, uint8_t* to) {
  if (body.empty()) return to;
  to = WireFormatLite::WriteTagToArray(v1::Article::kBodyFieldNumber,
                                       WireFormatLite::WIRETYPE_LENGTH_DELIMITED, to);
  to = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(body.size()), to);
  return CodedOutputStream::WriteRawToArray(body.data(), static_cast<int>(body.size()), to);
}

size_t SizeOfBody(absl::string_view body) {
  if (body.empty()) return 0;
  return WireFormatLite::TagSize(v1::Article::kBodyFieldNumber, WireFormatLite::TYPE_STRING) +
         WireFormatLite::LengthDelimitedSize(body.size());
}

}  // namespace

ArticleState ReadState(const postgres::Row& row, size_t first) {
  return {.article_id = row[first].c_str(),
          .revision = row[first + 1].as<int64_t>(),
          .comment_count = row[first + 2].as<int64_t>(),
          .version = row[first + 3].as<int64_t>()};
}

std::string ArticleColumns(v1::ArticleView view, absl::string_view body) {
  if (view != v1::ARTICLE_VIEW_FULL) return kBasicColumns;
  return absl::StrCat(kBasicColumns, ", a.sections, ", body, " AS body");
}

v1::Article ReadArticle(const postgres::Row& row, v1::ArticleView view) {
  v1::Article article;
  ReadBasicText(row, article);
  if (view == v1::ARTICLE_VIEW_FULL) {
    ReadSections(TextOf(row[kSections]), article);
    article.set_body(row[kBody].c_str());
  }
  article.set_comment_count(row[kCommentCount].as<int64_t>());
  article.set_revision(row[kRevision].as<int64_t>());
  return article;
}

// The body is written by hand: a message would be asked whether it is UTF-8, which takes longer
// than everything else here, and PostgreSQL has made sure of that.
EncodedArticle EncodeArticle(const postgres::Row& row, v1::ArticleView view) {
  const bool full = view == v1::ARTICLE_VIEW_FULL;
  // Kept for the memory that their fields have.
  thread_local v1::Article basic;
  thread_local v1::Article sections;
  basic.Clear();
  sections.Clear();
  ReadBasicText(row, basic);
  if (full) ReadSections(TextOf(row[kSections]), sections);
  const absl::string_view body = full ? TextOf(row[kBody]) : "";

  const size_t basic_size = basic.ByteSizeLong();
  std::string text(basic_size + SizeOfBody(body) + sections.ByteSizeLong(), '\0');
  auto* to = reinterpret_cast<uint8_t*>(text.data());
  to = basic.SerializeWithCachedSizesToArray(to);
  to = WriteBody(body, to);
  sections.SerializeWithCachedSizesToArray(to);
  return {.state = ReadState(row, kArticleId),
          .text = std::make_shared<const std::string>(std::move(text)),
          .basic_size = basic_size,
          .full = full};
}

const char kCommentColumns[] = R"sql(
  s.name AS article_name, c.comment_id, c.parent_id, c.depth, c.state, c.author_id,
  c.author_display_name, c.body, c.reply_count, c.edit_count,
  (extract(epoch FROM c.create_time) * 1000000)::bigint AS create_time,
  (extract(epoch FROM c.update_time) * 1000000)::bigint AS update_time,
  c.revision AS comment_revision, c.text_revision)sql";

v1::Comment ReadComment(const postgres::Row& row, Audience audience) {
  const std::string article_id = row[kArticleName].c_str();
  const auto state = static_cast<v1::CommentState>(row[kState].as<int>());
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
  *comment.mutable_create_time() = ToTimestamp(row[kCreateTime]);
  *comment.mutable_update_time() = ToTimestamp(row[kCommentUpdateTime]);
  comment.set_revision(row[kCommentRevision].as<int64_t>());
  comment.set_etag(row[kCommentTextRevision].c_str());
  return comment;
}

std::string IsNamed(absl::string_view parameter) {
  return absl::StrCat(
      "s.article_id = (SELECT n.article_id FROM article_name n WHERE n.name = ", parameter, ")");
}

std::string IsReadable(absl::string_view now) {
  return absl::StrCat("NOT s.retracted AND s.publish_time <= ", now, "::timestamptz");
}

const char kFormerNames[] =
    "ARRAY(SELECT n.name FROM article_name n WHERE n.article_id = s.article_id "
    "AND n.name <> s.name ORDER BY n.name)";

std::string TimeParameter(absl::Time time) {
  if (time == absl::InfiniteFuture()) return "infinity";
  if (time == absl::InfinitePast()) return "-infinity";
  // Cut to what PostgreSQL keeps, or it would round, and a row differ from the answer that
  // announced it.
  const absl::Time micros = absl::FromUnixMicros(absl::ToUnixMicros(time));
  // Four digits of year: PostgreSQL takes fewer for another part of a date.
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", micros, absl::UTCTimeZone());
}

std::string NowParameter() { return TimeParameter(absl::Now()); }

std::string ArrayParameter(const std::vector<std::string>& values) {
  std::string array;
  for (const std::string& value : values) postgres::AppendToArray(value, array);
  return array.empty() ? "{}" : array + "}";
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(timestamp));
}

std::vector<std::string> ReadArray(const postgres::Field& field) {
  absl::string_view text = field.c_str();
  if (!absl::ConsumePrefix(&text, "{") || !absl::ConsumeSuffix(&text, "}") || text.empty()) {
    return {};
  }
  std::vector<std::string> values;
  for (absl::string_view value : absl::StrSplit(text, ',')) {
    if (absl::ConsumePrefix(&value, "\"")) absl::ConsumeSuffix(&value, "\"");
    values.emplace_back(value);
  }
  return values;
}

}  // namespace content::store
