#include "transfer/out/ndjson.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "content/names.h"
#include "content/v1/admin_service.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"

namespace content::transfer {
namespace {

// What is stored is UTF-8, and its times are in range: there is nothing that JSON cannot have.
std::string JsonOf(const google::protobuf::Message& message) {
  std::string json;
  (void)google::protobuf::util::MessageToJsonString(message, &json);
  return json;
}

}  // namespace

std::string NdjsonLine(StoredArticle article) {
  v1::InspectArticleResponse inspected;
  v1::Article& fields = *inspected.mutable_article() = std::move(article.article);
  fields.clear_sections();
  fields.clear_word_count();
  fields.clear_comment_count();
  fields.clear_revision();
  fields.clear_etag();
  inspected.set_retracted(article.retracted);
  for (const std::string& name : article.former_names) {
    inspected.add_former_names(ArticleName(name));
  }
  // As protobuf's JSON writes a number of 64 bits.
  return absl::StrCat(R"({"key":")", article.key, "\",", JsonOf(inspected).substr(1), "\n");
}

std::string NdjsonLine(v1::Comment comment) {
  v1::InspectCommentResponse inspected;
  v1::Comment& fields = *inspected.mutable_comment() = std::move(comment);
  fields.clear_depth();
  fields.clear_reply_count();
  fields.clear_revision();
  fields.clear_etag();
  return absl::StrCat(JsonOf(inspected), "\n");
}

std::string NdjsonEnd(const ExportCounts& counts) {
  return absl::StrCat(R"({"articles":")", counts.articles, R"(","comments":")", counts.comments,
                      "\"}\n");
}

}  // namespace content::transfer
