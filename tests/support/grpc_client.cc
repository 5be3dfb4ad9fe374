#include "support/grpc_client.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

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

Client::Client(const std::string& address)
    : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
      content_(v1::ContentService::NewStub(channel_)),
      admin_(v1::AdminService::NewStub(channel_)) {}

grpc::Status Client::Publish(const v1::Article& article, v1::PublishArticleResponse* response) {
  v1::PublishArticleRequest request;
  *request.mutable_article() = article;
  v1::PublishArticleResponse ignored;
  return Call(&v1::AdminService::Stub::PublishArticle, *admin_, request,
              response != nullptr ? *response : ignored);
}

grpc::Status Client::Create(const v1::CreateCommentRequest& request,
                            v1::CreateCommentResponse* response) {
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

std::string ReasonOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).reason();
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
