#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/call.h"
#include "content/article.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/message.h"

// Helpers that several RPCs use to make their answers.
namespace content::api {

/// Returns a callback for the store. It passes errors on to `done`; otherwise it calls `done` with
/// the result of `encode`, which turns the store's answer into a Response or an
/// absl::StatusOr<Response>.
template <class Stored, class Response, class Encode>
Callback<Stored> Reply(Callback<Response> done, Encode encode) {
  return
      [done = std::move(done), encode = std::move(encode)](absl::StatusOr<Stored> stored) mutable {
        if (!stored.ok()) return std::move(done)(stored.status());
        std::move(done)(encode(*std::move(stored)));
      };
}

/// Reply for an RPC whose response contains only an article.
template <class Response>
Callback<v1::Article> ReplyWithArticle(Callback<Response> done) {
  return Reply<v1::Article>(std::move(done), [](v1::Article article) {
    Response response;
    *response.mutable_article() = std::move(article);
    return response;
  });
}

/// Reply for an RPC whose response contains only a comment.
template <class Response>
Callback<v1::Comment> ReplyWithComment(Callback<Response> done) {
  return Reply<v1::Comment>(std::move(done), [](v1::Comment comment) {
    Response response;
    *response.mutable_comment() = std::move(comment);
    return response;
  });
}

/// Reply for an RPC whose response is empty.
template <class Response>
Callback<void> ReplyWithNothing(Callback<Response> done) {
  return [done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) return std::move(done)(status);
    std::move(done)(Response());
  };
}

/// Returns the token of the page that begins after `next_key`; empty if `next_key` is empty,
/// because no page follows. `query_identity` is the QueryIdentity of the request.
std::string NextPageToken(absl::string_view query_identity, absl::string_view next_key);

/// Returns the PageRequest.key of the first page of a list of comments. `article_name` and `order`
/// must be as in the request, because the token of the next page is bound to them.
std::string CachedPageKey(absl::string_view rpc, absl::string_view article_name,
                          v1::CommentOrder order, int page_size,
                          v1::ArticleView view = v1::ARTICLE_VIEW_UNSPECIFIED);

/// Returns `message` in wire format.
SharedBytes Serialize(const google::protobuf::MessageLite& message);

}  // namespace content::api
