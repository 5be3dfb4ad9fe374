#include "api/handlers.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/requests.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/page_token.h"

namespace content::api::handlers {
namespace {

using Articles = std::vector<std::optional<v1::Article>>;

// A callback of the store that passes an error on and otherwise lets `encode` make the answer, an
// absl::StatusOr<Response>, of what the store gave.
template <class Stored, class Response, class Encode>
Callback<Stored> Reply(Callback<Response> done, Encode encode) {
  return
      [done = std::move(done), encode = std::move(encode)](absl::StatusOr<Stored> stored) mutable {
        if (!stored.ok()) return std::move(done)(stored.status());
        std::move(done)(encode(*std::move(stored)));
      };
}

// The answer of an RPC whose response is an article, or a comment, and nothing else.
template <class Response>
Callback<v1::Article> ReplyWithArticle(Callback<Response> done) {
  return Reply<v1::Article>(std::move(done), [](v1::Article article) {
    Response response;
    *response.mutable_article() = std::move(article);
    return response;
  });
}

template <class Response>
Callback<v1::Comment> ReplyWithComment(Callback<Response> done) {
  return Reply<v1::Comment>(std::move(done), [](v1::Comment comment) {
    Response response;
    *response.mutable_comment() = std::move(comment);
    return response;
  });
}

// Empty if no page follows.
std::string NextPageToken(const std::string& query_identity, const std::string& next_key) {
  return next_key.empty() ? "" : MakePageToken(query_identity, next_key);
}

absl::StatusOr<v1::GetArticleResponse> EncodeArticle(const v1::GetArticleRequest& request,
                                                     std::optional<v1::Article> article) {
  if (!article) return ArticleNotFound(request.name());
  const int64_t revision = article->revision();
  if (revision < request.min_revision()) {
    return RevisionNotReached(request.name(), request.min_revision(), revision);
  }
  v1::GetArticleResponse response;
  *response.mutable_article() = *std::move(article);
  return response;
}

absl::StatusOr<v1::BatchGetArticlesResponse> EncodeBatch(const v1::BatchGetArticlesRequest& request,
                                                         Articles articles) {
  v1::BatchGetArticlesResponse response;
  for (int i = 0; i < request.names_size(); ++i) {
    std::optional<v1::Article>& article = articles[static_cast<size_t>(i)];
    if (article) {
      *response.add_articles() = *std::move(article);
    } else if (request.allow_missing()) {
      response.add_missing_names(request.names(i));
    } else {
      return ArticleNotFound(request.names(i));
    }
  }
  return response;
}

}  // namespace

void GetArticle(Store& store, CallContext call, v1::GetArticleRequest request,
                Callback<v1::GetArticleResponse> done) {
  absl::StatusOr<ArticleLookup> lookup = Validate(request);
  if (!lookup.ok()) return std::move(done)(lookup.status());
  auto reply = Reply<Articles>(std::move(done), [request = std::move(request)](Articles articles) {
    return EncodeArticle(request, std::move(articles.front()));
  });
  store.GetArticles(std::move(call), std::move(lookup->ids), lookup->view, std::move(reply));
}

void BatchGetArticles(Store& store, CallContext call, v1::BatchGetArticlesRequest request,
                      Callback<v1::BatchGetArticlesResponse> done) {
  absl::StatusOr<ArticleLookup> lookup = Validate(request);
  if (!lookup.ok()) return std::move(done)(lookup.status());
  auto reply = Reply<Articles>(std::move(done), [request = std::move(request)](Articles articles) {
    return EncodeBatch(request, std::move(articles));
  });
  store.GetArticles(std::move(call), std::move(lookup->ids), lookup->view, std::move(reply));
}

void ListArticles(Store& store, CallContext call, v1::ListArticlesRequest request,
                  Callback<v1::ListArticlesResponse> done) {
  absl::StatusOr<ArticleQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::Article>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::Article> page) {
        v1::ListArticlesResponse response;
        for (v1::Article& article : page.items) *response.add_articles() = std::move(article);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  store.ListArticles(std::move(call), *std::move(query), std::move(reply));
}

void SearchArticles(Store& store, CallContext call, v1::SearchArticlesRequest request,
                    Callback<v1::SearchArticlesResponse> done) {
  absl::StatusOr<SearchQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::SearchResult>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::SearchResult> page) {
        v1::SearchArticlesResponse response;
        for (v1::SearchResult& result : page.items) *response.add_results() = std::move(result);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  store.SearchArticles(std::move(call), *std::move(query), std::move(reply));
}

void GetArticlePage(Store& store, CallContext call, v1::GetArticlePageRequest request,
                    Callback<v1::GetArticlePageResponse> done) {
  absl::StatusOr<ArticlePageQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply =
      Reply<ArticlePage>(std::move(done), [identity = QueryIdentity(request)](ArticlePage page) {
        v1::GetArticlePageResponse response;
        *response.mutable_article() = std::move(page.article);
        for (v1::Comment& comment : page.comments.items) {
          *response.add_comments() = std::move(comment);
        }
        response.set_next_comment_page_token(NextPageToken(identity, page.comments.next_key));
        return response;
      });
  store.GetArticlePage(std::move(call), query->view, std::move(query->comments), std::move(reply));
}

void GetComment(Store& store, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done) {
  absl::StatusOr<CommentRef> reference = Validate(request);
  if (!reference.ok()) return std::move(done)(reference.status());
  store.GetComment(std::move(call), *std::move(reference), request.min_revision(),
                   ReplyWithComment<v1::GetCommentResponse>(std::move(done)));
}

void ListComments(Store& store, CallContext call, v1::ListCommentsRequest request,
                  Callback<v1::ListCommentsResponse> done) {
  absl::StatusOr<CommentQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply =
      Reply<CommentPage>(std::move(done), [identity = QueryIdentity(request)](CommentPage result) {
        v1::ListCommentsResponse response;
        response.set_article_revision(result.article_revision);
        response.set_comment_count(result.comment_count);
        for (v1::Comment& comment : result.page.items) {
          *response.add_comments() = std::move(comment);
        }
        response.set_next_page_token(NextPageToken(identity, result.page.next_key));
        return response;
      });
  store.ListComments(std::move(call), *std::move(query), std::move(reply));
}

void CreateComment(Store& store, CallContext call, v1::CreateCommentRequest request,
                   Callback<v1::CreateCommentResponse> done) {
  absl::StatusOr<NewComment> comment = Validate(request);
  if (!comment.ok()) return std::move(done)(comment.status());
  store.CreateComment(std::move(call), *std::move(comment),
                      ReplyWithComment<v1::CreateCommentResponse>(std::move(done)));
}

void UpdateComment(Store& store, CallContext call, v1::UpdateCommentRequest request,
                   Callback<v1::UpdateCommentResponse> done) {
  absl::StatusOr<CommentEdit> edit = Validate(request);
  if (!edit.ok()) return std::move(done)(edit.status());
  store.UpdateComment(std::move(call), *std::move(edit),
                      ReplyWithComment<v1::UpdateCommentResponse>(std::move(done)));
}

void DeleteComment(Store& store, CallContext call, v1::DeleteCommentRequest request,
                   Callback<v1::DeleteCommentResponse> done) {
  absl::StatusOr<CommentDeletion> deletion = Validate(request);
  if (!deletion.ok()) return std::move(done)(deletion.status());
  auto reply = Reply<int64_t>(std::move(done), [](int64_t revision) {
    v1::DeleteCommentResponse response;
    response.set_article_revision(revision);
    return response;
  });
  store.DeleteComment(std::move(call), *std::move(deletion), std::move(reply));
}

void PublishArticle(Store& store, CallContext call, v1::PublishArticleRequest request,
                    Callback<v1::PublishArticleResponse> done) {
  absl::StatusOr<Publication> publication = Validate(request);
  if (!publication.ok()) return std::move(done)(publication.status());
  auto reply = Reply<PublishedArticle>(std::move(done), [](PublishedArticle published) {
    v1::PublishArticleResponse response;
    *response.mutable_article() = std::move(published.article);
    response.set_outcome(published.outcome);
    return response;
  });
  store.PublishArticle(std::move(call), std::move(publication->article),
                       std::move(publication->options), std::move(reply));
}

void UpdateArticle(Store& store, CallContext call, v1::UpdateArticleRequest request,
                   Callback<v1::UpdateArticleResponse> done) {
  absl::StatusOr<ArticleEdit> edit = Validate(request);
  if (!edit.ok()) return std::move(done)(edit.status());
  store.UpdateArticle(std::move(call), *std::move(edit),
                      ReplyWithArticle<v1::UpdateArticleResponse>(std::move(done)));
}

void RenameArticle(Store& store, CallContext call, v1::RenameArticleRequest request,
                   Callback<v1::RenameArticleResponse> done) {
  absl::StatusOr<ArticleRenaming> renaming = Validate(request);
  if (!renaming.ok()) return std::move(done)(renaming.status());
  store.RenameArticle(std::move(call), *std::move(renaming),
                      ReplyWithArticle<v1::RenameArticleResponse>(std::move(done)));
}

void RetractArticle(Store& store, CallContext call, v1::RetractArticleRequest request,
                    Callback<v1::RetractArticleResponse> done) {
  absl::StatusOr<ArticleRetraction> retraction = Validate(request);
  if (!retraction.ok()) return std::move(done)(retraction.status());
  auto reply = Reply<int64_t>(std::move(done), [](int64_t revision) {
    v1::RetractArticleResponse response;
    response.set_revision(revision);
    return response;
  });
  store.RetractArticle(std::move(call), *std::move(retraction), std::move(reply));
}

void InspectArticle(Store& store, CallContext call, v1::InspectArticleRequest request,
                    Callback<v1::InspectArticleResponse> done) {
  absl::StatusOr<std::string> id = Validate(request);
  if (!id.ok()) return std::move(done)(id.status());
  auto reply = Reply<InspectedArticle>(std::move(done), [](InspectedArticle inspected) {
    v1::InspectArticleResponse response;
    *response.mutable_article() = std::move(inspected.article);
    response.set_retracted(inspected.retracted);
    for (std::string& name : inspected.former_names) response.add_former_names(std::move(name));
    return response;
  });
  store.InspectArticle(std::move(call), *std::move(id), std::move(reply));
}

void ModerateComment(Store& store, CallContext call, v1::ModerateCommentRequest request,
                     Callback<v1::ModerateCommentResponse> done) {
  absl::StatusOr<CommentModeration> moderation = Validate(request);
  if (!moderation.ok()) return std::move(done)(moderation.status());
  store.ModerateComment(std::move(call), *std::move(moderation),
                        ReplyWithComment<v1::ModerateCommentResponse>(std::move(done)));
}

void ListModerationQueue(Store& store, CallContext call, v1::ListModerationQueueRequest request,
                         Callback<v1::ListModerationQueueResponse> done) {
  absl::StatusOr<ModerationQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::Comment>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::Comment> page) {
        v1::ListModerationQueueResponse response;
        for (v1::Comment& comment : page.items) *response.add_comments() = std::move(comment);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  store.ListModerationQueue(std::move(call), *std::move(query), std::move(reply));
}

}  // namespace content::api::handlers
