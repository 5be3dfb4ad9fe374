#include "transfer/exports/commento.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/json_items.h"
#include "transfer/exports/markdown_html.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

// Names by commenterHex.
using CommenterNames = absl::flat_hash_map<std::string, std::string>;

// They are kept in memory.
constexpr size_t kMaxCommenters = 1'000'000;

// Who gave no name.
constexpr absl::string_view kAnonymousCommenter = "anonymous";

absl::Status ReadCommenterNames(ExportFile& file, CommenterNames& names) {
  const auto use = [](const JsonPath& path) {
    return StandsAt(path, {"commenters", ""}) ? JsonUse::kItem : JsonUse::kPart;
  };
  const auto take = [&names](const JsonItem& item) {
    names[TextIn(item.value, "commenterHex")] = TextIn(item.value, "name");
    return names.size() <= kMaxCommenters;
  };
  absl::Status status = ReadJsonItems(file, use, take);
  if (names.size() <= kMaxCommenters) return status;
  return absl::InvalidArgumentError(absl::StrCat("has more than ", kMaxCommenters, " commenters"));
}

v1::CommentState CommentoState(const JsonValue& comment) {
  if (IsTrueIn(comment, "deleted")) return v1::COMMENT_STATE_DELETED;
  return TextIn(comment, "state") == "approved" ? v1::COMMENT_STATE_VISIBLE
                                                : v1::COMMENT_STATE_PENDING;
}

// Pages are paths of a domain.
std::string CommentoAddress(const JsonValue& comment) {
  std::string path = TextIn(comment, "url");
  if (path.empty()) path = TextIn(comment, "path");
  const std::string domain = TextIn(comment, "domain");
  if (domain.empty() || absl::StrContains(path, "://")) return path;
  return absl::StrCat("https://", domain, absl::StartsWith(path, "/") ? "" : "/", path);
}

ExportedComment CommentoComment(const JsonValue& comment, const CommenterNames& names) {
  ExportedComment exported;
  exported.source_id = TextIn(comment, "commentHex");
  const std::string parent = TextIn(comment, "parentHex");
  if (parent != "root") exported.parent_source_id = parent;
  exported.address = CommentoAddress(comment);
  const std::string author = TextIn(comment, "commenterHex");
  const auto name = names.find(author);
  if (name != names.end()) exported.author_name = name->second;
  if (author != kAnonymousCommenter) exported.author_key = author;
  if (const auto time = ParseDate(TextIn(comment, "creationDate"))) exported.create_time = *time;
  exported.state = CommentoState(comment);
  exported.body = TextIn(comment, "html");
  exported.to_text = HtmlToPlainText;
  if (exported.body.empty()) {
    exported.body = TextIn(comment, "markdown");
    exported.to_text = MarkdownToPlainText;
  }
  return exported;
}

}  // namespace

bool BeginsLikeCommento(absl::string_view head) {
  return BeginsWithJson(head, [](const JsonPath& path) {
    return StandsAt(path, {"comments", "", "commentHex"}) ||
           StandsAt(path, {"commenters", "", "commenterHex"});
  });
}

absl::Status ReadCommento(ExportFile& file, ExportSink& sink) {
  CommenterNames names;
  if (absl::Status status = ReadCommenterNames(file, names); !status.ok()) return status;
  file.Rewind();
  const auto use = [](const JsonPath& path) {
    return StandsAt(path, {"comments", ""}) ? JsonUse::kItem : JsonUse::kPart;
  };
  const auto take = [&](const JsonItem& item) {
    if (item.is_too_large) return sink.Refuse(ItemKind::kComment, "a comment", "is too large");
    return HandOver(CommentoComment(item.value, names), sink);
  };
  return ReadJsonItems(file, use, take);
}

}  // namespace content::transfer
