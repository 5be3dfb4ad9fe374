#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/call.h"
#include "content/author_blocks.h"
#include "content/v1/admin_service.pb.h"

// The RPCs about blocked authors: a check and a handler for each, as in articles.h.
namespace content::api {

absl::Status CheckBlockAuthor(const v1::BlockAuthorRequest& request);
void BlockAuthor(AuthorBlocks& blocks, CallContext call, v1::BlockAuthorRequest request,
                 Callback<v1::BlockAuthorResponse> done);

absl::Status CheckUnblockAuthor(const v1::UnblockAuthorRequest& request);
void UnblockAuthor(AuthorBlocks& blocks, CallContext call, v1::UnblockAuthorRequest request,
                   Callback<v1::UnblockAuthorResponse> done);

struct BlockQuery {
  int page_size = 0;
  std::string after_key = {};
};

absl::StatusOr<BlockQuery> CheckListBlockedAuthors(const v1::ListBlockedAuthorsRequest& request);
void ListBlockedAuthors(AuthorBlocks& blocks, CallContext call,
                        v1::ListBlockedAuthorsRequest request,
                        Callback<v1::ListBlockedAuthorsResponse> done);

}  // namespace content::api
