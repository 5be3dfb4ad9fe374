#include "transfer/exports/imported_comment.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/normalize.h"
#include "content/rules.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/exports/authors.h"
#include "transfer/exports/hand_over.h"
#include "transfer/refusal.h"

namespace content::transfer {
namespace {

constexpr absl::string_view kCutMark = "…";

bool IsControl(char c) {
  return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t' && c != '\n';
}

std::string CleanBody(std::string body, std::vector<std::string>& notes) {
  if (absl::StrContains(body, '\r')) {
    body = absl::StrReplaceAll(body, {{"\r\n", "\n"}, {"\r", "\n"}});
  }
  std::erase_if(body, IsControl);
  body = ToNfc(TrimWhiteSpace(body));
  if (CountCharacters(body) <= kMaxCommentCharacters) return body;
  notes.emplace_back("the text was cut, because it was too long");
  return absl::StrCat(
      TrimWhiteSpace(FirstCharacters(body, static_cast<size_t>(kMaxCommentCharacters) - 1)),
      kCutMark);
}

}  // namespace

absl::StatusOr<SpooledComment> ToImportedComment(ExportedComment comment,
                                                 absl::string_view source) {
  if (absl::Status status = MakePlainText(comment); !status.ok()) return status;
  if (comment.create_time == absl::InfinitePast()) {
    return Refuse("no date", "the comment has no time");
  }
  SpooledComment spooled;
  spooled.notes = std::move(comment.notes);
  v1::ImportedComment& imported = spooled.comment;
  const bool is_ours = !comment.comment_id.empty();
  if (comment.comment_id.empty()) {
    imported.set_source_id(std::move(comment.source_id));
    imported.set_reply_to_source_id(std::move(comment.parent_source_id));
  } else {
    imported.set_comment_id(std::move(comment.comment_id));
    imported.set_reply_to(std::move(comment.parent_comment_id));
  }
  imported.set_state(comment.state);
  *imported.mutable_create_time() = ToTimestamp(comment.create_time);
  if (comment.update_time > comment.create_time) {
    *imported.mutable_update_time() = ToTimestamp(comment.update_time);
  }
  imported.set_edit_count(comment.edit_count);
  if (comment.state != v1::COMMENT_STATE_DELETED) {
    v1::CommentAuthor& author = *imported.mutable_author();
    author.set_display_name(is_ours ? comment.author_name : AuthorName(comment.author_name));
    author.set_id(comment.author_id.empty()
                      ? AuthorId(source, author.display_name(), comment.author_key)
                      : std::move(comment.author_id));
    imported.set_body(is_ours ? std::move(comment.body)
                              : CleanBody(std::move(comment.body), spooled.notes));
  }
  NormalizeMessage(imported);
  return spooled;
}

const std::string& IdInSource(const v1::ImportedComment& comment) {
  return comment.source_id().empty() ? comment.comment_id() : comment.source_id();
}

}  // namespace content::transfer
