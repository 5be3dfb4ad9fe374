#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "content/names.h"
#include "content/page.h"
#include "content/request_key.h"
#include "content/rules.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"

// Types for reading and writing comments.
namespace content {

struct CommentQuery {
  std::string article_id = {};
  v1::CommentOrder order = v1::COMMENT_ORDER_NEWEST;
  /// The comment whose replies to list. Its ids are empty for all comments.
  CommentRef reply_to = {};
  int page_size = 0;
  std::string after_key = {};
  /// The answer must show at least this revision of the article. 0: any.
  int64_t min_revision = 0;
  /// Maximum size of the page in bytes.
  int max_bytes = kMaxReplyBytes;
};

/// A comment to add. Must be valid (CheckComment in rules.h).
struct NewComment {
  std::string article_id = {};
  /// Chosen by the store when it tries to add the comment. After a commit of unknown outcome, the
  /// comment is looked up by it.
  std::string comment_id = {};
  /// Its ids are empty if the comment is not a reply.
  CommentRef reply_to = {};
  v1::CommentAuthor author;
  std::string body = {};
  RequestKey request = {};
  bool validate_only = false;
};

/// Changes to a comment. Unset fields stay as they are.
struct CommentEdit {
  CommentRef comment;
  std::optional<std::string> body = {};
  std::optional<std::string> author_display_name = {};
  /// If not empty, must be the comment's current etag. The same below.
  std::string etag = {};
  RequestKey request = {};
  bool validate_only = false;
};

struct CommentDeletion {
  CommentRef comment;
  std::string etag = {};
  bool allow_missing = false;
  /// Whether a moderator deletes it, who also sees articles that readers do not.
  bool by_moderator = false;
  RequestKey request = {};
};

struct CommentModeration {
  CommentRef comment;
  v1::CommentState state = v1::COMMENT_STATE_UNSPECIFIED;
  std::string etag = {};
  RequestKey request = {};
};

/// A reader's report of a comment. Each reader counts once.
struct CommentReport {
  CommentRef comment;
  std::string reporter_id = {};
  /// Number of reports that move a comment to PENDING; 0: any number leaves it as it is. Set by the
  /// store.
  int threshold = 0;
};

struct ModerationQuery {
  v1::ModerationOrder order = v1::MODERATION_ORDER_CREATE_TIME;
  /// PENDING or HIDDEN; has no meaning in order REPORTS.
  v1::CommentState state = v1::COMMENT_STATE_PENDING;
  int page_size = 0;
  std::string after_key = {};
};

}  // namespace content
