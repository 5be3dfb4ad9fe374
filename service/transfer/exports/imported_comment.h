#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/comment_spool.h"
#include "transfer/exports/export.h"

namespace content::transfer {

/// Brings a comment of `source` into the form in which it is imported: with an id for its author,
/// and a text without control characters that is no longer than the rules allow. `reply_to` is only
/// the parent's id. A refusal (refusal.h) if there is no text in what was written, or no time, of
/// which the comment's id is made. Thread-safe.
absl::StatusOr<SpooledComment> ToImportedComment(ExportedComment comment, absl::string_view source);

/// The id by which people know the comment.
const std::string& IdInSource(const v1::ImportedComment& comment);

}  // namespace content::transfer
