#include "api/articles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/identity.h"
#include "content/page_token.h"
#include "content/rules.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

using ::testing::StartsWith;

TEST(CheckGetArticle, WantsAName) {
  EXPECT_EQ(Problems(CheckGetArticle({})), "name is required");
  v1::GetArticleRequest request;
  request.set_name("articles/a");
  EXPECT_EQ(CheckGetArticle(request)->id, "a");
  EXPECT_EQ(CheckGetArticle(request)->view, v1::ARTICLE_VIEW_FULL);
}

TEST(CheckGetArticle, RefusesUnknownViewsAndNegativeRevisions) {
  v1::GetArticleRequest request;
  request.set_name("articles/a");
  request.set_view(static_cast<v1::ArticleView>(77));
  request.set_min_revision(-1);
  EXPECT_EQ(Problems(CheckGetArticle(request)),
            "view is not a value of ArticleView; min_revision is negative");
}

TEST(CheckBatchGetArticles, WantsOneToAHundredNames) {
  EXPECT_EQ(Problems(CheckBatchGetArticles({})), "names is required");
  v1::BatchGetArticlesRequest request;
  for (int i = 0; i < 100; ++i) request.add_names("articles/a");
  EXPECT_EQ(CheckBatchGetArticles(request)->ids.size(), 100);
  EXPECT_EQ(CheckBatchGetArticles(request)->view, v1::ARTICLE_VIEW_BASIC);
  request.add_names("articles/a");
  EXPECT_EQ(Problems(CheckBatchGetArticles(request)), "names has more than 100");
  request.clear_names();
  request.add_names("articles/a");
  request.add_names("articles/../b");
  EXPECT_THAT(Problems(CheckBatchGetArticles(request)),
              StartsWith("names[1] is not articles/{id}"));
}

TEST(CheckListArticles, HasDefaultsAndLimits) {
  v1::ListArticlesRequest request;
  ASSERT_EQ(Problems(CheckListArticles(request)), "");
  EXPECT_EQ(CheckListArticles(request)->view, v1::ARTICLE_VIEW_BASIC);
  EXPECT_EQ(CheckListArticles(request)->page_size, 25);
  request.set_page_size(1'000'000);
  EXPECT_EQ(CheckListArticles(request)->page_size, 100);
}

TEST(CheckListArticles, RefusesControlCharactersInFilters) {
  v1::ListArticlesRequest request;
  request.set_author(std::string("a\0b", 3));
  request.set_tag("a\nb");
  EXPECT_EQ(Problems(CheckListArticles(request)),
            "author has a control character or a line break; "
            "tag has a control character or a line break");
}

// Names that were stored by earlier versions may break the rules for new ones.
TEST(CheckListArticles, RefusesOnlyFiltersThatNoNameCanMatch) {
  v1::ListArticlesRequest request;
  request.set_author(" ");
  request.set_tag("a\nb");
  EXPECT_EQ(Problems(CheckListArticles(request)),
            "author has no visible character; tag has a control character or a line break");
  request.set_author("\u200Bu1");
  request.set_tag("\u202Ea");
  EXPECT_EQ(Problems(CheckListArticles(request)), "");
}

TEST(CheckListArticles, BindsATokenToEveryFilter) {
  v1::ListArticlesRequest request;
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  ASSERT_EQ(Problems(CheckListArticles(request)), "");
  EXPECT_EQ(CheckListArticles(request)->after_key, "key");
  for (int i = 0; i < 6; ++i) {
    v1::ListArticlesRequest other = request;
    if (i == 0) other.set_order(v1::ARTICLE_ORDER_OLDEST);
    if (i == 1) other.set_view(v1::ARTICLE_VIEW_FULL);
    if (i == 2) other.set_author("x");
    if (i == 3) other.set_tag("x");
    if (i == 4) other.mutable_published_after()->set_seconds(1);
    if (i == 5) other.mutable_published_before()->set_seconds(1);
    EXPECT_EQ(Problems(CheckListArticles(other)),
              "page_token is not a next_page_token of this query")
        << i;
  }
}

// Their keys have the first name of an article where there is a number now.
TEST(CheckListArticles, RefusesTokensOfOlderSchemas) {
  v1::ListArticlesRequest request;
  request.set_page_token(MakePageToken(CanonicalText(request), "2020-01-01T00:00:00Z/name"));
  EXPECT_EQ(Problems(CheckListArticles(request)),
            "page_token is not a next_page_token of this query");
}

