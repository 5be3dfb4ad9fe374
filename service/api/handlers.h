#pragma once

#include "api/encoded_answer.h"
#include "content/read_cache.h"
#include "content/store.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"

// One function for each RPC, of the form Handler (call.h); what it does is said in the proto files.
// They know nothing of gRPC.
namespace content::api::handlers {

/// For pages, which are read from memory or, those that are not kept there, from the store.
struct Pages {
  Store& store;
  ReadCache& reads;
};

void GetArticle(ReadCache& reads, CallContext call, v1::GetArticleRequest request,
                Callback<EncodedAnswer> done);
void BatchGetArticles(ReadCache& reads, CallContext call, v1::BatchGetArticlesRequest request,
                      Callback<EncodedAnswer> done);
void ListArticles(Store& store, CallContext call, v1::ListArticlesRequest request,
                  Callback<v1::ListArticlesResponse> done);
void SearchArticles(Store& store, CallContext call, v1::SearchArticlesRequest request,
                    Callback<v1::SearchArticlesResponse> done);
void GetArticlePage(Pages& pages, CallContext call, v1::GetArticlePageRequest request,
                    Callback<EncodedAnswer> done);
void GetComment(Store& store, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done);
void ListComments(Pages& pages, CallContext call, v1::ListCommentsRequest request,
                  Callback<EncodedAnswer> done);
void CreateComment(Store& store, CallContext call, v1::CreateCommentRequest request,
                   Callback<v1::CreateCommentResponse> done);
void UpdateComment(Store& store, CallContext call, v1::UpdateCommentRequest request,
                   Callback<v1::UpdateCommentResponse> done);
void DeleteComment(Store& store, CallContext call, v1::DeleteCommentRequest request,
                   Callback<v1::DeleteCommentResponse> done);

void PublishArticle(Store& store, CallContext call, v1::PublishArticleRequest request,
                    Callback<v1::PublishArticleResponse> done);
void UpdateArticle(Store& store, CallContext call, v1::UpdateArticleRequest request,
                   Callback<v1::UpdateArticleResponse> done);
void RenameArticle(Store& store, CallContext call, v1::RenameArticleRequest request,
                   Callback<v1::RenameArticleResponse> done);
void RetractArticle(Store& store, CallContext call, v1::RetractArticleRequest request,
                    Callback<v1::RetractArticleResponse> done);
void InspectArticle(Store& store, CallContext call, v1::InspectArticleRequest request,
                    Callback<v1::InspectArticleResponse> done);
void ModerateComment(Store& store, CallContext call, v1::ModerateCommentRequest request,
                     Callback<v1::ModerateCommentResponse> done);
void ListModerationQueue(Store& store, CallContext call, v1::ListModerationQueueRequest request,
                         Callback<v1::ListModerationQueueResponse> done);

}  // namespace content::api::handlers
