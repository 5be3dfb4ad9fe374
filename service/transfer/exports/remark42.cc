#include "transfer/exports/remark42.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/json_items.h"
#include "transfer/exports/markdown_html.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

// A comment is a value of a backup or of a list, an element of the API's list, or a `comment` of
// its tree, which is in one of these elements or among the replies to another comment.
JsonUse Remark42Use(const JsonPath& path) {
  if (path.empty() || StandsAt(path, {""})) return JsonUse::kItem;
  if (path.back() == "replies" || StandsAt(path, {"comments"})) return JsonUse::kSkip;
  if (path.back() == "comment" || StandsAt(path, {"comments", ""})) return JsonUse::kItem;
  return JsonUse::kPart;
}

// Returns what tells an author from others; empty if that is a digest of their e-mail address.
std::string Remark42AuthorKey(const std::string& user_id) {
  return absl::StartsWith(user_id, "email_") ? "" : user_id;
}

class Remark42Reader {
 public:
  explicit Remark42Reader(ExportSink& sink) : sink_(sink) {}

  bool Take(const JsonItem& item) {
    if (item.is_too_large) return sink_.Refuse(ItemKind::kComment, "a comment", "is too large");
    if (item.value.contains("locator")) return TakeComment(item.value);
    if (IsLikeComment(item)) {
      const std::string label = absl::StrCat("comment ", IdIn(item.value, "id"));
      return sink_.Refuse(ItemKind::kComment, label, "does not say on which page it is");
    }
    for (const JsonValue& user : ListIn(item.value, "users")) NoteBlock(user);
    return true;
  }

 private:
  // Other items are what is around the comments.
  static bool IsLikeComment(const JsonItem& item) {
    const bool is_scalar = !item.value.is_object() && !item.path.empty();
    return is_scalar || item.value.contains("id") || item.value.contains("text");
  }

  void NoteBlock(const JsonValue& user) {
    const JsonValue& block = ObjectIn(user, "blocked");
    const auto end = ParseDate(TextIn(block, "until"));
    if (IsTrueIn(block, "status") && (!end || *end > now_)) blocked_.insert(TextIn(user, "id"));
  }

  bool TakeComment(const JsonValue& comment) {
    const JsonValue& user = ObjectIn(comment, "user");
    const JsonValue& page = ObjectIn(comment, "locator");
    if (!has_origin_) sink_.SetOrigin(TextIn(page, "site"));
    has_origin_ = true;
    ExportedComment exported;
    exported.source_id = IdIn(comment, "id");
    exported.parent_source_id = IdIn(comment, "pid");
    exported.address = TextIn(page, "url");
    exported.author_name = TextIn(user, "name");
    const std::string user_id = TextIn(user, "id");
    exported.author_key = Remark42AuthorKey(user_id);
    const auto time = ParseDate(TextIn(comment, "time"));
    if (time && !IsZeroDate(TextIn(comment, "time"))) exported.create_time = *time;
    const bool is_deleted = IsTrueIn(comment, "delete") || blocked_.contains(user_id);
    exported.state = is_deleted ? v1::COMMENT_STATE_DELETED : v1::COMMENT_STATE_VISIBLE;
    exported.body = TextIn(comment, "text");
    exported.to_text = HtmlToPlainText;
    if (exported.body.empty()) {
      exported.body = TextIn(comment, "orig");
      exported.to_text = MarkdownToPlainText;
    }
    return HandOver(std::move(exported), sink_);
  }

  ExportSink& sink_;
  const absl::Time now_ = absl::Now();
  absl::flat_hash_set<std::string> blocked_;
  bool has_origin_ = false;
};

}  // namespace

bool BeginsLikeRemark42(absl::string_view head) {
  return BeginsWithJson(head, [](const JsonPath& path) {
    if (path.size() >= 2 && path[path.size() - 2] == "locator" && path.back() == "url") {
      return path.size() == 2 || path[0].empty() || path[0] == "comments";
    }
    // What stands before the comments.
    return StandsAt(path, {"users", "", "blocked", "status"}) ||
           StandsAt(path, {"posts", "", "read_only"});
  });
}

absl::Status ReadRemark42(ExportFile& file, ExportSink& sink) {
  Remark42Reader reader(sink);
  return ReadJsonItems(file, Remark42Use,
                       [&reader](const JsonItem& item) { return reader.Take(item); });
}

}  // namespace content::transfer
