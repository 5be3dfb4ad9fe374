#pragma once

#include "absl/status/statusor.h"
#include "access/gate.h"
#include "api/encoded_answer.h"
#include "base/call.h"
#include "content/comment_import.h"
#include "content/comment_reads.h"
#include "content/comment_writes.h"
#include "content/read_cache.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"

// The RPCs about comments: a check and a handler for each, as in articles.h.
namespace content::api {

absl::StatusOr<CommentRef> CheckGetComment(const v1::GetCommentRequest& request);
void GetComment(CommentReads& reads, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done);

absl::StatusOr<CommentQuery> CheckListComments(const v1::ListCommentsRequest& request);
void ListComments(ReadCache& cache, CommentReads& reads, CallContext call,
                  v1::ListCommentsRequest request, Callback<EncodedAnswer> done);

/// Also gives the new comment its id and its time.
absl::StatusOr<NewComment> CheckCreateComment(const v1::CreateCommentRequest& request);
/// `gate` has admitted `call`, and admits the comment, unless it is only to be validated.
void CreateComment(access::Gate& gate, CommentWrites& writes, CallContext call,
                   v1::CreateCommentRequest request, Callback<v1::CreateCommentResponse> done);

absl::StatusOr<CommentEdit> CheckUpdateComment(const v1::UpdateCommentRequest& request);
void UpdateComment(CommentWrites& writes, CallContext call, v1::UpdateCommentRequest request,
                   Callback<v1::UpdateCommentResponse> done);

absl::StatusOr<CommentDeletion> CheckDeleteComment(const v1::DeleteCommentRequest& request);
void DeleteComment(CommentWrites& writes, CallContext call, v1::DeleteCommentRequest request,
                   Callback<v1::DeleteCommentResponse> done);

absl::StatusOr<CommentRef> CheckInspectComment(const v1::InspectCommentRequest& request);
void InspectComment(CommentReads& reads, CallContext call, v1::InspectCommentRequest request,
                    Callback<v1::InspectCommentResponse> done);

absl::StatusOr<CommentModeration> CheckModerateComment(const v1::ModerateCommentRequest& request);
void ModerateComment(CommentWrites& writes, CallContext call, v1::ModerateCommentRequest request,
                     Callback<v1::ModerateCommentResponse> done);

absl::StatusOr<CommentReport> CheckReportComment(const v1::ReportCommentRequest& request);
void ReportComment(CommentWrites& writes, CallContext call, v1::ReportCommentRequest request,
                   Callback<v1::ReportCommentResponse> done);

absl::StatusOr<CommentDeletion> CheckEraseComment(const v1::EraseCommentRequest& request);
void EraseComment(CommentWrites& writes, CallContext call, v1::EraseCommentRequest request,
                  Callback<v1::EraseCommentResponse> done);

/// Leaves the rules for single comments to the store, which refuses one that breaks them alone.
absl::StatusOr<CommentImport> CheckImportComments(v1::ImportCommentsRequest request);
/// METHOD_NOT_ALLOWED if the caller may write only as a person.
void ImportComments(CommentImports& imports, CallContext call, v1::ImportCommentsRequest request,
                    Callback<v1::ImportCommentsResponse> done);

absl::StatusOr<ModerationQuery> CheckListModerationQueue(
    const v1::ListModerationQueueRequest& request);
void ListModerationQueue(CommentReads& reads, CallContext call,
                         v1::ListModerationQueueRequest request,
                         Callback<v1::ListModerationQueueResponse> done);

}  // namespace content::api
