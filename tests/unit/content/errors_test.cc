#include "content/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "api/status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace content {
namespace {

google::rpc::Status DetailsOf(const absl::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(api::ToGrpcStatus(status).error_details()));
  return details;
}

TEST(Errors, NameEveryBadField) {
  Violations violations;
  violations.Add("comment.body", "is required");
  violations.Add("parent", "is not a name");
  const google::rpc::Status details = DetailsOf(violations.ToStatus());
  EXPECT_EQ(details.code(), static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(details.message(), "comment.body is required; parent is not a name");
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.details(1).UnpackTo(&bad));
  ASSERT_EQ(bad.field_violations_size(), 2);
  EXPECT_EQ(bad.field_violations(0).field(), "comment.body");
  EXPECT_EQ(bad.field_violations(1).description(), "is not a name");
}

TEST(Errors, StaySmallHoweverManyFieldsAreBad) {
  Violations violations;
  for (int i = 0; i < 60'000; ++i) {
    violations.Add("article.authors[" + std::to_string(i) + "].display_name",
                   "has 100000 characters; at most 100 are allowed");
  }
  const grpc::Status status = api::ToGrpcStatus(violations.ToStatus());
  // What travels in the trailers, of which a client takes 8 KiB by default.
  EXPECT_LT(status.error_message().size() + status.error_details().size() * 4 / 3, 8'000);
  EXPECT_THAT(status.error_message(), ::testing::EndsWith("; and 59984 more"));
}

TEST(Errors, NoViolationIsNoError) { EXPECT_TRUE(Violations().ToStatus().ok()); }

TEST(Errors, BeginTheirDetailsWithReasonAndDomain) {
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(DetailsOf(ArticleNotFound("articles/x")).details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(info.domain(), "content.v1");
}

TEST(Errors, SayWhichResourceIsMissing) {
  google::rpc::ResourceInfo resource;
  ASSERT_TRUE(DetailsOf(ArticleNotFound("articles/x")).details(1).UnpackTo(&resource));
  EXPECT_EQ(resource.resource_type(), "content.v1.Article");
  EXPECT_EQ(resource.resource_name(), "articles/x");
}

TEST(Errors, SayWhenToTryAgain) {
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(DetailsOf(Overloaded(absl::Milliseconds(1500))).details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
}

TEST(Errors, CarryTheSameCodeAndMessageToGrpc) {
  const grpc::Status status = api::ToGrpcStatus(CommentsClosed("articles/x"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(status.error_message(), "comments on articles/x are closed");
  EXPECT_TRUE(api::ToGrpcStatus(absl::OkStatus()).ok());
}

TEST(Errors, ReasonOfAForeignStatusIsEmpty) {
  EXPECT_EQ(ReasonOf(absl::UnknownError("x")), "");
  EXPECT_EQ(ReasonOf(Internal("a test")), "INTERNAL");
}

// Code, reason and metadata of an error.
std::string Summary(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(DetailsOf(status).details(0).UnpackTo(&info));
  std::string summary = absl::StrCat(absl::StatusCodeToString(status.code()), " ", info.reason());
  for (const auto& [key, value] :
       std::map<std::string, std::string>(info.metadata().begin(), info.metadata().end())) {
    absl::StrAppend(&summary, " ", key, "=", value);
  }
  return summary;
}

TEST(Errors, HaveTheCodesAndReasonsOfTheContractAndSayWhatTheyAreAbout) {
  EXPECT_EQ(Summary(ArticleNotFound("a")), "NOT_FOUND ARTICLE_NOT_FOUND");
  EXPECT_EQ(Summary(CommentNotFound("c")), "NOT_FOUND COMMENT_NOT_FOUND");
  EXPECT_EQ(Summary(ArticleExists("a")), "ALREADY_EXISTS ARTICLE_EXISTS name=a");
  EXPECT_EQ(Summary(NameTaken("a")), "ALREADY_EXISTS ARTICLE_EXISTS name=a");
  EXPECT_EQ(Summary(EtagMismatch("c")), "ABORTED ETAG_MISMATCH name=c");
  EXPECT_EQ(Summary(CommentsClosed("a")), "FAILED_PRECONDITION COMMENTS_CLOSED article=a");
  EXPECT_EQ(Summary(ThreadTooDeep(32)), "FAILED_PRECONDITION THREAD_TOO_DEEP limit=32");
  EXPECT_EQ(Summary(CommentHidden("c")), "FAILED_PRECONDITION COMMENT_HIDDEN name=c");
  EXPECT_EQ(Summary(CommentDeleted("c")), "FAILED_PRECONDITION COMMENT_DELETED name=c");
  EXPECT_EQ(Summary(RequestIdReused("r")), "FAILED_PRECONDITION REQUEST_ID_REUSED request_id=r");
  EXPECT_EQ(Summary(RevisionNotReached("a", 7, 5)),
            "FAILED_PRECONDITION REVISION_NOT_REACHED current_revision=5");
  EXPECT_EQ(Summary(InvalidField("x", "is bad")), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_EQ(Summary(ReplyTooLarge()), "OUT_OF_RANGE REPLY_TOO_LARGE");
  EXPECT_EQ(Summary(WatcherTooSlow()), "ABORTED WATCHER_TOO_SLOW");
  EXPECT_EQ(Summary(Overloaded(absl::Seconds(1))), "RESOURCE_EXHAUSTED OVERLOADED");
  EXPECT_EQ(Summary(StoreUnavailable()), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_EQ(Summary(ServerStopping()), "UNAVAILABLE SERVER_STOPPING");
  EXPECT_EQ(Summary(OutcomeUnknown()), "UNAVAILABLE OUTCOME_UNKNOWN");
  EXPECT_EQ(Summary(Contention()), "ABORTED CONTENTION");
  EXPECT_EQ(Summary(DeadlineExceeded()), "DEADLINE_EXCEEDED DEADLINE_EXCEEDED");
  EXPECT_EQ(Summary(Cancelled()), "CANCELLED CANCELLED");
  EXPECT_EQ(Summary(Internal("a test")), "INTERNAL INTERNAL");
}

}  // namespace
}  // namespace content
