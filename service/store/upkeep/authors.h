#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "content/store.h"
#include "postgres/connection.h"
#include "store/change_notifier.h"

// All comments of one author: content/store.h says what these do. They throw pqxx exceptions.
namespace content::store {

absl::StatusOr<Page<v1::Comment>> ExportAuthor(postgres::Connection& connection,
                                               const std::string& author_id,
                                               const std::string& after_key);

/// One transaction on one article.
absl::StatusOr<ErasedComments> EraseAuthor(postgres::Connection& connection,
                                           const std::string& author_id, const Announce& announce);

}  // namespace content::store
