#include "transfer/exports/hand_over.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "transfer/refusal.h"

namespace content::transfer {

bool HandOver(ExportedComment comment, ExportSink& sink) {
  const auto refuse = [&](absl::string_view problem) {
    return sink.Refuse(ItemKind::kComment, absl::StrCat("comment ", comment.source_id), problem);
  };
  if (comment.source_id.empty()) return refuse("has no id");
  if (comment.create_time == absl::InfinitePast()) return refuse("has no date that can be read");
  if (comment.state == v1::COMMENT_STATE_DELETED) {
    comment.body.clear();
  } else if (comment.body.empty()) {
    return refuse("has no text");
  }
  return sink.Take(std::move(comment));
}

absl::Status MakePlainText(ExportedComment& comment) {
  const bool is_deleted = comment.state == v1::COMMENT_STATE_DELETED;
  if (is_deleted || comment.to_text == nullptr || comment.body.empty()) return absl::OkStatus();
  comment.body = std::exchange(comment.to_text, nullptr)(comment.body);
  return comment.body.empty() ? transfer::Refuse("cannot be read", "has no text")
                              : absl::OkStatus();
}

}  // namespace content::transfer
