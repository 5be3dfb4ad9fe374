#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "grpc/health/v1/health.pb.h"

namespace content::testing {

/// For a client that shares no connection with others in its process.
grpc::ChannelArguments OwnConnection();

/// A client of the service, such as another program would use. Every method makes one call.
class Client {
 public:
  explicit Client(const std::string& address, const grpc::ChannelArguments& arguments = {});

  grpc::Status Publish(const v1::Article& article,
                       v1::PublishArticleResponse* response = nullptr) const;
  grpc::Status Create(const v1::CreateCommentRequest& request,
                      v1::CreateCommentResponse* response = nullptr) const;

  /// For calls that the other methods do not cover. Calls have a deadline of 10 s.
  template <class Stub, class Request, class Response>
  static grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           Stub& stub, const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return (stub.*method)(&context, request, &response);
  }

  v1::ContentService::Stub& content() const { return *content_; }
  v1::AdminService::Stub& admin() const { return *admin_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ContentService::Stub> content_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

/// A server-streaming call, with a deadline of 60 s.
template <class Response>
class Stream {
 public:
  template <class Stub, class Request>
  Stream(std::unique_ptr<grpc::ClientReader<Response>> (Stub::*method)(grpc::ClientContext*,
                                                                       const Request&),
         Stub& stub, const Request& request) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    reader_ = (stub.*method)(&context_, request);
  }

  /// Waits for the next message; nullopt at the end of the stream.
  std::optional<Response> Read() {
    Response response;
    if (!reader_->Read(&response)) return std::nullopt;
    return response;
  }

  /// Returns the status. All messages must have been read.
  grpc::Status Finish() { return reader_->Finish(); }

  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
};

v1::Article MakeArticle(const std::string& id);

v1::CreateCommentRequest MakeCommentRequest(const std::string& article_id, const std::string& body);

/// Sends bytes that a generated client would refuse to send. Sets `response` to the bytes of the
/// answer, if there is one.
grpc::Status CallWithBytes(const Client& client, const std::string& method,
                           const std::string& bytes, std::string* response = nullptr);

/// Ends a call without having sent a request.
grpc::Status CallWithoutRequest(const Client& client, const std::string& method);

/// Waits until the server has this health status. Fails the test if that takes too long.
void AwaitHealth(const Client& client, grpc::health::v1::HealthCheckResponse::ServingStatus wanted);

/// The same for SERVING.
void AwaitServing(const Client& client);

/// ErrorInfo.reason in a status's details.
std::string ReasonOf(const grpc::Status& status);

/// Whether a status says when to try again.
bool HasRetryInfo(const grpc::Status& status);

/// Fields in a status's BadRequest detail.
std::vector<std::string> BadFields(const grpc::Status& status);

}  // namespace content::testing
