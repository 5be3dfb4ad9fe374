#include "api/handlers.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/batch_of_articles.h"
#include "api/requests.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/page_token.h"

namespace content::api::handlers {
namespace {

using Articles = std::vector<std::optional<ArticleAnswer>>;

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

// An answer whose articles are in field 1, as they are wherever there are any.
constexpr int kArticleField = v1::GetArticleResponse::kArticleFieldNumber;
static_assert(kArticleField == v1::BatchGetArticlesResponse::kArticlesFieldNumber);
static_assert(kArticleField == v1::GetArticlePageResponse::kArticleFieldNumber);

void NoteAge(EncodedAnswer& answer, const std::optional<absl::Duration>& stale_age) {
  if (stale_age) answer.stale_age = std::max(answer.stale_age.value_or(*stale_age), *stale_age);
}

EncodedAnswer EncodeArticle(const ArticleAnswer& article) {
  EncodedAnswer answer;
  answer.AddArticle(kArticleField, article);
  NoteAge(answer, article.stale_age);
  return answer;
}

absl::StatusOr<EncodedAnswer> EncodeBatch(const v1::BatchGetArticlesRequest& request,
                                          const Articles& articles) {
  EncodedAnswer answer;
  std::vector<std::string> missing_names;
  for (int i = 0; i < request.names_size(); ++i) {
    const std::optional<ArticleAnswer>& article = articles[static_cast<size_t>(i)];
    if (article) {
      answer.AddArticle(kArticleField, *article);
      NoteAge(answer, article->stale_age);
    } else if (request.allow_missing()) {
      missing_names.push_back(request.names(i));
    } else {
      return ArticleNotFound(request.names(i));
    }
  }
  for (const std::string& name : missing_names) {
    answer.AddText(v1::BatchGetArticlesResponse::kMissingNamesFieldNumber, name);
  }
  return answer;
}

SharedBytes Serialize(const google::protobuf::MessageLite& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

LoadedPage EncodePage(const std::string& identity, CommentPage page) {
  v1::ListCommentsResponse response;
  response.set_article_revision(page.article.revision);
  response.set_comment_count(page.article.comment_count);
  for (v1::Comment& comment : page.page.items) *response.add_comments() = std::move(comment);
  response.set_next_page_token(NextPageToken(identity, page.page.next_key));
  return {.state = std::move(page.article), .bytes = Serialize(response)};
}

// Everything but the article.
LoadedPage EncodePage(const std::string& identity, ArticlePage page) {
  v1::GetArticlePageResponse response;
  for (v1::Comment& comment : page.comments.items) *response.add_comments() = std::move(comment);
  response.set_next_comment_page_token(NextPageToken(identity, page.comments.next_key));
  return {.state = page.article.state,
          .bytes = Serialize(response),
          .article = std::move(page.article)};
}

// What readers are shown on pages with the same key is the same, as long as the article is. Name
// and order are the request's own, because the token of the next page is bound to them.
std::string PageKey(absl::string_view rpc, const std::string& name, v1::CommentOrder order,
                    int page_size, int view = 0) {
  return absl::StrCat(rpc, " ", static_cast<int>(order), " ", page_size, " ", view, " ", name);
}

}  // namespace

void GetArticle(ReadCache& reads, CallContext call, v1::GetArticleRequest request,
                Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticleLookup> lookup = Validate(request);
  if (!lookup.ok()) return std::move(done)(lookup.status());
  reads.GetArticle(std::move(call), std::move(lookup->id), lookup->view, request.min_revision(),
                   Reply<ArticleAnswer>(std::move(done), EncodeArticle));
}

void BatchGetArticles(ReadCache& reads, CallContext call, v1::BatchGetArticlesRequest request,
                      Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticleLookups> lookups = Validate(request);
  if (!lookups.ok()) return std::move(done)(lookups.status());
  auto reply =
      Reply<Articles>(std::move(done), [request = std::move(request)](const Articles& articles) {
        return EncodeBatch(request, articles);
      });
  ReadBatch(reads, std::move(call), lookups->ids, lookups->view, std::move(reply));
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

void GetArticlePage(Pages& pages, CallContext call, v1::GetArticlePageRequest request,
                    Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticlePageQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  const v1::ArticleView view = query->view;
  PageRequest page{.article_id = query->comments.article_id,
                   .key = PageKey("page", request.name(), request.comment_order(),
                                  query->comments.page_size, view),
                   .min_revision = request.min_revision(),
                   .view = view};
  query->comments.min_revision = 0;  // what is kept is for others too
  LoadPage load = [&store = pages.store, view, comments = std::move(query->comments),
                   request = std::move(request)](CallContext context, Callback<LoadedPage> made) {
    auto encode = [identity = QueryIdentity(request)](ArticlePage loaded) {
      return EncodePage(identity, std::move(loaded));
    };
    store.GetArticlePage(std::move(context), view, comments,
                         Reply<ArticlePage>(std::move(made), std::move(encode)));
  };
  pages.reads.GetPage(std::move(call), std::move(page), std::move(load),
                      Reply<PageAnswer>(std::move(done), [](const PageAnswer& answer) {
                        EncodedAnswer encoded = EncodeArticle(*answer.article);
                        encoded.Add(answer.bytes);
                        return encoded;
                      }));
}

void GetComment(Store& store, CallContext call, v1::GetCommentRequest request,
                Callback<v1::GetCommentResponse> done) {
  absl::StatusOr<CommentRef> reference = Validate(request);
  if (!reference.ok()) return std::move(done)(reference.status());
  store.GetComment(std::move(call), *std::move(reference), request.min_revision(),
                   ReplyWithComment<v1::GetCommentResponse>(std::move(done)));
}

void ListComments(Pages& pages, CallContext call, v1::ListCommentsRequest request,
                  Callback<EncodedAnswer> done) {
  absl::StatusOr<CommentQuery> query = Validate(request);
  if (!query.ok()) return std::move(done)(query.status());
  const bool is_kept = query->after_key.empty() && query->reply_to_id.empty();
  PageRequest page{.article_id = query->article_id,
                   .key = PageKey("comments", request.parent(), request.order(), query->page_size),
                   .min_revision = request.min_revision()};
  if (is_kept) query->min_revision = 0;  // then it is for others too
  LoadPage load = [&store = pages.store, query = *std::move(query), request = std::move(request)](
                      CallContext context, Callback<LoadedPage> made) {
    auto encode = [identity = QueryIdentity(request)](CommentPage loaded) {
      return EncodePage(identity, std::move(loaded));
    };
    store.ListComments(std::move(context), query,
                       Reply<CommentPage>(std::move(made), std::move(encode)));
  };
  const auto send = [](const auto& loaded) {
    EncodedAnswer encoded;
    encoded.Add(loaded.bytes);
    return encoded;
  };
  if (!is_kept) return load(std::move(call), Reply<LoadedPage>(std::move(done), send));
  auto reply = [send](const PageAnswer& answer) {
    EncodedAnswer encoded = send(answer);
    NoteAge(encoded, answer.stale_age);
    return encoded;
  };
  pages.reads.GetPage(std::move(call), std::move(page), std::move(load),
                      Reply<PageAnswer>(std::move(done), std::move(reply)));
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
