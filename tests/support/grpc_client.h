#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"

namespace content::testing {

/// A caller of the service, as another program would be. Every method makes one call.
class Client {
 public:
  explicit Client(const std::string& address);

  grpc::Status Publish(const v1::Article& article, v1::PublishArticleResponse* response = nullptr);
  grpc::Status Create(const v1::CreateCommentRequest& request,
                      v1::CreateCommentResponse* response = nullptr);

  /// For what the others do not cover. Calls have a deadline of 10 s.
  template <class Stub, class Request, class Response>
  static grpc::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Response*),
                           Stub& stub, const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    return (stub.*method)(&context, request, &response);
  }

  v1::ContentService::Stub& content() { return *content_; }
  v1::AdminService::Stub& admin() { return *admin_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ContentService::Stub> content_;
  std::unique_ptr<v1::AdminService::Stub> admin_;
};

v1::Article MakeArticle(const std::string& id);

v1::CreateCommentRequest MakeCommentRequest(const std::string& article_id, const std::string& body);

/// ErrorInfo.reason in a status's details.
std::string ReasonOf(const grpc::Status& status);

/// Fields in a status's BadRequest detail.
std::vector<std::string> BadFields(const grpc::Status& status);

}  // namespace content::testing
