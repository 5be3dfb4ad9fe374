#include "api/services.h"

#include <utility>

#include "api/call.h"
#include "api/handlers.h"
#include "api/stream.h"
#include "api/streams.h"
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
                    v1::ContentService::WithRawCallbackMethod_WatchArticles<
                        v1::ContentService::WithRawCallbackMethod_GetComment<
                            v1::ContentService::WithRawCallbackMethod_ListComments<
                                v1::ContentService::WithRawCallbackMethod_WatchComments<
                                    v1::ContentService::WithRawCallbackMethod_CreateComment<
                                        v1::ContentService::WithRawCallbackMethod_UpdateComment<
                                            v1::ContentService::WithRawCallbackMethod_DeleteComment<
                                                v1::ContentService::Service>>>>>>>>>>>>;
using RawAdminService = v1::AdminService::WithRawCallbackMethod_PublishArticle<
    v1::AdminService::WithRawCallbackMethod_UpdateArticle<
        v1::AdminService::WithRawCallbackMethod_RenameArticle<
            v1::AdminService::WithRawCallbackMethod_RetractArticle<
                v1::AdminService::WithRawCallbackMethod_InspectArticle<
                    v1::AdminService::WithRawCallbackMethod_ModerateComment<
                        v1::AdminService::WithRawCallbackMethod_ListModerationQueue<
                            v1::AdminService::WithRawCallbackMethod_ExportAuthor<
                                v1::AdminService::WithRawCallbackMethod_EraseAuthor<
                                    v1::AdminService::WithRawCallbackMethod_VerifyCounters<
                                        v1::AdminService::WithRawCallbackMethod_GetServerInfo<
                                            v1::AdminService::Service>>>>>>>>>>>;

class ContentService final : public RawContentService {
 public:
  ContentService(Store& store, ReadCache& reads, Gate& gate, const Watches& watches)
      : store_(store), reads_(reads), pages_{store, reads}, gate_(gate), watches_(watches) {}

  Reactor* GetArticle(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetArticle, reads_, gate_, context, request, response);
  }
  Reactor* BatchGetArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::BatchGetArticles, reads_, gate_, context, request, response);
  }
  Reactor* ListArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ListArticles, store_, gate_, context, request, response);
  }
  Reactor* SearchArticles(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::SearchArticles, store_, gate_, context, request, response);
  }
  Reactor* GetArticlePage(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetArticlePage, pages_, gate_, context, request, response);
  }
  StreamReactor* WatchArticles(Context* context, const Bytes* request) override {
    return Stream(streams::WatchArticles, watches_.articles, watches_.gate, context, request,
                  watches_.write_timeout);
  }
  Reactor* GetComment(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::GetComment, store_, gate_, context, request, response);
  }
  Reactor* ListComments(Context* context, const Bytes* request, Bytes* response) override {
    return Answer(handlers::ListComments, pages_, gate_, context, request, response);
  }
  StreamReactor* WatchComments(Context* context, const Bytes* request) override {
    return Stream(streams::WatchComments, watches_.comments, watches_.gate, context, request,
                  watches_.write_timeout);
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
  ReadCache& reads_;
  handlers::Pages pages_;
  Gate& gate_;
  const Watches watches_;
};

class AdminService final : public RawAdminService {
 public:
  AdminService(Store& store, ReadCache& reads, Gate& gate, const Watches& watches,
               v1::GetServerInfoResponse info)
      : store_(store), reads_(reads), gate_(gate), watches_(watches), info_(std::move(info)) {}

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
  StreamReactor* ExportAuthor(Context* context, const Bytes* request) override {
    return Stream(streams::ExportAuthor, store_, gate_, context, request);
  }
  StreamReactor* EraseAuthor(Context* context, const Bytes* request) override {
    return Stream(streams::EraseAuthor, store_, gate_, context, request);
  }
  StreamReactor* VerifyCounters(Context* context, const Bytes* request) override {
    return Stream(streams::VerifyCounters, store_, gate_, context, request);
  }
  Reactor* GetServerInfo(Context* context, const Bytes* request, Bytes* response) override {
    return AnswerWith<v1::GetServerInfoRequest, v1::GetServerInfoResponse>(
        [this](const CallContext&, const v1::GetServerInfoRequest&,
               Callback<v1::GetServerInfoResponse> done) { std::move(done)(Describe()); },
        gate_, context, request, response);
  }

 private:
  v1::GetServerInfoResponse Describe() {
    v1::GetServerInfoResponse info = info_;
    info.set_watcher_count(watches_.comments.watcher_count() + watches_.articles.watcher_count());
    *info.mutable_store() = store_.GetInfo();
    *info.mutable_cache() = reads_.GetInfo();
    return info;
  }

  Store& store_;
  ReadCache& reads_;
  Gate& gate_;
  const Watches watches_;
  const v1::GetServerInfoResponse info_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& reads, Gate& gate,
                                                 const Watches& watches) {
  return std::make_unique<ContentService>(store, reads, gate, watches);
}

std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& reads, Gate& gate,
                                               const Watches& watches,
                                               v1::GetServerInfoResponse info) {
  return std::make_unique<AdminService>(store, reads, gate, watches, std::move(info));
}

}  // namespace content::api
