#include "store/statements.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

// `a` is the article, `s` its state.
constexpr char kArticleColumns[] = R"sql(
  s.article_id, s.revision, s.comment_count, s.comment_policy,
  (extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_time,
  (extract(epoch FROM a.update_time) * 1000000)::bigint AS update_time,
  a.text_revision, a.title, a.language_code, a.summary, a.source_uri, a.word_count)sql";

constexpr char kBasicStructure[] =
    "jsonb_build_object('authors', a.authors, 'tags', a.tags)::text AS structure";
constexpr char kFullStructure[] =
    "jsonb_build_object('authors', a.authors, 'tags', a.tags, 'sections', a.sections)::text "
    "AS structure";

constexpr char kCommentColumns[] = R"sql(
  c.article_id, c.comment_id, c.parent_id, c.depth, c.state, c.author_id, c.author_display_name,
  c.body, c.reply_count, c.edit_count,
  (extract(epoch FROM c.create_time) * 1000000)::bigint AS create_time,
  (extract(epoch FROM c.update_time) * 1000000)::bigint AS update_time,
  c.revision AS comment_revision, c.text_revision)sql";

// $0 is the parameter that holds the present time.
constexpr char kReadable[] = "NOT s.retracted AND s.publish_time <= $0::timestamptz";

std::string Readable(absl::string_view now) { return absl::Substitute(kReadable, now); }

std::string VisibleComment(absl::string_view alias) {
  return absl::StrCat(alias, ".state = ", static_cast<int>(v1::COMMENT_STATE_VISIBLE));
}

const char* Structure(v1::ArticleView view) {
  return view == v1::ARTICLE_VIEW_FULL ? kFullStructure : kBasicStructure;
}

// What a page of articles goes through: rows that have the keys of the order, publish_time and
// article_id, and the conditions that choose among them.
struct ArticleSource {
  std::string key;  // alias of the table that has the keys
  std::string from_where;
};

ArticleSource SourceOf(const ArticleQuery& query) {
  constexpr char kLabelled[] =
      "article_label k JOIN article_state s USING (article_id) WHERE k.kind = '$0' AND k.value = "
      "$1";
  constexpr char kAlsoTagged[] =
      " AND EXISTS (SELECT FROM article_label t WHERE t.article_id = k.article_id "
      "AND t.kind = 'tag' AND t.value = $8)";
  // A parameter that a statement has no use for must appear in it all the same.
  if (query.author.empty() && query.tag.empty()) {
    return {"s", "article_state s WHERE $7 = '' AND $8 = ''"};
  }
  if (query.author.empty()) {
    return {"k", absl::StrCat(absl::Substitute(kLabelled, "tag", "$8"), " AND $7 = ''")};
  }
  const std::string by_author = absl::Substitute(kLabelled, "author", "$7");
  return {"k", absl::StrCat(by_author, query.tag.empty() ? " AND $8 = ''" : kAlsoTagged)};
}

struct CommentKey {
  const char* column;     // what the order sorts by
  const char* parameter;  // the key of the page before, as that type
  const char* text;       // the key as text, for the next page
};

CommentKey KeyOf(v1::CommentOrder order) {
  if (order == v1::COMMENT_ORDER_THREADED) {
    return {"c.thread_key", "decode($3, 'hex')", "encode(c.thread_key, 'hex')"};
  }
  return {"c.comment_id", "$3::uuid", "c.comment_id::text"};
}

std::string ThreadFilter(const CommentQuery& query) {
  if (query.reply_to_id.empty()) return "$5::text = ''";
  if (query.order != v1::COMMENT_ORDER_THREADED) return "c.parent_id = $5::text::uuid";
  // Everything that continues the thread key of the comment replied to.
  constexpr char kThread[] =
      "(SELECT thread_key FROM comment WHERE article_id = $1 AND comment_id = $5::text::uuid)";
  return absl::StrCat("c.thread_key > ", kThread, " AND c.thread_key < ", kThread,
                      " || decode(repeat('ff', 16), 'hex')");
}

google::protobuf::Timestamp Timestamp(const pqxx::field& micros) {
  return TimeUtil::MicrosecondsToTimestamp(micros.as<int64_t>());
}

}  // namespace

std::string SelectArticles(v1::ArticleView view) {
  const std::string body =
      view == v1::ARTICLE_VIEW_FULL
          ? absl::StrCat("CASE WHEN sum(octet_length(a.body)) OVER () <= ", kMaxReplyBytes,
                         " THEN a.body END AS body")
          : "'' AS body";
  return absl::StrCat("SELECT ", kArticleColumns, ", ", Structure(view), ", ", body,
                      " FROM article_state s JOIN article a USING (article_id) "
                      "WHERE s.article_id = ANY ($1::text[]) AND ",
                      Readable("$2"));
}

std::string SelectArticleForWriter() {
  return absl::StrCat(
      "SELECT ", kArticleColumns, ", ", kFullStructure,
      ", a.body, s.retracted FROM article_state s JOIN article a USING (article_id) "
      "WHERE s.article_id = $1");
}

