#pragma once

#include "absl/status/statusor.h"
#include "content/comment.h"
#include "content/page.h"
#include "content/v1/comment.pb.h"
#include "postgres/connection.h"
#include "store/names.h"

namespace content::store {

/// See CommentReads::InspectComment. Throws like postgres::Connection.
absl::StatusOr<v1::Comment> InspectComment(postgres::Connection& connection, ArticleNames& names,
                                           const CommentRef& comment);

/// See CommentReads::ListModerationQueue. Throws like postgres::Connection.
absl::StatusOr<Page<v1::Comment>> ListModerationQueue(postgres::Connection& connection,
                                                      const ModerationQuery& query);

}  // namespace content::store