TEST(CheckSearchArticles, HasDefaultsAndLimits) {
  EXPECT_EQ(Problems(CheckSearchArticles({})), "query is required");
  v1::SearchArticlesRequest request;
  request.set_query("sea");
  request.set_language_code("PT-br");
  ASSERT_EQ(Problems(CheckSearchArticles(request)), "");
  EXPECT_EQ(CheckSearchArticles(request)->text, "sea");
  EXPECT_EQ(CheckSearchArticles(request)->language, "pt");
  EXPECT_EQ(CheckSearchArticles(request)->page_size, 10);
  request.set_page_size(1'000);
  EXPECT_EQ(CheckSearchArticles(request)->page_size, 50);
  request.set_page_token(MakePageToken(QueryIdentity(request), "key"));
  EXPECT_EQ(CheckSearchArticles(request)->after_key, "key");
  request.set_language_code("");
  EXPECT_EQ(Problems(CheckSearchArticles(request)),
            "page_token is not a next_page_token of this query");
}

TEST(CheckSearchArticles, NamesEveryBadField) {
  v1::SearchArticlesRequest request;
  request.set_query("two\nlines");
  request.set_language_code("no tag");
  request.set_page_size(-1);
  EXPECT_EQ(Problems(CheckSearchArticles(request)),
            "query has a control character or a line break; language_code is not a BCP 47 "
            "language tag such as en or pt-BR; page_size is negative");
}

TEST(CheckSearchArticles, RefusesLongRunsOfMarks) {
  v1::SearchArticlesRequest request;
  request.set_query("a");
  for (int i = 0; i < 31; ++i) request.mutable_query()->append("\u0316");
  EXPECT_EQ(Problems(CheckSearchArticles(request)),
            "query has more than 30 combining marks in a row");
}

TEST(CheckSearchArticles, CountsCharactersNotBytes) {
  v1::SearchArticlesRequest request;
  for (int i = 0; i < 300; ++i) request.mutable_query()->append("é");
  EXPECT_EQ(Problems(CheckSearchArticles(request)), "");
  request.mutable_query()->append("x");
  EXPECT_EQ(Problems(CheckSearchArticles(request)), "query has more than 300 characters");
}

TEST(CheckGetArticlePage, HasDefaultsAndLimits) {
  EXPECT_EQ(Problems(CheckGetArticlePage({})), "name is required");
  v1::GetArticlePageRequest request;
  request.set_name("articles/a");
  const auto defaults = CheckGetArticlePage(request);
  ASSERT_TRUE(defaults.ok()) << defaults.status();
  EXPECT_EQ(defaults->view, v1::ARTICLE_VIEW_FULL);
  EXPECT_EQ(defaults->comments.article_id, "a");
  EXPECT_EQ(defaults->comments.page_size, 25);
  EXPECT_EQ(defaults->comments.order, v1::COMMENT_ORDER_NEWEST);
  request.set_view(v1::ARTICLE_VIEW_BASIC);
  request.set_comment_page_size(1'000);
  request.set_comment_order(v1::COMMENT_ORDER_THREADED);
  request.set_min_revision(7);
  const auto limits = CheckGetArticlePage(request);
  ASSERT_TRUE(limits.ok()) << limits.status();
  EXPECT_EQ(limits->view, v1::ARTICLE_VIEW_BASIC);
  EXPECT_EQ(limits->comments.page_size, 200);
  EXPECT_EQ(limits->comments.order, v1::COMMENT_ORDER_THREADED);
  EXPECT_EQ(limits->comments.min_revision, 7);
}

TEST(CheckGetArticlePage, NamesEveryBadField) {
  v1::GetArticlePageRequest request;
  request.set_name("a");
  request.set_view(static_cast<v1::ArticleView>(77));
  request.set_comment_page_size(-1);
  request.set_comment_order(static_cast<v1::CommentOrder>(77));
  request.set_min_revision(-1);
  EXPECT_EQ(Problems(CheckGetArticlePage(request)),
            absl::StrCat("view is not a value of ArticleView; name ", kArticleNameRule,
                         "; comment_page_size is negative; comment_order is not a value of "
                         "CommentOrder; min_revision is negative"));
}

}  // namespace
}  // namespace content::api
