#include "content/errors.h"

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace content {
namespace {

constexpr char kArticleNotFoundReason[] = "ARTICLE_NOT_FOUND";
constexpr char kRevisionNotReachedReason[] = "REVISION_NOT_REACHED";

absl::Status NotFound(absl::string_view reason, absl::string_view type, absl::string_view name) {
  absl::Status status =
      MakeError(absl::StatusCode::kNotFound, reason, absl::StrCat(name, " does not exist"));
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(type));
  resource.set_resource_name(std::string(name));
  resource.set_description("does not exist");
  AttachDetail(status, resource);
  return status;
}

}  // namespace

absl::Status ArticleNotFound(absl::string_view name) {
  return NotFound(kArticleNotFoundReason, "content.v1.Article", name);
}

bool IsArticleNotFound(const absl::Status& status) {
  return ReasonOf(status) == kArticleNotFoundReason;
}

absl::Status CommentNotFound(absl::string_view name) {
  return NotFound("COMMENT_NOT_FOUND", "content.v1.Comment", name);
}

absl::Status ArticleExists(absl::string_view name) {
  return MakeError(
      absl::StatusCode::kAlreadyExists, "ARTICLE_EXISTS",
      absl::StrCat(name,
                   " exists with different content; set its name to replace it, or another name"),
      {{"name", std::string(name)}});
}

absl::Status NameTaken(absl::string_view name) {
  return MakeError(absl::StatusCode::kAlreadyExists, "ARTICLE_EXISTS",
                   absl::StrCat(name, " is, or once was, the name of another article"),
                   {{"name", std::string(name)}});
}

absl::Status RenamedElsewhere(absl::string_view name, absl::string_view former_name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "ARTICLE_RENAMED",
                   absl::StrCat(name, " is here as ", former_name, "; rename that first"),
                   {{"name", std::string(former_name)}});
}

absl::Status EtagMismatch(absl::string_view name) {
  return MakeError(absl::StatusCode::kAborted, "ETAG_MISMATCH",
                   absl::StrCat(name, " has changed since the etag was read"),
                   {{"name", std::string(name)}});
}

absl::Status AuthorBlocked(absl::string_view author_id) {
  return MakeError(absl::StatusCode::kPermissionDenied, "AUTHOR_BLOCKED",
                   absl::StrCat("the author ", author_id, " is blocked"),
                   {{"author_id", std::string(author_id)}});
}

absl::Status PersonMissing() {
  return MakeError(absl::StatusCode::kUnauthenticated, "CREDENTIALS_MISSING",
                   "the caller writes as the person whom a bearer token names, and needs one");
}

absl::Status AuthorNotCaller(absl::string_view person) {
  return MakeError(absl::StatusCode::kPermissionDenied, "AUTHOR_NOT_CALLER",
                   absl::StrCat("the caller may write only as ", person),
                   {{"person", std::string(person)}});
}

absl::Status AuthorNotBlocked(absl::string_view author_id) {
  return MakeError(absl::StatusCode::kNotFound, "AUTHOR_NOT_BLOCKED",
                   absl::StrCat("the author ", author_id, " is not blocked"),
                   {{"author_id", std::string(author_id)}});
}

absl::Status CommentsClosed(absl::string_view article_name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "COMMENTS_CLOSED",
                   absl::StrCat("comments on ", article_name, " are closed"),
                   {{"article", std::string(article_name)}});
}

absl::Status ThreadTooDeep(int limit) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "THREAD_TOO_DEEP",
                   absl::StrCat("the depth of a reply is at most ", limit),
                   {{"limit", absl::StrCat(limit)}});
}

absl::Status CommentHidden(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "COMMENT_HIDDEN",
                   absl::StrCat("a moderator has hidden ", name), {{"name", std::string(name)}});
}

absl::Status CommentDeleted(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "COMMENT_DELETED",
                   absl::StrCat(name, " is deleted"), {{"name", std::string(name)}});
}

absl::Status RequestIdReused(absl::string_view request_id) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "REQUEST_ID_REUSED",
                   absl::StrCat("request_id ", request_id, " was used with other content"),
                   {{"request_id", std::string(request_id)}});
}

absl::Status RevisionNotReached(absl::string_view name, int64_t wanted, int64_t current) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kRevisionNotReachedReason,
                   absl::StrCat(name, " is at revision ", current, ", not yet at ", wanted),
                   {{"current_revision", absl::StrCat(current)}});
}

absl::Status EpochEnded(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kRevisionNotReachedReason,
                   absl::StrCat("the database has failed over or was restored since changes of ",
                                name, " were sent, and may lack some of them; start over"));
}

absl::Status WatcherTooSlow() {
  return MakeError(absl::StatusCode::kAborted, "WATCHER_TOO_SLOW",
                   "a message was not read in time; resume after the last message received");
}

}  // namespace content
