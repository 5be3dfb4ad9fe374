#include "transfer/exports/hand_over.h"

#include <utility>

#include "absl/strings/str_cat.h"

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

}  // namespace content::transfer
