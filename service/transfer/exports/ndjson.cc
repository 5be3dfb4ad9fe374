#include "transfer/exports/ndjson.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/names.h"
#include "content/v1/admin_service.pb.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/time_util.h"
#include "transfer/exports/export_file.h"
#include "transfer/out/ndjson.h"

namespace content::transfer {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;
using nlohmann::json;

constexpr absl::string_view kFormatName = "contentd-export";
constexpr int kKnownVersion = 1;

// An article has up to 1 MiB of text, of which JSON may make six times as much.
constexpr size_t kMaxLineBytes = size_t{16} << 20;

absl::Time TimeOf(const Timestamp& time) {
  return absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time));
}

// Reads a file line by line.
class Lines {
 public:
  explicit Lines(ExportFile& file) : file_(file) {}

  // Returns the next line, without its end; nullopt at the end of the file. Of a line that is too
  // long, only the end.
  absl::StatusOr<std::optional<std::string>> Next() {
    is_too_long_ = false;
    size_t end = read_.find('\n', begin_);
    while (end == std::string::npos) {
      if (read_.size() - begin_ > kMaxLineBytes) {
        is_too_long_ = true;
        begin_ = read_.size();
      }
      const size_t looked_at = read_.size() - begin_;
      const absl::StatusOr<bool> has_more = ReadMore();
      if (!has_more.ok()) return has_more.status();
      if (!*has_more) break;
      end = read_.find('\n', looked_at);
    }
    if (begin_ == read_.size() && !is_too_long_) return std::nullopt;
    ++number_;
    if (begin_ == read_.size()) return std::string();
    const size_t line = std::exchange(begin_, std::min(end, read_.size() - 1) + 1);
    return read_.substr(line, end == std::string::npos ? end : end - line);
  }

  // Of the line that was read last, from 1.
  int64_t number() const { return number_; }
  bool is_too_long() const { return is_too_long_; }

 private:
  static constexpr size_t kPieceBytes = size_t{64} << 10;

  // Returns whether there was more. What was not read yet is then at the beginning.
  absl::StatusOr<bool> ReadMore() {
    read_.erase(0, std::exchange(begin_, 0));
    const size_t size = read_.size();
    read_.resize(size + kPieceBytes);
    const absl::StatusOr<size_t> count = file_.Read(read_.data() + size, kPieceBytes);
    read_.resize(size + count.value_or(0));
    if (!count.ok()) return count.status();
    return *count > 0;
  }

  ExportFile& file_;
  std::string read_;
  size_t begin_ = 0;  // of the next line in it
  int64_t number_ = 0;
  bool is_too_long_ = false;
};

template <class Message>
absl::StatusOr<Message> FromJson(const std::string& line) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(line, &message, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::string_view(status.message().data(), status.message().size()));
  }
  return message;
}

// A number of 64 bits is text in protobuf's JSON. 0 if there is none.
int64_t NumberIn(const json& line, const char* key) {
  int64_t number = 0;
  const auto found = line.find(key);
  if (found == line.end()) return 0;
  if (found->is_number_integer()) return found->get<int64_t>();
  return found->is_string() && absl::SimpleAtoi(found->get<std::string>(), &number) ? number : 0;
}

// A policy that a later version may have is none here. It must not become an open discussion.
absl::StatusOr<ExportedArticle> ToArticle(const std::string& line, int64_t key) {
  auto inspected = FromJson<v1::InspectArticleResponse>(line);
  if (!inspected.ok()) return inspected.status();
  v1::Article& fields = *inspected->mutable_article();
  if (!ParseArticleName(fields.name())) {
    return absl::InvalidArgumentError("the article has no name");
  }
  if (fields.comment_policy() == v1::COMMENT_POLICY_UNSPECIFIED ||
      !v1::CommentPolicy_IsValid(fields.comment_policy())) {
    return absl::InvalidArgumentError("the article has no comment policy");
  }
  ExportedArticle article;
  article.label = fields.name();
  article.key = fields.name();
  article.restoration = ArticleRestoration{.key = key, .retracted = inspected->retracted()};
  if (fields.has_update_time()) article.restoration->update_time = TimeOf(fields.update_time());
  for (const std::string& name : inspected->former_names()) {
    if (auto id = ParseArticleName(name)) article.file.former_names.push_back(*std::move(id));
  }
  article.file.article = std::move(fields);
  return article;
}

