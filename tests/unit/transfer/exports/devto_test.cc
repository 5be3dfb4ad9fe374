#include "transfer/exports/devto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/transfer/exports/read_export.h"

namespace content::transfer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Devto, ReadsAnAnswerOfTheApi) {
  const ReadItems items = ReadExport(ReadDevto, R"({"type_of": "article", "id": 258,
      "title": "Low water", "description": "A boat.", "readable_publish_date": "Apr 14",
      "slug": "low-water-381c", "path": "/ada/low-water-381c",
      "url": "https://dev.example/ada/low-water-381c", "cover_image": "https://dev.example/19.png",
      "canonical_url": "https://ada.example/low-water", "published_at": "2023-04-14T14:45:32Z",
      "edited_at": "2023-04-15T14:45:32Z", "tag_list": "boats, tides", "tags": ["boats", "tides"],
      "body_html": "<p>It is <em>low</em>.</p>",
      "body_markdown": "---\ntitle: Low water\npublished: true\ntags: boats\nseries: \n---\n\nIt is *low*.\n",
      "user": {"name": "Ada \"A\" Byron", "username": "ada", "website_url": null}})");
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_THAT(items.articles, SizeIs(1));
  const ExportedArticle& exported = items.articles[0];
  const v1::Article& article = exported.file.article;
  EXPECT_EQ(exported.label, "article low-water-381c");
  EXPECT_EQ(exported.file.draft, "");
  EXPECT_THAT(exported.addresses,
              ElementsAre("https://dev.example/ada/low-water-381c", "/ada/low-water-381c",
                          "https://ada.example/low-water"));
  EXPECT_EQ(article.title(), "Low water");
  EXPECT_EQ(article.name(), "articles/low-water-381c");
  EXPECT_EQ(article.summary(), "A boat.");
  EXPECT_EQ(article.authors(0).display_name(), "Ada \"A\" Byron");
  EXPECT_EQ(article.publish_time().seconds(), 1681483532);
  EXPECT_EQ(exported.file.update_time, absl::FromUnixSeconds(1681569932));
  EXPECT_THAT(article.tags(), ElementsAre("boats", "tides"));
  EXPECT_EQ(article.source_uri(), "https://ada.example/low-water");
  EXPECT_EQ(article.body(), "![](<https://dev.example/19.png>)\n\nIt is *low*.");
}

TEST(Devto, ReadsTheArticlesOfAnExport) {
  const ReadItems items = ReadExport(ReadDevto, R"([
      {"body_markdown": "One {% youtube x %}", "processed_html": "<p>One <a href=\"/v\">film</a><iframe src='/v'></iframe></p>",
       "cached_tag_list": "boats, tides", "cached_user_name": "Ada", "language": "en",
       "published": true, "published_at": "2023-04-14T14:45:32Z", "slug": "one", "title": "One"},
      {"body_markdown": "Two", "published": false, "published_at": null, "slug": "two", "title": "Two"},
      {"body_markdown": "Three", "published_at": null, "id": 3, "title": "Three"},
      {"title": 5, "tags": [1, {}], "published": 1}, 7, null])");
  ASSERT_TRUE(items.status.ok()) << items.status;
  ASSERT_THAT(items.articles, SizeIs(4));
  const v1::Article& article = items.articles[0].file.article;
  EXPECT_THAT(article.tags(), ElementsAre("boats", "tides"));
  EXPECT_EQ(article.authors(0).display_name(), "Ada");
  EXPECT_EQ(article.language_code(), "en");
  EXPECT_EQ(article.body(), "One [film](/v)");
  EXPECT_THAT(items.articles[0].file.notes, ElementsAre("left out 1 <iframe>"));
  EXPECT_EQ(items.articles[1].file.draft, "the article is not published");
  EXPECT_EQ(items.articles[2].file.draft, "the article is not published");
  EXPECT_EQ(items.articles[2].label, "article 3");
  EXPECT_THAT(items.articles[3].file.article.body(), IsEmpty());
  EXPECT_THAT(items.refused,
              ElementsAre("an article: is not an object", "an article: is not an object"));
}

TEST(Devto, IsRecognized) {
  EXPECT_TRUE(BeginsLikeDevto(R"({"type_of": "article", "readable_publish_date": "x)"));
  EXPECT_TRUE(BeginsLikeDevto(R"([{"body_markdown": "cut)"));
  EXPECT_FALSE(BeginsLikeDevto(R"({"data": {"body_markdown": 1}})"));
}

}  // namespace
}  // namespace content::transfer
