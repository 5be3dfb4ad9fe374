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
        if (!page.next_key.empty()) {
          response.set_next_page_token(MakePageToken(identity, page.next_key));
        }
        return response;
      });
  store.ListArticles(std::move(call), *std::move(query), std::move(reply));
}

void GetComment(Store& store, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done) {
  absl::StatusOr<CommentRef> reference = Validate(request);
  if (!reference.ok()) return std::move(done)(reference.status());
  auto reply = Reply<v1::Comment>(std::move(done), [](v1::Comment comment) {
    v1::GetCommentResponse response;
    *response.mutable_comment() = std::move(comment);
    return response;
  });
  store.GetComment(std::move(call), std::move(reference->article_id),
                   std::move(reference->comment_id), request.min_revision(), std::move(reply));
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
        if (!result.page.next_key.empty()) {
          response.set_next_page_token(MakePageToken(identity, result.page.next_key));
        }
        return response;
      });
  store.ListComments(std::move(call), *std::move(query), std::move(reply));
}

void CreateComment(Store& store, CallContext call, v1::CreateCommentRequest request,
                   Callback<v1::CreateCommentResponse> done) {
  absl::StatusOr<NewComment> comment = Validate(request);
  if (!comment.ok()) return std::move(done)(comment.status());
  auto reply = Reply<v1::Comment>(std::move(done), [](v1::Comment stored) {
    v1::CreateCommentResponse response;
    *response.mutable_comment() = std::move(stored);
    return response;
  });
  store.CreateComment(std::move(call), *std::move(comment), std::move(reply));
}

void PublishArticle(Store& store, CallContext call, v1::PublishArticleRequest request,
                    Callback<v1::PublishArticleResponse> done) {
  absl::StatusOr<v1::Article> article = Validate(request);
  if (!article.ok()) return std::move(done)(article.status());
  auto reply = Reply<PublishedArticle>(std::move(done), [](PublishedArticle published) {
    v1::PublishArticleResponse response;
    *response.mutable_article() = std::move(published.article);
    response.set_outcome(published.outcome);
    return response;
  });
  const PublishOptions options{.may_replace = !request.article().name().empty(),
                               .validate_only = request.validate_only()};
  store.PublishArticle(std::move(call), *std::move(article), options, std::move(reply));
}

void RetractArticle(Store& store, CallContext call, v1::RetractArticleRequest request,
                    Callback<v1::RetractArticleResponse> done) {
  absl::StatusOr<std::string> id = Validate(request);
  if (!id.ok()) return std::move(done)(id.status());
  auto reply = Reply<int64_t>(std::move(done), [](int64_t revision) {
    v1::RetractArticleResponse response;
    response.set_revision(revision);
    return response;
  });
  store.RetractArticle(std::move(call), *std::move(id), request.etag(), std::move(reply));
}

}  // namespace content::api::handlers