// A state that a later version may have is none here.
absl::StatusOr<ExportedComment> ToComment(const std::string& line) {
  auto inspected = FromJson<v1::InspectCommentResponse>(line);
  if (!inspected.ok()) return inspected.status();
  v1::Comment& fields = *inspected->mutable_comment();
  const auto name = ParseCommentName(fields.name());
  if (!name) return absl::InvalidArgumentError("the comment has no name");
  if (fields.state() == v1::COMMENT_STATE_UNSPECIFIED ||
      !v1::CommentState_IsValid(fields.state())) {
    return absl::InvalidArgumentError("the comment has no state");
  }
  ExportedComment comment;
  comment.comment_id = name->comment_id;
  comment.article_key = ArticleName(name->article_id);
  if (const auto parent = ParseCommentName(fields.reply_to())) {
    comment.parent_comment_id = parent->comment_id;
  }
  comment.author_id = fields.author().id();
  comment.author_name = fields.author().display_name();
  if (fields.has_create_time()) comment.create_time = TimeOf(fields.create_time());
  if (fields.has_update_time()) comment.update_time = TimeOf(fields.update_time());
  comment.edit_count = fields.edit_count();
  comment.body = std::move(*fields.mutable_body());
  comment.state = fields.state();
  return comment;
}

class NdjsonReader {
 public:
  NdjsonReader(ExportFile& file, ExportSink& sink) : lines_(file), sink_(sink) {}

  absl::Status Read() {
    while (goes_on_) {
      const absl::StatusOr<std::optional<std::string>> line = lines_.Next();
      if (!line.ok()) return line.status();
      if (!*line) return CheckEnd();
      if (lines_.number() > 1) {
        ReadLine(**line);
      } else if (absl::Status status = CheckHead(**line); !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  // What is no line of an export does not stop the others.
  void ReadLine(const std::string& text) {
    if (lines_.is_too_long()) return Refuse(ItemKind::kArticle, "the line is too long");
    if (absl::StripAsciiWhitespace(text).empty()) return;
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return Refuse(ItemKind::kArticle, "the line is not JSON");
    if (line.contains("article")) {
      ++counts_.articles;
      Take(ItemKind::kArticle, ToArticle(text, NumberIn(line, "key")));
    } else if (line.contains("comment")) {
      ++counts_.comments;
      Take(ItemKind::kComment, ToComment(text));
    } else if (line.contains("articles")) {
      end_ = {.articles = NumberIn(line, "articles"), .comments = NumberIn(line, "comments")};
    } else {
      Refuse(ItemKind::kArticle, "the line is neither an article nor a comment");
    }
  }

  static absl::Status CheckHead(const std::string& text) {
    const json line = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const int64_t version = line.is_object() ? NumberIn(line, "version") : 0;
    if (version == kKnownVersion) return absl::OkStatus();
    return absl::UnimplementedError(
        absl::StrCat("version ", version, " of the format is not known to this contentd"));
  }

  template <class Item>
  void Take(ItemKind kind, absl::StatusOr<Item> item) {
    if (!item.ok()) return Refuse(kind, item.status().message());
    goes_on_ = sink_.Take(*std::move(item));
  }

  void Refuse(ItemKind kind, absl::string_view problem) {
    goes_on_ = sink_.Refuse(kind, absl::StrCat("line ", lines_.number()), problem);
  }

  absl::Status CheckEnd() const {
    if (!end_) return absl::DataLossError("the export was cut off: its last line is missing");
    if (end_->articles == counts_.articles && end_->comments == counts_.comments) {
      return absl::OkStatus();
    }
    return absl::DataLossError(absl::StrCat(
        "the export has lost lines: it says that it has ", end_->articles, " articles and ",
        end_->comments, " comments, and has ", counts_.articles, " and ", counts_.comments));
  }

  Lines lines_;
  ExportSink& sink_;
  bool goes_on_ = true;
  ExportCounts counts_;
  std::optional<ExportCounts> end_;
};

}  // namespace

bool BeginsLikeNdjson(absl::string_view head) {
  return absl::StartsWith(head, absl::StrCat(R"({"format":")", kFormatName, "\""));
}

absl::Status ReadNdjson(ExportFile& file, ExportSink& sink) {
  return NdjsonReader(file, sink).Read();
}

}  // namespace content::transfer
