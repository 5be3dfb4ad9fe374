#include "api/services.h"

#include "api/call.h"
#include "api/handlers.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"

namespace content::api {
namespace {

using Bytes = grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;

// Every method takes and gives bytes instead of messages: see decode.h.
using RawContentService = v1::ContentService::WithRawCallbackMethod_GetArticle<
    v1::ContentService::WithRawCallbackMethod_BatchGetArticles<
        v1::ContentService::WithRawCallbackMethod_ListArticles<
            v1::ContentService::WithRawCallbackMethod_SearchArticles<
                v1::ContentService::WithRawCallbackMethod_GetArticlePage<
                    v1::ContentService::WithRawCallbackMethod_GetComment<
                        v1::ContentService::WithRawCallbackMethod_ListComments<
                            v1::ContentService::WithRawCallbackMethod_CreateComment<
                                v1::ContentService::WithRawCallbackMethod_UpdateComment<
                                    v1::ContentService::WithRawCallbackMethod_DeleteComment<
                                        v1::ContentService::Service>>>>>>>>>>;
using RawAdminService = v1::AdminService::WithRawCallbackMethod_PublishArticle<
    v1::AdminService::WithRawCallbackMethod_UpdateArticle<
        v1::AdminService::WithRawCallbackMethod_RenameArticle<
            v1::AdminService::WithRawCallbackMethod_RetractArticle<
                v1::AdminService::WithRawCallbackMethod_InspectArticle<
                    v1::AdminService::WithRawCallbackMethod_ModerateComment<
                        v1::AdminService::WithRawCallbackMethod_ListModerationQueue<
                            v1::AdminService::Service>>>>>>>;

class ContentService final : public RawContentService {
 public:
  ContentService(Store& store, Gate& gate) : store_(store), gate_(gate) {}

  Reactor* GetArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetArticle, store_, gate_, context, request, response);
  }
  Reactor* BatchGetArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::BatchGetArticles, store_, gate_, context, request, response);
  }
  Reactor* ListArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ListArticles, store_, gate_, context, request, response);
  }
  Reactor* SearchArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::SearchArticles, store_, gate_, context, request, response);
  }
  Reactor* GetArticlePage(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetArticlePage, store_, gate_, context, request, response);
  }
  Reactor* GetComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetComment, store_, gate_, context, request, response);
  }
  Reactor* ListComments(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ListComments, store_, gate_, context, request, response);
  }
  Reactor* CreateComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::CreateComment, store_, gate_, context, request, response);
  }
  Reactor* UpdateComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::UpdateComment, store_, gate_, context, request, response);
  }
  Reactor* DeleteComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::DeleteComment, store_, gate_, context, request, response);
  }

 private:
  Store& store_;
  Gate& gate_;
};

class AdminService final : public RawAdminService {
 public:
  AdminService(Store& store, Gate& gate) : store_(store), gate_(gate) {}

  Reactor* PublishArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::PublishArticle, store_, gate_, context, request, response);
  }
  Reactor* UpdateArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::UpdateArticle, store_, gate_, context, request, response);
  }
  Reactor* RenameArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::RenameArticle, store_, gate_, context, request, response);
  }
  Reactor* RetractArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::RetractArticle, store_, gate_, context, request, response);
  }
  Reactor* InspectArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::InspectArticle, store_, gate_, context, request, response);
  }
  Reactor* ModerateComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ModerateComment, store_, gate_, context, request, response);
  }
  Reactor* ListModerationQueue(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ListModerationQueue, store_, gate_, context, request, response);
  }

 private:
  Store& store_;
  Gate& gate_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewContentService(Store& store, Gate& gate) {
  return std::make_unique<ContentService>(store, gate);
}

std::unique_ptr<grpc::Service> NewAdminService(Store& store, Gate& gate) {
  return std::make_unique<AdminService>(store, gate);
}

}  // namespace content::api
