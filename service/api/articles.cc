#include "api/articles.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/answers.h"
#include "api/batch_of_articles.h"
#include "api/checks.h"
#include "api/identity.h"
#include "content/errors.h"
#include "content/rules.h"
#include "content/text.h"

namespace content::api {
namespace {

using Articles = std::vector<std::optional<ArticleAnswer>>;

constexpr int kMaxBatchSize = 100;
constexpr size_t kMaxQueryCharacters = 300;
constexpr PageSizes kArticlePageSizes = {.default_size = 25, .max_size = 100};
constexpr PageSizes kSearchPageSizes = {.default_size = 10, .max_size = 50};

// Answers with articles have them in field 1.
constexpr int kArticleField = v1::GetArticleResponse::kArticleFieldNumber;
static_assert(kArticleField == v1::BatchGetArticlesResponse::kArticlesFieldNumber);
static_assert(kArticleField == v1::GetArticlePageResponse::kArticleFieldNumber);

EncodedAnswer EncodeArticle(const ArticleAnswer& article) {
  EncodedAnswer answer;
  answer.AddArticle(kArticleField, article);
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

// Encodes everything except the article.
LoadedPage EncodePage(const std::string& next_identity, ArticlePage page) {
  v1::GetArticlePageResponse response;
  for (v1::Comment& comment : page.comments.items) *response.add_comments() = std::move(comment);
  response.set_next_comment_page_token(NextPageToken(next_identity, page.comments.next_key));
  return {.state = page.article.state,
          .bytes = Serialize(response),
          .article = std::move(page.article)};
}

}  // namespace

absl::StatusOr<ArticleLookup> CheckGetArticle(const v1::GetArticleRequest& request) {
  Violations violations;
  ArticleLookup lookup{CheckArticleName(request.name(), "name", violations),
                       CheckView(request.view(), v1::ARTICLE_VIEW_FULL, violations)};
  CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return lookup;
}

void GetArticle(ReadCache& cache, CallContext call, v1::GetArticleRequest request,
                Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticleLookup> lookup = CheckGetArticle(request);
  if (!lookup.ok()) return std::move(done)(lookup.status());
  call.may_run_here = true;  // a read by key is short
  cache.GetArticle(std::move(call), std::move(lookup->id), lookup->view, request.min_revision(),
                   Reply<ArticleAnswer>(std::move(done), EncodeArticle));
}

absl::StatusOr<ArticleLookups> CheckBatchGetArticles(const v1::BatchGetArticlesRequest& request) {
  Violations violations;
  ArticleLookups lookups;
  lookups.view = CheckView(request.view(), v1::ARTICLE_VIEW_BASIC, violations);
  if (request.names().empty()) violations.Add("names", "is required");
  if (request.names_size() > kMaxBatchSize) {
    violations.Add("names", absl::StrCat("has more than ", kMaxBatchSize));
  } else {
    for (int i = 0; i < request.names_size(); ++i) {
      lookups.ids.push_back(
          CheckArticleName(request.names(i), absl::StrCat("names[", i, "]"), violations));
    }
  }
  if (!violations.empty()) return violations.ToStatus();
  return lookups;
}

void BatchGetArticles(ReadCache& cache, CallContext call, v1::BatchGetArticlesRequest request,
                      Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticleLookups> lookups = CheckBatchGetArticles(request);
  if (!lookups.ok()) return std::move(done)(lookups.status());
  auto reply =
      Reply<Articles>(std::move(done), [request = std::move(request)](const Articles& articles) {
        return EncodeBatch(request, articles);
      });
  ReadBatch(cache, std::move(call), lookups->ids, lookups->view, std::move(reply));
}

absl::StatusOr<ArticleQuery> CheckListArticles(const v1::ListArticlesRequest& request) {
  Violations violations;
  ArticleQuery query;
  query.view = CheckView(request.view(), v1::ARTICLE_VIEW_BASIC, violations);
  if (!v1::ArticleOrder_IsValid(request.order())) {
    violations.Add("order", "is not a value of ArticleOrder");
  }
  if (request.order() != v1::ARTICLE_ORDER_UNSPECIFIED) query.order = request.order();
  query.page_size = CheckPageSize(request.page_size(), kArticlePageSizes, "page_size", violations);
  CheckNameFilter(request.author(), "author", violations);
  CheckNameFilter(request.tag(), "tag", violations);
  query.author = request.author();
  query.tag = request.tag();
  CheckTime(request.published_after(), "published_after", violations);
  CheckTime(request.published_before(), "published_before", violations);
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  if (request.has_published_after()) query.published_after = ToTime(request.published_after());
  if (request.has_published_before()) query.published_before = ToTime(request.published_before());
  return query;
}

void ListArticles(ArticleReads& reads, CallContext call, v1::ListArticlesRequest request,
                  Callback<v1::ListArticlesResponse> done) {
  absl::StatusOr<ArticleQuery> query = CheckListArticles(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::Article>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::Article> page) {
        v1::ListArticlesResponse response;
        for (v1::Article& article : page.items) *response.add_articles() = std::move(article);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  reads.ListArticles(std::move(call), *std::move(query), std::move(reply));
}

absl::StatusOr<SearchQuery> CheckSearchArticles(const v1::SearchArticlesRequest& request) {
  Violations violations;
  SearchQuery query;
  if (request.query().empty()) violations.Add("query", "is required");
  if (CountCharacters(request.query()) > kMaxQueryCharacters) {
    violations.Add("query", absl::StrCat("has more than ", kMaxQueryCharacters, " characters"));
  }
  CheckCharacters(request.query(), /*one_line=*/true, "query", violations);
  query.text = request.query();
  CheckLanguage(request.language_code(), "language_code", violations);
  query.language = absl::AsciiStrToLower(
      std::string(request.language_code(), 0, request.language_code().find('-')));
  query.page_size = CheckPageSize(request.page_size(), kSearchPageSizes, "page_size", violations);
  query.after_key = CheckPageToken(request, request.page_token(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

void SearchArticles(ArticleReads& reads, CallContext call, v1::SearchArticlesRequest request,
                    Callback<v1::SearchArticlesResponse> done) {
  absl::StatusOr<SearchQuery> query = CheckSearchArticles(request);
  if (!query.ok()) return std::move(done)(query.status());
  auto reply = Reply<Page<v1::SearchResult>>(
      std::move(done), [identity = QueryIdentity(request)](Page<v1::SearchResult> page) {
        v1::SearchArticlesResponse response;
        for (v1::SearchResult& result : page.items) *response.add_results() = std::move(result);
        response.set_next_page_token(NextPageToken(identity, page.next_key));
        return response;
      });
  reads.SearchArticles(std::move(call), *std::move(query), std::move(reply));
}

absl::StatusOr<ArticlePageQuery> CheckGetArticlePage(const v1::GetArticlePageRequest& request) {
  Violations violations;
  ArticlePageQuery query;
  query.view = CheckView(request.view(), v1::ARTICLE_VIEW_FULL, violations);
  query.comments.article_id = CheckArticleName(request.name(), "name", violations);
  query.comments.page_size = CheckPageSize(request.comment_page_size(), kCommentPageSizes,
                                           "comment_page_size", violations);
  query.comments.order = CheckOrder(request.comment_order(), "comment_order", violations);
  query.comments.min_revision = CheckMinRevision(request.min_revision(), violations);
  if (!violations.empty()) return violations.ToStatus();
  return query;
}

void GetArticlePage(ReadCache& cache, ArticleReads& reads, CallContext call,
                    v1::GetArticlePageRequest request, Callback<EncodedAnswer> done) {
  absl::StatusOr<ArticlePageQuery> query = CheckGetArticlePage(request);
  if (!query.ok()) return std::move(done)(query.status());
  const v1::ArticleView view = query->view;
  PageRequest page{.article_id = query->comments.article_id,
                   .key = CachedPageKey("page", request.name(), request.comment_order(),
                                        query->comments.page_size, view),
                   .min_revision = request.min_revision(),
                   .view = view};
  query->comments.min_revision = 0;  // The cache checks it: other callers share the page.
  LoadPage load = [&reads, view, comments = std::move(query->comments),
                   request = std::move(request)](CallContext context, Callback<LoadedPage> loaded) {
    auto encode = [identity = IdentityOfNextComments(request)](ArticlePage read) {
      return EncodePage(identity, std::move(read));
    };
    reads.GetArticlePage(std::move(context), view, comments,
                         Reply<ArticlePage>(std::move(loaded), std::move(encode)));
  };
  cache.GetPage(std::move(call), std::move(page), std::move(load),
                Reply<PageAnswer>(std::move(done), [](const PageAnswer& answer) {
                  EncodedAnswer encoded = EncodeArticle(*answer.article);
                  encoded.Add(answer.bytes);
                  return encoded;
                }));
}

std::string IdentityOfNextComments(const v1::GetArticlePageRequest& request) {
  v1::ListCommentsRequest next;
  next.set_parent(request.name());
  next.set_order(request.comment_order());
  return QueryIdentity(next);
}

}  // namespace content::api
