#include "bench/answers.h"

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"

namespace content::bench {
namespace {

// About the average length of the comments in the database.
constexpr absl::string_view kCommentText =
    " It says what a reader would say who has read to the end, agrees with the half of it, and has "
    "something to add.";

// A field of a message on the wire.
struct Field {
  uint64_t value = 0;            // if it is a varint
  absl::string_view bytes = {};  // if it is a string or a message
};

// The fields of a message by number; for a repeated field, the last value.
using Fields = std::array<Field, 32>;

std::optional<uint64_t> TakeVarint(absl::string_view& message) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(message.front());
    message.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

// Removes the first field from `message` and stores it; false if its wire type is not one that the
// contract uses.
bool TakeField(absl::string_view& message, Fields& fields) {
  const std::optional<uint64_t> tag = TakeVarint(message);
  const std::optional<uint64_t> value = TakeVarint(message);
  if (!tag || !value) return false;
  Field field = {.value = *value};
  constexpr uint64_t kVarint = 0;
  constexpr uint64_t kLengthDelimited = 2;
  if ((*tag & 7) == kLengthDelimited && *value <= message.size()) {
    field.bytes = message.substr(0, *value);
    message.remove_prefix(*value);
  } else if ((*tag & 7) != kVarint) {
    return false;
  }
  if (const uint64_t number = *tag >> 3; number < fields.size()) fields[number] = field;
  return true;
}

// DATA_LOSS if `message` cannot be read.
absl::StatusOr<Fields> FieldsOf(absl::string_view message) {
  Fields fields;
  while (!message.empty()) {
    if (!TakeField(message, fields)) return absl::DataLossError("the answer is not a message");
  }
  return fields;
}

// Returns the fields of the article or comment, which is field 1 of the answer.
absl::StatusOr<Fields> FieldsOfAnswer(absl::string_view answer) {
  absl::StatusOr<Fields> fields = FieldsOf(answer);
  if (!fields.ok()) return fields;
  return FieldsOf((*fields)[1].bytes);
}

}  // namespace

absl::StatusOr<std::vector<Article>> ReadArticles(const std::string& file) {
  std::ifstream lines(file);
  std::vector<Article> articles;
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits('\t', 2));
    Article article;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &article.body_bytes)) {
      return absl::InvalidArgumentError(absl::StrCat(file, " is not a list of articles: ", line));
    }
    article.name = parts[0];
    article.beginning = parts[2];
    articles.push_back(std::move(article));
  }
  if (articles.empty()) return absl::NotFoundError(absl::StrCat(file, " has no articles"));
  return articles;
}

std::string GetArticleRequest(const Article& article) {
  v1::GetArticleRequest request;
  request.set_name(absl::StrCat("articles/", article.name));
  request.set_view(v1::ARTICLE_VIEW_FULL);
  return request.SerializeAsString();
}

std::string CreateCommentRequest(const Article& article, uint64_t reader, absl::string_view text) {
  v1::CreateCommentRequest request;
  request.set_parent(absl::StrCat("articles/", article.name));
  v1::CommentAuthor& author = *request.mutable_comment()->mutable_author();
  author.set_id(absl::StrCat("reader-", reader));
  author.set_display_name(absl::StrCat("Reader Number ", reader));
  request.mutable_comment()->set_body(absl::StrCat(text, kCommentText));
  return request.SerializeAsString();
}

std::string PublishArticleRequest(absl::string_view name) {
  v1::PublishArticleRequest request;
  v1::Article& article = *request.mutable_article();
  article.set_name(absl::StrCat("articles/", name));
  article.set_title(absl::StrCat("A Short Note, ", name));
  article.add_authors()->set_display_name("Author Number One");
  article.set_language_code("en");
  article.set_body(absl::StrCat("Note ", name, ".", kCommentText, kCommentText, kCommentText));
  article.add_tags("notes");
  return request.SerializeAsString();
}

absl::Status CheckArticle(const Article& article, absl::string_view answer) {
  const absl::StatusOr<Fields> fields = FieldsOfAnswer(answer);
  if (!fields.ok()) return fields.status();
  const absl::string_view name = (*fields)[v1::Article::kNameFieldNumber].bytes;
  const absl::string_view body = (*fields)[v1::Article::kBodyFieldNumber].bytes;
  if (!absl::StartsWith(name, "articles/") || name.substr(9) != article.name) {
    return absl::DataLossError(absl::StrCat("expected ", article.name, ", got ", name));
  }
  if (body.size() != article.body_bytes || !absl::StartsWith(body, article.beginning)) {
    return absl::DataLossError(absl::StrCat(name, " does not have the body in the database"));
  }
  if ((*fields)[v1::Article::kRevisionFieldNumber].value == 0) {
    return absl::DataLossError(absl::StrCat(name, " has no revision"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckComment(const Article& article, absl::string_view answer) {
  const absl::StatusOr<Fields> fields = FieldsOfAnswer(answer);
  if (!fields.ok()) return fields.status();
  const absl::string_view name = (*fields)[v1::Comment::kNameFieldNumber].bytes;
  const std::string parent = absl::StrCat("articles/", article.name, "/comments/");
  constexpr size_t kUuid = 36;
  if (!absl::StartsWith(name, parent) || name.size() != parent.size() + kUuid) {
    return absl::DataLossError(absl::StrCat("expected comment on ", article.name, ", got ", name));
  }
  if ((*fields)[v1::Comment::kArticleRevisionFieldNumber].value == 0) {
    return absl::DataLossError(absl::StrCat(name, " has no article_revision"));
  }
  return std::string(name);
}

absl::Status CheckPublished(absl::string_view name, absl::string_view answer) {
  const absl::StatusOr<Fields> fields = FieldsOfAnswer(answer);
  if (!fields.ok()) return fields.status();
  const absl::string_view published = (*fields)[v1::Article::kNameFieldNumber].bytes;
  if (published != absl::StrCat("articles/", name) ||
      (*fields)[v1::Article::kRevisionFieldNumber].value != 1) {
    return absl::DataLossError(absl::StrCat("expected ", name, ", got ", published));
  }
  return absl::OkStatus();
}

}  // namespace content::bench
