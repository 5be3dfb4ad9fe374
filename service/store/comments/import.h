#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/comment_import.h"
#include "content/v1/admin_service.pb.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"
#include "store/names.h"

namespace content::store {

/// See CommentImports::ImportComments. Runs one transaction. `tried` has the ids of the comments
/// that the attempts before tried to add, and gets those of this one: after a commit in doubt, they
/// are the comments that this call has created. Throws like postgres::Connection.
absl::StatusOr<v1::ImportCommentsResponse> ImportComments(postgres::Connection& connection,
                                                          ArticleNames& names, const Caller* caller,
                                                          const CommentImport& import,
                                                          std::set<std::string>& tried,
                                                          const Announce& announce);

}  // namespace content::store
