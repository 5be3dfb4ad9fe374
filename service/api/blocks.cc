#include "api/blocks.h"

#include <utility>

#include "api/answers.h"
#include "api/checks.h"
#include "api/identity.h"
#include "content/rules.h"

namespace content::api {
namespace {

constexpr PageSizes kBlockPageSizes = {.default_size = 25, .max_size = 200};

}  // namespace

absl::Status CheckBlockAuthor(const v1::BlockAuthorRequest& request) {
  Violations violations;
  CheckAuthorIdToFind(request.author_id(), "author_id", violations);
  CheckReason(request.reason(), "reason", violations);
  return violations.ToStatus();
}

void BlockAuthor(AuthorBlocks& blocks, CallContext call, v1::BlockAuthorRequest request,
                 Callback<v1::BlockAuthorResponse> done) {
  absl::Status status = CheckBlockAuthor(request);
  if (!status.ok()) return std::move(done)(std::move(status));
  auto reply = Reply<v1::BlockedAuthor>(std::move(done), [](v1::BlockedAuthor author) {
    v1::BlockAuthorResponse response;
    *response.mutable_author() = std::move(author);
    return response;
  });
  blocks.BlockAuthor(std::move(call), request.author_id(), request.reason(), std::move(reply));
}

absl::Status CheckUnblockAuthor(const v1::UnblockAuthorRequest& request) {
  Violations violations;
  CheckAuthorIdToFind(request.author_id(), "author_id", violations);
  return violations.ToStatus();
}

void UnblockAuthor(AuthorBlocks& blocks, CallContext call, v1::UnblockAuthorRequest request,
                   Callback<v1::UnblockAuthorResponse> done) {
  absl::Status status = CheckUnblockAuthor(request);
  if (!status.ok()) return std::move(done)(std::move(status));
  blocks.UnblockAuthor(std::move(call), request.author_id(), request.allow_missing(),
                       ReplyWithNothing<v1::UnblockAuthorResponse>(std::move(done)));
}

absl::StatusOr<BlockQuery> CheckListBlockedAuthors(const v1::ListBlockedAuthorsRequest& request) {
  Violations violations;
  BlockQuery query;
  query.page_size = CheckPageSize(request.page_size(), kBlockPageSizes, "page_size", violations);
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

void ListBlockedAuthors(AuthorBlocks& blocks, CallContext call,
                        v1::ListBlockedAuthorsRequest request,
                        Callback<v1::ListBlockedAuthorsResponse> done) {
  absl::StatusOr<BlockQuery> query = CheckListBlockedAuthors(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::BlockedAuthor>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::BlockedAuthor> page) {
        v1::ListBlockedAuthorsResponse response;
        for (v1::BlockedAuthor& author : page.items) {
          *response.add_blocked_authors() = std::move(author);
        }
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  blocks.ListBlockedAuthors(std::move(call), query->page_size, std::move(query->after_key),
                            std::move(reply));
}

}  // namespace content::api
