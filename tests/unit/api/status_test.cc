#include "api/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/errors.h"
#include "content/errors.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace content::api {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::ErrorInfo info;
  const google::rpc::Status details = Details(status);
  if (details.details_size() == 0 || !details.details(0).UnpackTo(&info)) return "no ErrorInfo";
  return info.reason();
}

TEST(ToGrpcStatus, IsOkForOk) { EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok()); }

TEST(ToGrpcStatus, KeepsCodeMessageAndDetailsWithErrorInfoFirst) {
  const grpc::Status status = ToGrpcStatus(InvalidField("name", "is required"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "name is required");
  EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST");
  const google::rpc::Status details = Details(status);
  EXPECT_EQ(details.code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(details.message(), "name is required");
  ASSERT_EQ(details.details_size(), 2);
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(details.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "name");
}

TEST(ToGrpcStatus, MakesErrorsWithoutReasonInternalAndLogsThem) {
  for (const absl::Status& unexpected :
       {absl::InternalError("secret cause"), absl::UnknownError("secret cause")}) {
    CaptureStderr();
    const grpc::Status status = ToGrpcStatus(unexpected);
    EXPECT_THAT(GetCapturedStderr(), HasSubstr("secret cause"));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(status.error_message(), "internal error");
    EXPECT_EQ(ReasonOf(status), "INTERNAL");
  }
}

TEST(ToGrpcStatus, LogsAnInternalErrorOnlyWhereItIsMade) {
  CaptureStderr();
  const absl::Status internal = Internal("cause");
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("cause"));
  CaptureStderr();
  EXPECT_EQ(ReasonOf(ToGrpcStatus(internal)), "INTERNAL");
  EXPECT_EQ(GetCapturedStderr(), "");
}

}  // namespace
}  // namespace content::api
