#include "server/reflection.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "access/gate.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace content::server {
namespace {

using grpc::reflection::v1::ServerReflection;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

class ReflectionStream {
 public:
  explicit ReflectionStream(ServerReflection::Stub& stub)
      : stream_(stub.ServerReflectionInfo(&context_)) {}

  bool Ask() {
    ServerReflectionRequest request;
    request.set_list_services("*");
    ServerReflectionResponse response;
    return stream_->Write(request) && stream_->Read(&response);
  }

  grpc::Status Cancel() {
    context_.TryCancel();
    return Finish();
  }

  grpc::Status Finish() { return stream_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>>
      stream_;
};

TEST(ReflectionServices, AClientWithTooManyStreamsIsToldWhenToRetry) {
  const std::unique_ptr<access::Gate> gate = access::Gate::Start({}).value();
  const std::vector<std::unique_ptr<grpc::Service>> services = NewReflectionServices({}, *gate);
  grpc::ServerBuilder builder;
  for (const auto& service : services) builder.RegisterService(service.get());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = ServerReflection::NewStub(server->InProcessChannel({}));
  std::deque<ReflectionStream> streams;
  for (int i = 0; i < kMaxReflectionStreams / 2; ++i) {
    EXPECT_TRUE(streams.emplace_back(*stub).Ask());
  }
  ReflectionStream refused(*stub);
  EXPECT_FALSE(refused.Ask());
  const grpc::Status status = refused.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_EQ(details.details_size(), 2);
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "OVERLOADED");
  EXPECT_TRUE(details.details(1).Is<google::rpc::RetryInfo>());
  for (ReflectionStream& stream : streams) stream.Cancel();
}

}  // namespace
}  // namespace content::server
