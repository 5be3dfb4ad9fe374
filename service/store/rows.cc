#include "store/rows.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "content/names.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

constexpr char kArticleColumns[] = R"sql(
  s.name AS article_name, s.revision, s.comment_count, s.comment_policy,
  (extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_time,
  (extract(epoch FROM a.update_time) * 1000000)::bigint AS update_time,
  a.text_revision, a.title, a.language_code, a.summary, a.source_uri, a.word_count,
  jsonb_build_object('authors', a.authors, 'tags', a.tags$0)::text AS structure)sql";

google::protobuf::Timestamp ToTimestamp(const pqxx::field& micros) {
  return TimeUtil::MicrosecondsToTimestamp(micros.as<int64_t>());
}

}  // namespace

std::string ArticleColumns(v1::ArticleView view) {
  return absl::Substitute(kArticleColumns,
                          view == v1::ARTICLE_VIEW_FULL ? ", 'sections', a.sections" : "");
}

v1::Article ReadArticle(const pqxx::row& row, v1::ArticleView view) {
  v1::Article article;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(row["structure"].c_str(), &article);
  if (!parsed.ok()) throw std::runtime_error(parsed.ToString());
  article.set_name(ArticleName(row["article_name"].c_str()));
  article.set_title(row["title"].c_str());
  *article.mutable_publish_time() = ToTimestamp(row["publish_time"]);
  *article.mutable_update_time() = ToTimestamp(row["update_time"]);
  article.set_language_code(row["language_code"].c_str());
  article.set_summary(row["summary"].c_str());
  if (view == v1::ARTICLE_VIEW_FULL) article.set_body(row["body"].c_str());
  article.set_source_uri(row["source_uri"].c_str());
  article.set_word_count(row["word_count"].as<int>());
  article.set_comment_policy(static_cast<v1::CommentPolicy>(row["comment_policy"].as<int>()));
  article.set_comment_count(row["comment_count"].as<int64_t>());
  article.set_revision(row["revision"].as<int64_t>());
  article.set_etag(row["text_revision"].c_str());
  return article;
}

const char kCommentColumns[] = R"sql(
  s.name AS article_name, c.comment_id, c.parent_id, c.depth, c.state, c.author_id,
  c.author_display_name, c.body, c.reply_count, c.edit_count,
  (extract(epoch FROM c.create_time) * 1000000)::bigint AS create_time,
  (extract(epoch FROM c.update_time) * 1000000)::bigint AS update_time,
  c.revision AS comment_revision, c.text_revision)sql";

v1::Comment ReadComment(const pqxx::row& row, Audience audience) {
  const std::string article_id = row["article_name"].c_str();
  const auto state = static_cast<v1::CommentState>(row["state"].as<int>());
  v1::Comment comment;
  comment.set_name(CommentName(article_id, row["comment_id"].c_str()));
  if (!row["parent_id"].is_null()) {
    comment.set_reply_to(CommentName(article_id, row["parent_id"].c_str()));
  }
  const bool has_text = state != v1::COMMENT_STATE_DELETED;
  if (state == v1::COMMENT_STATE_VISIBLE || (audience == Audience::kModerators && has_text)) {
    comment.mutable_author()->set_id(row["author_id"].c_str());
    comment.mutable_author()->set_display_name(row["author_display_name"].c_str());
    comment.set_body(row["body"].c_str());
  }
  comment.set_state(state);
  comment.set_depth(row["depth"].as<int>());
  comment.set_reply_count(row["reply_count"].as<int>());
  comment.set_edit_count(row["edit_count"].as<int>());
  *comment.mutable_create_time() = ToTimestamp(row["create_time"]);
  *comment.mutable_update_time() = ToTimestamp(row["update_time"]);
  comment.set_revision(row["comment_revision"].as<int64_t>());
  comment.set_etag(row["text_revision"].c_str());
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

std::string ArticleStructure(const v1::Article& article) {
  v1::Article structure;
  *structure.mutable_authors() = article.authors();
  *structure.mutable_sections() = article.sections();
  *structure.mutable_tags() = article.tags();
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto printed = google::protobuf::util::MessageToJsonString(structure, &json, options);
  if (!printed.ok()) throw std::runtime_error(printed.ToString());
  return json;
}

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
  if (values.empty()) return "{}";
  // Quoted, because null is an id too.
  return absl::StrCat("{\"", absl::StrJoin(values, "\",\""), "\"}");
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(timestamp));
}

std::vector<std::string> ReadArray(const pqxx::field& field) {
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
