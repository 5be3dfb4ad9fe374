#include "api/publishing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "content/rules.h"
#include "unit/api/problems.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

TEST(CheckPublishArticle, ReplacesOnlyAnArticleThatItNames) {
  EXPECT_EQ(Problems(CheckPublishArticle({})),
            "article.title is required; article.body is required");
  v1::PublishArticleRequest request;
  request.mutable_article()->set_title("A Title");
  request.mutable_article()->set_body("Text.");
  ASSERT_EQ(Problems(CheckPublishArticle(request)), "");
  EXPECT_FALSE(CheckPublishArticle(request)->options.may_replace);
  EXPECT_FALSE(CheckPublishArticle(request)->options.validate_only);
  request.mutable_article()->set_name("articles/a");
  request.set_validate_only(true);
  EXPECT_EQ(CheckPublishArticle(request)->article.name(), "articles/a");
  EXPECT_TRUE(CheckPublishArticle(request)->options.may_replace);
  EXPECT_TRUE(CheckPublishArticle(request)->options.validate_only);
}

TEST(CheckPublishArticle, LeavesMarkdownToTheStore) {
  v1::PublishArticleRequest request;
  request.mutable_article()->set_title("A Title");
  request.mutable_article()->set_body("Text.");
  EXPECT_EQ(CheckPublishArticle(request)->article.sections_size(), 0);
  EXPECT_EQ(CheckPublishArticle(request)->article.word_count(), 0);
}

TEST(CheckUpdateArticle, ChangesTheFieldsOfTheMaskOrThoseThatAreSet) {
  EXPECT_EQ(Problems(CheckUpdateArticle({})),
            "article.name is required; update_mask names no fields, and none are set");
  v1::UpdateArticleRequest request;
  request.mutable_article()->set_name("articles/a");
  request.mutable_article()->set_summary("x");
  request.mutable_article()->add_tags("x");
  request.mutable_article()->mutable_publish_time();
  request.mutable_article()->set_etag("7");
  request.set_validate_only(true);
  const auto edit = CheckUpdateArticle(request);
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_EQ(edit->id, "a");
  EXPECT_EQ(edit->article.etag(), "7");
  EXPECT_TRUE(edit->validate_only);
  EXPECT_THAT(edit->paths, ElementsAre("publish_time", "summary", "tags"));
  request.mutable_update_mask()->add_paths("*");
  EXPECT_EQ(CheckUpdateArticle(request)->paths, ChangeableArticleFields());
  request.mutable_update_mask()->set_paths(0, "title");
  EXPECT_THAT(CheckUpdateArticle(request)->paths, ElementsAre("title"));
}

TEST(CheckUpdateArticle, RefusesOtherPaths) {
  v1::UpdateArticleRequest request;
  request.mutable_article()->set_name("articles/a");
  request.mutable_update_mask()->add_paths("");
  for (const char* path : {"name", "etag", "sections", "revision", "authors.id", "nothing"}) {
    request.mutable_update_mask()->set_paths(0, path);
    EXPECT_THAT(Problems(CheckUpdateArticle(request)),
                StartsWith("update_mask has a path other than title, "));
  }
}

TEST(CheckRenameArticle, WantsBothNames) {
  EXPECT_EQ(Problems(CheckRenameArticle({})), "name is required; new_name is required");
  v1::RenameArticleRequest request;
  request.set_name("articles/a");
  request.set_new_name("articles/b");
  request.set_etag("7");
  EXPECT_EQ(CheckRenameArticle(request)->id, "a");
  EXPECT_EQ(CheckRenameArticle(request)->new_id, "b");
  EXPECT_EQ(CheckRenameArticle(request)->etag, "7");
  request.set_new_name("b");
  EXPECT_EQ(Problems(CheckRenameArticle(request)), absl::StrCat("new_name ", kArticleNameRule));
}

TEST(CheckRetractArticle, WantsAName) {
  EXPECT_EQ(Problems(CheckRetractArticle({})), "name is required");
  v1::RetractArticleRequest request;
  request.set_name("articles/a");
  request.set_etag("7");
  EXPECT_EQ(CheckRetractArticle(request)->id, "a");
  EXPECT_EQ(CheckRetractArticle(request)->etag, "7");
}

TEST(CheckInspectArticle, WantsAName) {
  EXPECT_EQ(Problems(CheckInspectArticle({})), "name is required");
  v1::InspectArticleRequest request;
  request.set_name("articles/a");
  EXPECT_EQ(*CheckInspectArticle(request), "a");
}

}  // namespace
}  // namespace content::api
