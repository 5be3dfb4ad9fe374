#include "api/services.h"

#include <utility>

#include "api/articles.h"
#include "api/audit.h"
#include "api/blocks.h"
#include "api/comments.h"
#include "api/log_level.h"
#include "api/publishing.h"
#include "api/raw_service.h"
#include "api/upkeep.h"
#include "api/watches.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"

namespace content::api {
namespace {

using ContentService = RawService<v1::ContentService>;

class AdminService final : public RawService<v1::AdminService> {
 public:
  AdminService(const Passage& passage, ServerParts parts)
      : RawService(passage), parts_(std::move(parts)) {}

  const ServerParts& parts() const { return parts_; }

 private:
  const ServerParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewContentService(Store& store, ReadCache& cache,
                                                 const Passage& passage, const Watches& watches) {
  auto service = std::make_unique<ContentService>(passage);
  service->Unary(GetArticle, cache);
  service->Unary(BatchGetArticles, cache);
  service->Unary(ListArticles, store);
  service->Unary(SearchArticles, store);
  service->Unary(GetArticlePage, cache, store);
  service->Watch(WatchArticles, watches.articles, watches.write_timeout);
  service->Unary(GetComment, store);
  service->Unary(ListComments, cache, store);
  service->Watch(WatchComments, watches.comments, watches.write_timeout);
  service->Unary(CreateComment, passage.gate, store);
  service->Unary(UpdateComment, store);
  service->Unary(DeleteComment, store);
  service->Unary(ReportComment, store);
  return service;
}

std::unique_ptr<grpc::Service> NewAdminService(Store& store, ReadCache& cache,
                                               const Passage& passage, const Watches& watches,
                                               const MemoryGuard& memory,
                                               v1::GetServerInfoResponse info) {
  auto service = std::make_unique<AdminService>(passage, ServerParts{.upkeep = store,
                                                                     .cache = cache,
                                                                     .comments = watches.comments,
                                                                     .articles = watches.articles,
                                                                     .memory = memory,
                                                                     .info = std::move(info)});
  service->Unary(PublishArticle, store);
  service->Unary(UpdateArticle, store);
  service->Unary(RenameArticle, store);
  service->Unary(RetractArticle, store);
  service->Unary(InspectArticle, store);
  service->Unary(InspectComment, store);
  service->Unary(ModerateComment, store);
  service->Unary(EraseComment, store);
  service->Unary(ImportComments, store);
  service->Unary(ListModerationQueue, store);
  service->Unary(BlockAuthor, store);
  service->Unary(UnblockAuthor, store);
  service->Unary(ListBlockedAuthors, store);
  service->Unary(ListAuditEvents, store);
  service->Stream(ExportAuthor, store, watches.write_timeout);
  service->Stream(EraseAuthor, store, watches.write_timeout);
  service->Stream(VerifyCounters, store, watches.write_timeout);
  service->Unary(GetServerInfo, service->parts());
  service->Unary(OverrideLogLevel);
  return service;
}

}  // namespace content::api
