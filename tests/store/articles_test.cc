#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ArticlesTest : public StoreTest {};

TEST_F(ArticlesTest, KeepsEveryFieldOfAnArticle) {
  v1::Article article = MakeArticle("whole", "# One\n\nfirst text\n\n***\n\nsecond “text”\n");
  auto* author = article.add_authors();
  author->set_display_name("Ana Lima");
  author->set_id("ana");
  author->set_uri("https://example.com/ana");
  article.add_authors()->set_display_name("B \"quoted\" \\ Name");
  *article.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(1'700'000'000'123'456);
  article.set_language_code("pt-BR");
  article.set_summary("What it says.");
  article.add_tags("sea");
  article.add_tags("ships, and \"boats\"");
  article.set_source_uri("https://example.com/whole");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);

  const auto published = Publish(article);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->outcome, v1::PUBLISH_OUTCOME_CREATED);

  v1::Article stored = GetOne("whole");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stored, published->article));
  EXPECT_EQ(stored.revision(), 1);
  EXPECT_EQ(stored.etag(), "1");
  EXPECT_TRUE(stored.has_update_time());
  stored.clear_revision();
  stored.clear_etag();
  stored.clear_update_time();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stored, article))
      << stored.DebugString();
}

TEST_F(ArticlesTest, BasicViewHasNeitherBodyNorSections) {
  ASSERT_TRUE(Publish(MakeArticle("short", "# Head\n\ntext")).ok());
  const auto articles = Get({"short"}, v1::ARTICLE_VIEW_BASIC);
  ASSERT_TRUE(articles.ok());
  EXPECT_EQ(articles->front()->body(), "");
  EXPECT_EQ(articles->front()->sections_size(), 0);
  EXPECT_EQ(articles->front()->word_count(), 2);
}

TEST_F(ArticlesTest, AnswersABatchInItsOrder) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  const auto articles = Get({"c", "nothing", "a", "c"});
  ASSERT_TRUE(articles.ok());
  std::vector<std::string> names;
  for (const auto& article : *articles) names.push_back(article ? article->name() : "none");
  EXPECT_THAT(names, ElementsAre("articles/c", "none", "articles/a", "articles/c"));
}

TEST_F(ArticlesTest, RefusesABatchOfMoreBytesThanAReplyMayHave) {
  const std::string body(kMaxBodyBytes, 'x');
  for (const char* id : {"a", "b", "c", "d"}) ASSERT_TRUE(Publish(MakeArticle(id, body)).ok());
  EXPECT_EQ(ReasonOf(Get({"a", "b", "c", "d"}).status()), "REPLY_TOO_LARGE");
  EXPECT_EQ(ReasonOf(Get({"a", "a", "a", "a"}).status()), "REPLY_TOO_LARGE");
  EXPECT_TRUE(Get({"a", "b"}).ok());
  EXPECT_TRUE(Get({"a", "b", "c", "d"}, v1::ARTICLE_VIEW_BASIC).ok());
}

TEST_F(ArticlesTest, TakesWordsOfSqlForIds) {
  for (const char* id : {"null", "default", "nan"}) {
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    EXPECT_EQ(GetOne(id).title(), absl::StrCat("About ", id));
  }
}

TEST_F(ArticlesTest, KeepsTimesOfEveryYear) {
  for (const char* time : {"0001-01-01T00:00:00Z", "0033-04-03T15:00:00Z", "0999-12-31T23:59:59Z",
                           "9999-12-31T23:59:59.999999Z"}) {
    v1::Article article = MakeArticle("old");
    ASSERT_TRUE(TimeUtil::FromString(time, article.mutable_publish_time()));
    const auto published = Publish(article);
    ASSERT_TRUE(published.ok()) << published.status();
    EXPECT_EQ(TimeUtil::ToString(published->article.publish_time()), time);
    EXPECT_EQ(Publish(article)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  }
}

TEST_F(ArticlesTest, AnArticleAppearsAtItsPublishTime) {
  v1::Article future = MakeArticle("future");
  *future.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(future).ok());
  EXPECT_FALSE(Exists("future"));
  EXPECT_THAT(ListTitles({.page_size = 10}), IsEmpty());
  EXPECT_EQ(ReasonOf(Create(MakeComment("future", "early")).status()), "ARTICLE_NOT_FOUND");
  testing::Query(url_, "UPDATE article_state SET publish_time = publish_time - interval '2 hours'");
  EXPECT_TRUE(Exists("future"));
}

TEST_F(ArticlesTest, ListsArticlesByTimeInPages) {
  for (int day = 1; day <= 7; ++day) {
    v1::Article article = MakeArticle(absl::StrCat("day-", day));
    // Two on each day, to see that pages break ties.
    article.mutable_publish_time()->set_seconds(1'600'000'000 + (day / 2) * 86'400);
    ASSERT_TRUE(Publish(article).ok());
  }
  const std::vector<std::string> newest = ListTitles({.page_size = 2});
  EXPECT_THAT(newest, ElementsAre("About day-7", "About day-6", "About day-5", "About day-4",
                                  "About day-3", "About day-2", "About day-1"));
  const std::vector<std::string> oldest =
      ListTitles({.order = v1::ARTICLE_ORDER_OLDEST, .page_size = 3});
  EXPECT_TRUE(std::equal(newest.rbegin(), newest.rend(), oldest.begin(), oldest.end()));
  EXPECT_THAT(ListTitles({.published_after = absl::FromUnixSeconds(1'600'000'000 + 86'400),
                          .published_before = absl::FromUnixSeconds(1'600'000'000 + 2 * 86'400),
                          .page_size = 10}),
              ElementsAre("About day-3", "About day-2"));
}

TEST_F(ArticlesTest, ListsArticlesByAuthorAndTag) {
  const auto publish = [this](const std::string& id, const std::string& author_id,
                              const std::string& author_name, const std::string& tag) {
    v1::Article article = MakeArticle(id);
    article.add_authors()->set_display_name(author_name);
    article.mutable_authors(0)->set_id(author_id);
    article.add_tags(tag);
    article.mutable_publish_time()->set_seconds(1'600'000'000);
    EXPECT_TRUE(Publish(article).ok());
  };
  publish("one", "u1", "Ana", "sea");
  publish("two", "u1", "Ana", "land");
  publish("three", "", "Bo", "sea");
  EXPECT_THAT(ListTitles({.author = "u1", .page_size = 1}), ElementsAre("About two", "About one"));
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 1}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Bo", .page_size = 1}), ElementsAre("About three"));
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 1}), ElementsAre("About three", "About one"));
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), ElementsAre("About one"));
  publish("one", "u2", "Cy", "air");
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), IsEmpty());
}

TEST_F(ArticlesTest, APageOfFullArticlesEndsBeforeTheReplyIsTooLarge) {
  const std::string body(kMaxBodyBytes, 'x');
  for (const char* id : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(Publish(MakeArticle(id, body)).ok());
  ArticleQuery query{.view = v1::ARTICLE_VIEW_FULL, .page_size = 10};
  const auto page = Await<Page<v1::Article>>(
      [&](auto done) { store_->ListArticles({}, query, std::move(done)); });
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->items.size(), 2);
  EXPECT_EQ(ListTitles(query).size(), 5);
}

}  // namespace
}  // namespace content::store