std::string SelectArticlePage(const ArticleQuery& query) {
  const bool newest = query.order != v1::ARTICLE_ORDER_OLDEST;
  const bool full = query.view == v1::ARTICLE_VIEW_FULL;
  constexpr char kPage[] = R"sql(
WITH page AS (
  SELECT $0.article_id, $0.publish_time AS key_time FROM $1
    AND $2
    AND $0.publish_time >= $$2::timestamptz AND $0.publish_time < $$3::timestamptz
    AND ($0.publish_time, $0.article_id) $3 ($$4::timestamptz, $$5)
  ORDER BY $0.publish_time $4, $0.article_id $4 LIMIT $$6::integer
), sized AS (
  SELECT $5, page.key_time, count(*) OVER () AS matched, $6 AS bytes_before
  FROM page JOIN article_state s USING (article_id) JOIN article a USING (article_id)
)
SELECT *, to_char(key_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z/"') || article_id
          AS page_key
FROM sized WHERE bytes_before <= $7 ORDER BY key_time $4, article_id $4)sql";
  const ArticleSource source = SourceOf(query);
  const std::string direction = newest ? "DESC" : "ASC";
  const std::string columns = absl::StrCat(kArticleColumns, ", ", Structure(query.view), ", ",
                                           full ? "a.body" : "'' AS body");
  const std::string bytes_before =
      full ? absl::StrCat("sum(octet_length(a.body)) OVER (ORDER BY page.key_time ", direction,
                          ", page.article_id ", direction, ") - octet_length(a.body)")
           : "0";
  return absl::Substitute(kPage, source.key, source.from_where, Readable("$1"), newest ? "<" : ">",
                          direction, columns, bytes_before, kMaxReplyBytes);
}

std::string SelectComment() {
  return absl::StrCat("SELECT s.revision, s.comment_count, ", kCommentColumns,
                      " FROM article_state s LEFT JOIN comment c ON c.article_id = s.article_id "
                      "AND c.comment_id = $2::uuid AND ",
                      VisibleComment("c"), " WHERE s.article_id = $1 AND ", Readable("$3"));
}

std::string SelectCommentForWriter() {
  return absl::StrCat("SELECT ", kCommentColumns,
                      " FROM comment c WHERE c.article_id = $1 AND c.comment_id = $2::uuid");
}

std::string SelectCommentPage(const CommentQuery& query) {
  const bool newest = query.order == v1::COMMENT_ORDER_NEWEST;
  const CommentKey key = KeyOf(query.order);
  constexpr char kPage[] = R"sql(
SELECT s.revision, s.comment_count, page.*,
       $$5::text = '' OR EXISTS (SELECT FROM comment t WHERE t.article_id = $$1
                           AND t.comment_id = NULLIF($$5::text, '')::uuid AND $0) AS thread_exists
FROM article_state s
LEFT JOIN LATERAL (
  SELECT $1, $2 AS sort_key, $3 AS page_key
  FROM comment c
  WHERE c.article_id = s.article_id AND $4 AND $5 AND $2 $6 $7
  ORDER BY $2 $8 LIMIT $$4::integer
) page ON true
WHERE s.article_id = $$1 AND $9
ORDER BY page.sort_key )sql";
  const std::string direction = newest ? "DESC" : "ASC";
  return absl::StrCat(
      absl::Substitute(kPage, VisibleComment("t"), kCommentColumns, key.column, key.text,
                       VisibleComment("c"), ThreadFilter(query), newest ? "<" : ">", key.parameter,
                       direction, Readable("$2")),
      direction);
}

std::string FirstCommentKey(v1::CommentOrder order) {
  switch (order) {
    case v1::COMMENT_ORDER_THREADED:
      return "";
    case v1::COMMENT_ORDER_OLDEST:
      return "00000000-0000-0000-0000-000000000000";
    default:
      return "ffffffff-ffff-ffff-ffff-ffffffffffff";
  }
}

std::string FirstArticleKey(v1::ArticleOrder order) {
  return order == v1::ARTICLE_ORDER_OLDEST ? "-infinity/" : "infinity/";
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

v1::Article ReadArticle(const pqxx::row& row, v1::ArticleView view) {
  v1::Article article;
  const auto parsed =
      google::protobuf::util::JsonStringToMessage(row["structure"].c_str(), &article);
  if (!parsed.ok()) throw std::runtime_error(parsed.ToString());
  article.set_name(ArticleName(row["article_id"].c_str()));
  article.set_title(row["title"].c_str());
  *article.mutable_publish_time() = Timestamp(row["publish_time"]);
  *article.mutable_update_time() = Timestamp(row["update_time"]);
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

v1::Comment ReadComment(const pqxx::row& row) {
  const std::string article_id = row["article_id"].c_str();
  const auto state = static_cast<v1::CommentState>(row["state"].as<int>());
  v1::Comment comment;
  comment.set_name(CommentName(article_id, row["comment_id"].c_str()));
  if (!row["parent_id"].is_null()) {
    comment.set_reply_to(CommentName(article_id, row["parent_id"].c_str()));
  }
  if (state != v1::COMMENT_STATE_DELETED) {
    comment.mutable_author()->set_id(row["author_id"].c_str());
    comment.mutable_author()->set_display_name(row["author_display_name"].c_str());
  }
  if (state == v1::COMMENT_STATE_VISIBLE || state == v1::COMMENT_STATE_PENDING) {
    comment.set_body(row["body"].c_str());
  }
  comment.set_state(state);
  comment.set_depth(row["depth"].as<int>());
  comment.set_reply_count(row["reply_count"].as<int>());
  comment.set_edit_count(row["edit_count"].as<int>());
  *comment.mutable_create_time() = Timestamp(row["create_time"]);
  *comment.mutable_update_time() = Timestamp(row["update_time"]);
  comment.set_revision(row["comment_revision"].as<int64_t>());
  comment.set_etag(row["text_revision"].c_str());
  return comment;
}

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

}  // namespace content::store
