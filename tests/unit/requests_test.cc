#include "api/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "content/page_token.h"

namespace content::api {
namespace {

constexpr char kId[] = "0190a8f0-0000-7000-8000-000000000000";

template <class Request>
std::string Problems(const Request& request) {
  return std::string(Validate(request).status().message());
}

TEST(Requests, EmptyOnesAreToldEverythingThatIsMissing) {
  EXPECT_EQ(Problems(v1::GetArticleRequest()), "name is required");
  EXPECT_EQ(Problems(v1::BatchGetArticlesRequest()), "names is required");
  EXPECT_EQ(Problems(v1::ListArticlesRequest()), "");
  EXPECT_EQ(Problems(v1::GetCommentRequest()), "name is required");
  EXPECT_EQ(Problems(v1::ListCommentsRequest()), "parent is required");
  EXPECT_EQ(Problems(v1::CreateCommentRequest()),
            "parent is required; comment.author.id is required; comment.author.display_name is "
            "required; comment.body is required");
  EXPECT_EQ(Problems(v1::PublishArticleRequest()),
            "article.title is required; article.body is required");
  EXPECT_EQ(Problems(v1::RetractArticleRequest()), "name is required");
}

TEST(Requests, ViewsHaveTheirDefaults) {
  v1::GetArticleRequest get;
  get.set_name("articles/a");
  EXPECT_EQ(Validate(get)->view, v1::ARTICLE_VIEW_FULL);
  v1::BatchGetArticlesRequest batch;
  batch.add_names("articles/a");
  EXPECT_EQ(Validate(batch)->view, v1::ARTICLE_VIEW_BASIC);
  EXPECT_EQ(Validate(v1::ListArticlesRequest())->view, v1::ARTICLE_VIEW_BASIC);
  get.set_view(static_cast<v1::ArticleView>(77));
  EXPECT_EQ(Problems(get), "view is not a value of ArticleView");
}

TEST(Requests, ABatchHasAtMost100Names) {
  v1::BatchGetArticlesRequest request;
  for (int i = 0; i < 100; ++i) request.add_names("articles/a");
  EXPECT_EQ(Validate(request)->ids.size(), 100);
  request.add_names("articles/a");
  EXPECT_EQ(Problems(request), "names has more than 100");
  request.clear_names();
  request.add_names("articles/a");
  request.add_names("articles/../b");
  EXPECT_THAT(Problems(request), ::testing::StartsWith("names[1] is not articles/{id}"));
}

TEST(Requests, PageSizesAreDefaultedAndCapped) {
  const auto size = [](int32_t page_size) {
    v1::ListCommentsRequest request;
    request.set_parent("articles/a");
    request.set_page_size(page_size);
    return Validate(request);
  };
  EXPECT_EQ(size(0)->page_size, 25);
  EXPECT_EQ(size(7)->page_size, 7);
  EXPECT_EQ(size(1'000'000)->page_size, 200);
  EXPECT_EQ(size(-1).status().message(), "page_size is negative");
  v1::ListArticlesRequest articles;
  articles.set_page_size(1'000'000);
  EXPECT_EQ(Validate(articles)->page_size, 100);
}

TEST(Requests, ATokenIsGoodForItsQueryWithAnyPageSize) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/a");
  request.set_page_token(MakePageToken(QueryIdentity(request), kId));
  request.set_page_size(3);
  request.set_min_revision(5);
  EXPECT_EQ(Validate(request)->after_key, kId);

  v1::ListCommentsRequest other_order = request;
  other_order.set_order(v1::COMMENT_ORDER_OLDEST);
  v1::ListCommentsRequest other_article = request;
  other_article.set_parent("articles/b");
  v1::ListCommentsRequest other_thread = request;
  other_thread.set_reply_to(absl::StrCat("articles/a/comments/", kId));
  for (const auto& other : {other_order, other_article, other_thread}) {
    EXPECT_EQ(Problems(other), "page_token is not a next_page_token of this very query");
  }
}

TEST(Requests, AnArticlesTokenIsBoundToEveryFilter) {
  v1::ListArticlesRequest request;
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  ASSERT_TRUE(Validate(request).ok());
  for (int i = 0; i < 6; ++i) {
    v1::ListArticlesRequest other = request;
    if (i == 0) other.set_order(v1::ARTICLE_ORDER_OLDEST);
    if (i == 1) other.set_view(v1::ARTICLE_VIEW_FULL);
    if (i == 2) other.set_author("x");
    if (i == 3) other.set_tag("x");
    if (i == 4) other.mutable_published_after()->set_seconds(1);
    if (i == 5) other.mutable_published_before()->set_seconds(1);
    EXPECT_FALSE(Validate(other).ok()) << i;
  }
}

TEST(Requests, AReplyNamesAComment) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/a");
  request.mutable_comment()->mutable_author()->set_id("u");
  request.mutable_comment()->mutable_author()->set_display_name("U");
  request.mutable_comment()->set_body("text");
  // The article may be named otherwise there: by a former name.
  request.mutable_comment()->set_reply_to(absl::StrCat("articles/b/comments/", kId));
  EXPECT_EQ(Problems(request), "");
  request.mutable_comment()->set_reply_to("articles/a/comments/1");
  EXPECT_THAT(Problems(request), ::testing::StartsWith("comment.reply_to is not articles/{id}"));
  request.mutable_comment()->set_reply_to(absl::StrCat("articles/a/comments/", kId));
  EXPECT_EQ(Validate(request)->reply_to_id, kId);
}

TEST(Requests, ARequestIdIsAUuidInAnyCase) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/a");
  request.mutable_comment()->mutable_author()->set_id("u");
  request.mutable_comment()->mutable_author()->set_display_name("U");
  request.mutable_comment()->set_body("text");
  request.set_request_id("0190A8F0-0000-7000-8000-000000000000");
  EXPECT_EQ(Validate(request)->request.id, kId);
  request.set_request_id("one");
  EXPECT_EQ(Problems(request), "request_id is not a UUID");
}

TEST(Requests, NegativeRevisionsAndControlCharactersAreRefused) {
  v1::GetArticleRequest get;
  get.set_name("articles/a");
  get.set_min_revision(-1);
  EXPECT_EQ(Problems(get), "min_revision is negative");
  v1::ListArticlesRequest list;
  list.set_author(std::string("a\0b", 3));
  list.set_tag("a\nb");
  EXPECT_EQ(Problems(list),
            "author has a control character or a line break; "
            "tag has a control character or a line break");
}

}  // namespace
}  // namespace content::api
