#include "support/grpc_client.h"

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace content::testing {
namespace {

template <class Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  Detail detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) break;
  }
  return detail;
}

}  // namespace

grpc::ChannelArguments OwnConnection() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

Client::Client(const std::string& address, const grpc::ChannelArguments& arguments)
    : channel_(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)),
      content_(v1::ContentService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)) {}

grpc::Status Client::Publish(const v1::Article& article,
                             v1::PublishArticleResponse* response) const {
  v1::PublishArticleRequest request;
  *request.mutable_article() = article;
  v1::PublishArticleResponse ignored;
  return Call(&v1::AdminService::Stub::PublishArticle, *admin_, request,
              response != nullptr ? *response : ignored);
}

grpc::Status Client::Create(const v1::CreateCommentRequest& request,
                            v1::CreateCommentResponse* response) const {
  v1::CreateCommentResponse ignored;
  return Call(&v1::ContentService::Stub::CreateComment, *content_, request,
              response != nullptr ? *response : ignored);
}

v1::Article MakeArticle(const std::string& id) {
  v1::Article article;
  article.set_name("articles/" + id);
  article.set_title("About " + id);
  article.set_body("Some text.");
  return article;
}

v1::CreateCommentRequest MakeCommentRequest(const std::string& article_id,
                                            const std::string& body) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/" + article_id);
  request.mutable_comment()->mutable_author()->set_id("user-1");
  request.mutable_comment()->mutable_author()->set_display_name("A Reader");
  request.mutable_comment()->set_body(body);
  return request;
}

grpc::Status CallWithBytes(const Client& client, const std::string& method,
                           const std::string& bytes, std::string* response_bytes) {
  grpc::GenericStub stub(client.channel());
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, method, {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  grpc::Status status = done.get_future().get();
  std::vector<grpc::Slice> slices;
  if (response_bytes != nullptr && status.ok() && response.Dump(&slices).ok()) {
    for (const grpc::Slice& part : slices) response_bytes->append(part.begin(), part.end());
  }
  return status;
}

grpc::Status CallWithoutRequest(const Client& client, const std::string& method) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  grpc::CompletionQueue queue;
  const auto await_step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  const auto call = grpc::GenericStub(client.channel()).PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  await_step();
  call->WritesDone(nullptr);
  await_step();
  grpc::Status status;
  call->Finish(&status, nullptr);
  await_step();
  return status;
}

void AwaitHealth(const Client& client,
                 grpc::health::v1::HealthCheckResponse::ServingStatus wanted) {
  const auto stub = grpc::health::v1::Health::NewStub(client.channel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const auto stream = stub->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse response;
  while (stream->Read(&response)) {
    if (response.status() == wanted) return;
  }
  ADD_FAILURE() << "health never became " << wanted;
}

void AwaitServing(const Client& client) {
  AwaitHealth(client, grpc::health::v1::HealthCheckResponse::SERVING);
}

std::string ReasonOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).reason();
}

bool HasRetryInfo(const grpc::Status& status) {
  return DetailOf<google::rpc::RetryInfo>(status).has_retry_delay();
}

std::vector<std::string> BadFields(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto details = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : details.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace content::testing
