#include "server/health_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "access/gate.h"

namespace content::server {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

class HealthServiceTest : public ::testing::Test {
 protected:
  HealthServiceTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&health_);
    server_ = builder.BuildAndStart();
    stub_ = Health::NewStub(server_->InProcessChannel({}));
  }

  grpc::Status Check(const std::string& service, HealthCheckResponse& response) {
    HealthCheckRequest request;
    request.set_service(service);
    grpc::ClientContext context;
    return stub_->Check(&context, request, &response);
  }

  HealthCheckResponse::ServingStatus StatusOf(const std::string& service) {
    HealthCheckResponse response;
    const grpc::Status status = Check(service, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.status();
  }

  const std::unique_ptr<access::Gate> gate_ = access::Gate::Start({}).value();
  HealthService health_{{"content.v1.ContentService"}, *gate_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Health::Stub> stub_;
};

class Watch {
 public:
  Watch(Health::Stub& stub, const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    reader_ = stub.Watch(&context_, request);
  }

  HealthCheckResponse::ServingStatus Next() {
    HealthCheckResponse response;
    EXPECT_TRUE(reader_->Read(&response));
    return response.status();
  }

  grpc::StatusCode Cancel() {
    context_.TryCancel();
    return Finish();
  }

  grpc::StatusCode Finish() {
    HealthCheckResponse response;
    EXPECT_FALSE(reader_->Read(&response));
    return reader_->Finish().error_code();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader_;
};

TEST_F(HealthServiceTest, IsNotServingUntilItIsSet) {
  for (const char* service : {"", "content.v1.ContentService"}) {
    EXPECT_EQ(StatusOf(service), HealthCheckResponse::NOT_SERVING);
    health_.SetServing(true);
    EXPECT_EQ(StatusOf(service), HealthCheckResponse::SERVING);
    health_.SetServing(false);
    EXPECT_EQ(StatusOf(service), HealthCheckResponse::NOT_SERVING);
  }
}

TEST_F(HealthServiceTest, DoesNotFindAnUnknownService) {
  HealthCheckResponse response;
  EXPECT_EQ(Check("content.v1.Nothing", response).error_code(), grpc::StatusCode::NOT_FOUND);
}

// gRPC keeps the request of a watch as long as the watch.
TEST_F(HealthServiceTest, TakesNoLargeRequests) {
  HealthCheckRequest request;
  request.set_service(std::string(kMaxHealthRequestBytes, 'x'));
  grpc::ClientContext context;
  const auto watch = stub_->Watch(&context, request);
  HealthCheckResponse response;
  EXPECT_FALSE(watch->Read(&response));
  EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Check(request.service(), response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HealthServiceTest, TellsWatchersOfEachChange) {
  Watch server(*stub_, "");
  Watch service(*stub_, "content.v1.ContentService");
  for (Watch* const watch : {&server, &service}) {
    EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
  }
  for (int i = 0; i < 10; ++i) {
    health_.SetServing(true);
    health_.SetServing(true);  // no change
    for (Watch* const watch : {&server, &service}) {
      EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
    }
    health_.SetServing(false);
    for (Watch* const watch : {&server, &service}) {
      EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
    }
  }
  EXPECT_EQ(server.Cancel(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(service.Cancel(), grpc::StatusCode::CANCELLED);
}

TEST_F(HealthServiceTest, AWatchOfAnUnknownServiceStaysOpen) {
  Watch watch(*stub_, "content.v1.Nothing");
  EXPECT_EQ(watch.Next(), HealthCheckResponse::SERVICE_UNKNOWN);
  health_.SetServing(true);
  EXPECT_EQ(watch.Cancel(), grpc::StatusCode::CANCELLED);
}

TEST_F(HealthServiceTest, TheServersEndEndsWatches) {
  Watch watch(*stub_, "");
  EXPECT_EQ(watch.Next(), HealthCheckResponse::NOT_SERVING);
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_NE(watch.Finish(), grpc::StatusCode::OK);
  server_->Wait();
}

}  // namespace
}  // namespace content::server
