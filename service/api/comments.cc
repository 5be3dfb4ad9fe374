#include "api/comments.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "access/errors.h"
#include "api/answers.h"
#include "api/checks.h"
#include "api/identity.h"
#include "content/rules.h"
#include "watch/sources.h"

namespace content::api {
namespace {

// Paths of UpdateCommentRequest.update_mask.
constexpr char kBody[] = "body";
constexpr char kDisplayName[] = "author.display_name";

LoadedPage EncodePage(const std::string& identity, CommentPage page) {
  v1::ListCommentsResponse response;
  response.set_article_revision(page.article.revision);
  response.set_comment_count(page.article.comment_count);
  for (v1::Comment& comment : page.page.items) *response.add_comments() = std::move(comment);
  response.set_next_page_token(NextPageToken(identity, page.page.next_key));
  response.set_resume_token(watch::CommentResumeToken(
      {.revision = page.article.revision, .epoch = std::move(page.epoch)}));
  return {.state = std::move(page.article), .bytes = Serialize(response)};
}

EncodedAnswer ToAnswer(const SharedBytes& page) {
  EncodedAnswer answer;
  answer.Add(page);
  return answer;
}

// `request` is a DeleteCommentRequest or an EraseCommentRequest.
template <class Request>
absl::StatusOr<CommentDeletion> CheckDeletion(const Request& request, bool by_moderator) {
  Violations violations;
  CommentDeletion deletion{.comment = CheckCommentName(request.name(), "name", violations),
                           .etag = request.etag(),
                           .allow_missing = request.allow_missing(),
                           .by_moderator = by_moderator,
                           .request = CheckRequestId(request, request.request_id(), violations)};
  if (!violations.empty()) return violations.ToStatus();
  return deletion;
}

// Checks what every comment of an import must have.
void CheckImported(const v1::ImportCommentsRequest& request, Violations& violations) {
  if (request.comments().empty()) violations.Add("comments", "is required");
  if (request.comments_size() > kMaxImportedComments) {
    violations.Add("comments", absl::StrCat("has ", request.comments_size(), " comments; at most ",
                                            kMaxImportedComments, " are allowed"));
    return;
  }
  for (int i = 0; i < request.comments_size(); ++i) {
    const v1::ImportedComment& comment = request.comments(i);
    const std::string path = absl::StrCat("comments[", i, "]");
    if (!comment.has_create_time()) violations.Add(path + ".create_time", "is required");
    if (comment.state() == v1::COMMENT_STATE_UNSPECIFIED) {
      violations.Add(path + ".state", "is required");
    } else if (!v1::CommentState_IsValid(comment.state())) {
      violations.Add(path + ".state", "is not a value of CommentState");
    }
  }
  const bool has_source_ids =
      std::any_of(request.comments().begin(), request.comments().end(),
                  [](const auto& comment) { return !comment.source_id().empty(); });
  if (has_source_ids && request.source().empty()) {
    violations.Add("source", "is required for comments with a source_id");
  }
}

v1::ModerationOrder CheckModerationOrder(v1::ModerationOrder order, Violations& violations) {
  switch (order) {
    case v1::MODERATION_ORDER_UNSPECIFIED:
      return v1::MODERATION_ORDER_CREATE_TIME;
    case v1::MODERATION_ORDER_CREATE_TIME:
    case v1::MODERATION_ORDER_REPORTS:
      return order;
    default:
      violations.Add("order", "is not CREATE_TIME or REPORTS");
      return v1::MODERATION_ORDER_CREATE_TIME;
  }
}

template <class Response>
void Delete(CommentWrites& writes, CallContext call, absl::StatusOr<CommentDeletion> deletion,
            Callback<Response> done) {
  if (!deletion.ok()) return std::move(done)(deletion.status());
  auto reply = Reply<int64_t>(std::move(done), [](int64_t revision) {
    Response response;
    response.set_article_revision(revision);
    return response;
  });
  writes.DeleteComment(std::move(call), *std::move(deletion), std::move(reply));
}

}  // namespace

absl::StatusOr<CommentRef> CheckGetComment(const v1::GetCommentRequest& request) {
  Violations violations;
  CommentRef reference = CheckCommentName(request.name(), "name", violations);
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return reference;
}

void GetComment(CommentReads& reads, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done) {
  absl::StatusOr<CommentRef> reference = CheckGetComment(request);
  if (!reference.ok()) return std::move(done)(reference.status());
  call.may_run_here = true;  // a read by key is short
  reads.GetComment(std::move(call), *std::move(reference), request.min_revision(),
                   ReplyWithComment<v1::GetCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentQuery> CheckListComments(const v1::ListCommentsRequest& request) {
  Violations violations;
  CommentQuery query;
  query.article_id = CheckArticleName(request.parent(), "parent", violations);
  query.reply_to = CheckReplyTo(request.reply_to(), "reply_to", violations);
  query.order = CheckOrder(request.order(), "order", violations);
  query.page_size = CheckPageSize(request.page_size(), kCommentPageSizes, "page_size", violations);
  query.min_revision = CheckMinRevision(request.min_revision(), violations);
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

// The first page of all comments is cached. Other pages are read from the store.
void ListComments(ReadCache& cache, CommentReads& reads, CallContext call,
                  v1::ListCommentsRequest request, Callback<EncodedAnswer> done) {
  absl::StatusOr<CommentQuery> query = CheckListComments(request);
  if (!query.ok()) return std::move(done)(query.status());
  const bool is_cached = query->after_key.empty() && query->reply_to.comment_id.empty();
  PageRequest page{
      .article_id = query->article_id,
      .key = CachedPageKey("comments", request.parent(), request.order(), query->page_size),
      .min_revision = request.min_revision()};
  if (is_cached) query->min_revision = 0;  // The cache checks it: other callers share the page.
  LoadPage load = [&reads, query = *std::move(query), request = std::move(request)](
                      CallContext context, Callback<LoadedPage> loaded) {
    auto encode = [identity = QueryIdentity(request)](CommentPage read) {
      return EncodePage(identity, std::move(read));
    };
    reads.ListComments(std::move(context), query,
                       Reply<CommentPage>(std::move(loaded), std::move(encode)));
  };
  if (!is_cached) {
    auto reply = [](const LoadedPage& loaded) { return ToAnswer(loaded.bytes); };
    return load(std::move(call), Reply<LoadedPage>(std::move(done), std::move(reply)));
  }
  auto reply = [](const PageAnswer& cached) {
    EncodedAnswer answer = ToAnswer(cached.bytes);
    answer.stale_age = cached.stale_age;
    return answer;
  };
  cache.GetPage(std::move(call), std::move(page), std::move(load),
                Reply<PageAnswer>(std::move(done), std::move(reply)));
}

absl::StatusOr<NewComment> CheckCreateComment(const v1::CreateCommentRequest& request) {
  Violations violations;
  NewComment comment;
  comment.article_id = CheckArticleName(request.parent(), "parent", violations);
  CheckComment(request.comment(), "comment", violations);
  comment.reply_to = CheckReplyTo(request.comment().reply_to(), "comment.reply_to", violations);
  comment.request = CheckRequestId(request, request.request_id(), violations);
  if (!violations.empty()) return violations.ToStatus();
  comment.author = request.comment().author();
  comment.body = request.comment().body();
  comment.validate_only = request.validate_only();
  return comment;
}

void CreateComment(access::Gate& gate, CommentWrites& writes, CallContext call,
                   v1::CreateCommentRequest request, Callback<v1::CreateCommentResponse> done) {
  absl::StatusOr<NewComment> comment = CheckCreateComment(request);
  if (!comment.ok()) return std::move(done)(comment.status());
  absl::Status status = CheckAuthorIsCaller(call.caller.get(), comment->author.id());
  if (status.ok() && !request.validate_only()) {
    status = gate.AdmitComment(*call.caller, comment->author.id());
  }
  if (!status.ok()) return std::move(done)(std::move(status));
  writes.CreateComment(std::move(call), *std::move(comment),
                       ReplyWithComment<v1::CreateCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentEdit> CheckUpdateComment(const v1::UpdateCommentRequest& request) {
  Violations violations;
  CommentEdit edit;
  const v1::Comment& comment = request.comment();
  edit.comment = CheckCommentName(comment.name(), "comment.name", violations);
  const auto is_set = [&comment](const std::string& path) {
    return !(path == kBody ? comment.body() : comment.author().display_name()).empty();
  };
  for (const std::string& path :
       CheckUpdateMask(request.update_mask(), {kBody, kDisplayName}, is_set, violations)) {
    if (path == kBody) {
      CheckCommentBody(comment.body(), "comment.body", violations);
      edit.body = comment.body();
    } else {
      CheckDisplayName(comment.author().display_name(), "comment.author.display_name", violations);
      edit.author_display_name = comment.author().display_name();
    }
  }
  edit.etag = comment.etag();
  edit.request = CheckRequestId(request, request.request_id(), violations);
  edit.validate_only = request.validate_only();
  if (!violations.empty()) return violations.ToStatus();
  return edit;
}

void UpdateComment(CommentWrites& writes, CallContext call, v1::UpdateCommentRequest request,
                   Callback<v1::UpdateCommentResponse> done) {
  absl::StatusOr<CommentEdit> edit = CheckUpdateComment(request);
  if (!edit.ok()) return std::move(done)(edit.status());
  writes.UpdateComment(std::move(call), *std::move(edit),
                       ReplyWithComment<v1::UpdateCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentDeletion> CheckDeleteComment(const v1::DeleteCommentRequest& request) {
  return CheckDeletion(request, /*by_moderator=*/false);
}

void DeleteComment(CommentWrites& writes, CallContext call, v1::DeleteCommentRequest request,
                   Callback<v1::DeleteCommentResponse> done) {
  Delete(writes, std::move(call), CheckDeleteComment(request), std::move(done));
}

absl::StatusOr<CommentDeletion> CheckEraseComment(const v1::EraseCommentRequest& request) {
  return CheckDeletion(request, /*by_moderator=*/true);
}

void EraseComment(CommentWrites& writes, CallContext call, v1::EraseCommentRequest request,
                  Callback<v1::EraseCommentResponse> done) {
  Delete(writes, std::move(call), CheckEraseComment(request), std::move(done));
}

absl::StatusOr<CommentRef> CheckInspectComment(const v1::InspectCommentRequest& request) {
  Violations violations;
  CommentRef reference = CheckCommentName(request.name(), "name", violations);
  if (!violations.empty()) return violations.ToStatus();
  return reference;
}

void InspectComment(CommentReads& reads, CallContext call, v1::InspectCommentRequest request,
                    Callback<v1::InspectCommentResponse> done) {
  absl::StatusOr<CommentRef> reference = CheckInspectComment(request);
  if (!reference.ok()) return std::move(done)(reference.status());
  reads.InspectComment(std::move(call), *std::move(reference),
                       ReplyWithComment<v1::InspectCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentModeration> CheckModerateComment(const v1::ModerateCommentRequest& request) {
  Violations violations;
  CommentModeration moderation{
      .comment = CheckCommentName(request.name(), "name", violations),
      .state = request.state(),
      .etag = request.etag(),
      .request = CheckRequestId(request, request.request_id(), violations)};
  switch (request.state()) {
    case v1::COMMENT_STATE_VISIBLE:
    case v1::COMMENT_STATE_HIDDEN:
    case v1::COMMENT_STATE_PENDING:
      break;
    case v1::COMMENT_STATE_UNSPECIFIED:
      violations.Add("state", "is required");
      break;
    default:
      violations.Add("state", "is not VISIBLE, HIDDEN or PENDING");
  }
  if (!violations.empty()) return violations.ToStatus();
  return moderation;
}

void ModerateComment(CommentWrites& writes, CallContext call, v1::ModerateCommentRequest request,
                     Callback<v1::ModerateCommentResponse> done) {
  absl::StatusOr<CommentModeration> moderation = CheckModerateComment(request);
  if (!moderation.ok()) return std::move(done)(moderation.status());
  writes.ModerateComment(std::move(call), *std::move(moderation),
                         ReplyWithComment<v1::ModerateCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentReport> CheckReportComment(const v1::ReportCommentRequest& request) {
  Violations violations;
  CommentReport report{.comment = CheckCommentName(request.name(), "name", violations),
                       .reporter_id = request.reporter_id()};
  CheckCommentAuthorId(request.reporter_id(), "reporter_id", violations);
  if (!violations.empty()) return violations.ToStatus();
  return report;
}

void ReportComment(CommentWrites& writes, CallContext call, v1::ReportCommentRequest request,
                   Callback<v1::ReportCommentResponse> done) {
  absl::StatusOr<CommentReport> report = CheckReportComment(request);
  if (!report.ok()) return std::move(done)(report.status());
  absl::Status status = CheckAuthorIsCaller(call.caller.get(), report->reporter_id);
  if (!status.ok()) return std::move(done)(std::move(status));
  writes.ReportComment(std::move(call), *std::move(report),
                       ReplyWithNothing<v1::ReportCommentResponse>(std::move(done)));
}

absl::StatusOr<CommentImport> CheckImportComments(v1::ImportCommentsRequest request) {
  Violations violations;
  CommentImport import{.article_id = CheckArticleName(request.parent(), "parent", violations),
                       .source = request.source(),
                       .validate_only = request.validate_only()};
  CheckImportSource(request.source(), "source", violations);
  CheckImported(request, violations);
  if (!violations.empty()) return violations.ToStatus();
  import.comments.assign(std::move_iterator(request.mutable_comments()->begin()),
                         std::move_iterator(request.mutable_comments()->end()));
  return import;
}

void ImportComments(CommentImports& imports, CallContext call, v1::ImportCommentsRequest request,
                    Callback<v1::ImportCommentsResponse> done) {
  if (call.caller != nullptr && call.caller->writes_only_as_person) {
    return std::move(done)(
        access::MethodNotAllowed("content.v1.AdminService/ImportComments", call.caller->identity));
  }
  absl::StatusOr<CommentImport> import = CheckImportComments(std::move(request));
  if (!import.ok()) return std::move(done)(import.status());
  imports.ImportComments(std::move(call), *std::move(import), std::move(done));
}

absl::StatusOr<ModerationQuery> CheckListModerationQueue(
    const v1::ListModerationQueueRequest& request) {
  Violations violations;
  ModerationQuery query;
  query.page_size = CheckPageSize(request.page_size(), kCommentPageSizes, "page_size", violations);
  query.order = CheckModerationOrder(request.order(), violations);
  if (query.order == v1::MODERATION_ORDER_REPORTS) {
    if (request.state() != v1::COMMENT_STATE_UNSPECIFIED) {
      violations.Add("state", "must be unset with order REPORTS");
    }
  } else if (request.state() == v1::COMMENT_STATE_HIDDEN) {
    query.state = request.state();
  } else if (request.state() != v1::COMMENT_STATE_PENDING &&
             request.state() != v1::COMMENT_STATE_UNSPECIFIED) {
    violations.Add("state", "is neither PENDING nor HIDDEN");
  }
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

void ListModerationQueue(CommentReads& reads, CallContext call,
                         v1::ListModerationQueueRequest request,
                         Callback<v1::ListModerationQueueResponse> done) {
  absl::StatusOr<ModerationQuery> query = CheckListModerationQueue(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::Comment>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::Comment> page) {
        v1::ListModerationQueueResponse response;
        for (v1::Comment& comment : page.items) *response.add_comments() = std::move(comment);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  reads.ListModerationQueue(std::move(call), *std::move(query), std::move(reply));
}

}  // namespace content::api
