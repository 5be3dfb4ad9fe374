#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"
#include "support/locks.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Eq;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

class ReadArticlesTest : public StoreTest {
 protected:
  // Titles (as MakeArticle makes them) of the articles that meet a condition, newest first. The
  // keys, which break ties, are in random order if they were made in one millisecond.
  std::vector<std::string> NewestFirst(const std::string& condition = "true") const {
    return absl::StrSplit(
        testing::Query(url_, absl::StrCat("SELECT string_agg('About ' || name, ',' "
                                          "ORDER BY publish_time DESC, article_key DESC) "
                                          "FROM article_state WHERE ",
                                          condition)),
        ',');
  }
};

TEST_F(ReadArticlesTest, KeepsEveryFieldOfAnArticle) {
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
  std::vector<const google::protobuf::FieldDescriptor*> kept;
  stored.GetReflection()->ListFields(stored, &kept);
  EXPECT_EQ(kept.size(), stored.GetDescriptor()->field_count() - 1)
      << "all but comment_count, which is 0: give a new field a value above";
  stored.clear_revision();
  stored.clear_etag();
  stored.clear_update_time();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stored, article))
      << stored.DebugString();
}

TEST_F(ReadArticlesTest, AnEncodedArticleParsesAsItsMessage) {
  v1::Article whole = MakeArticle("whole", "# Um\n\nação, \"ção\"\n\n# Dois\n\n“texto”\n");
  whole.add_authors()->set_display_name("Józef \\ \"Ć\" 🙂");
  whole.mutable_authors(0)->set_id("jozef");
  whole.mutable_authors(0)->set_uri("https://example.com/jozef");
  whole.add_authors()->set_display_name("Ana");
  for (const char* tag : {"história", "mar \"e\" céu", "a\\b"}) whole.add_tags(tag);
  whole.set_summary("O que diz.");
  whole.set_language_code("pt");
  whole.set_source_uri("https://example.com/whole");
  whole.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  v1::Article sparse = MakeArticle("sparse");
  sparse.mutable_publish_time()->set_seconds(0);  // present, but empty on the wire
  for (const v1::Article& article : {whole, sparse}) {
    const auto id = *ParseArticleName(article.name());
    SCOPED_TRACE(id);
    ASSERT_TRUE(Publish(article).ok());
    Sql("UPDATE article_state SET comment_count = 7");
    for (const auto view : {v1::ARTICLE_VIEW_BASIC, v1::ARTICLE_VIEW_FULL}) {
      const auto page = Await<Page<v1::Article>>([&](auto done) {
        store_->ListArticles({}, {.view = view, .page_size = 9}, std::move(done));
      });
      const auto message = std::find_if(page->items.begin(), page->items.end(),
                                        [&](auto& item) { return item.name() == article.name(); });
      const EncodedArticle encoded = **Read(id, view);
      EXPECT_TRUE(
          google::protobuf::util::MessageDifferencer::Equals(Decode(encoded, view), *message))
          << Decode(encoded, view).DebugString();
      EXPECT_EQ(encoded.text->capacity(), encoded.text->size()) << "the cache may keep it for long";
      v1::Article text;
      ASSERT_TRUE(text.ParseFromString(*encoded.text));
      EXPECT_EQ(text.comment_count(), 0);
      EXPECT_EQ(text.revision(), 0);
    }
    const EncodedArticle basic = **Read(id, v1::ARTICLE_VIEW_BASIC);
    const EncodedArticle full = **Read(id, v1::ARTICLE_VIEW_FULL);
    EXPECT_EQ(*basic.text, full.text->substr(0, full.basic_size));
    EXPECT_EQ(basic.basic_size, basic.text->size());
    EXPECT_FALSE(basic.full);
    EXPECT_TRUE(full.full);
  }
}

TEST_F(ReadArticlesTest, TheStateShowsWhatHasChanged) {
  ASSERT_TRUE(Publish(MakeArticle("first")).ok());
  const auto state = [this](const std::string& id) {
    return *Await<std::optional<ArticleState>>(
        [&](auto done) { store_->ReadArticleState({}, id, std::move(done)); });
  };
  const ArticleState published = *state("first");
  EXPECT_EQ(published.article_id, "first");
  EXPECT_EQ(published.revision, 1);
  EXPECT_EQ(published.comment_count, 0);
  EXPECT_GT(published.version, 0);

  ASSERT_NE(ParseCommentName(Add("first", "text")), std::nullopt);
  const ArticleState commented = *state("first");
  EXPECT_EQ(commented.revision, 2);
  EXPECT_EQ(commented.comment_count, 1);
  EXPECT_EQ(commented.version, published.version);

  ASSERT_TRUE(Rename({.id = "first", .new_id = "second"}).ok());
  for (const char* id : {"first", "second"}) {
    const ArticleState renamed = *state(id);
    EXPECT_EQ(renamed.article_id, "first");
    EXPECT_EQ(renamed.revision, 3);
    EXPECT_GT(renamed.version, commented.version);
    const ArticleState with_text = (*Read(id))->state;
    EXPECT_EQ(with_text.article_id, renamed.article_id);
    EXPECT_EQ(with_text.revision, renamed.revision);
    EXPECT_EQ(with_text.comment_count, renamed.comment_count);
    EXPECT_EQ(with_text.version, renamed.version);
    EXPECT_EQ(List({.article_id = id, .page_size = 1})->article.version, renamed.version);
  }
  ASSERT_TRUE(Retract("second").ok());
  EXPECT_FALSE(state("second"));
  EXPECT_FALSE(state("nothing"));
}

TEST_F(ReadArticlesTest, ReadsTheStatesOfManyArticlesAtOnce) {
  ASSERT_TRUE(Publish(MakeArticle("story")).ok());
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  Add("other", "comment");
  ASSERT_TRUE(Rename({.id = "other", .new_id = "tale"}).ok());
  ASSERT_TRUE(Publish(MakeArticle("gone")).ok());
  ASSERT_TRUE(Retract("gone").ok());
  const auto states = Await<std::vector<std::optional<ArticleState>>>([&](auto done) {
    store_->ReadArticleStates({}, {"tale", "gone", "story", "nothing", "other"}, std::move(done));
  });
  ASSERT_TRUE(states.ok());
  const auto at = [](int64_t revision) {
    return Optional(Field(&ArticleState::revision, revision));
  };
  EXPECT_THAT(*states, ElementsAre(at(3), Eq(std::nullopt), at(1), Eq(std::nullopt), at(3)));
}

TEST_F(ReadArticlesTest, BasicViewHasNeitherBodyNorSections) {
  ASSERT_TRUE(Publish(MakeArticle("short", "# Head\n\ntext")).ok());
  const auto articles = Get({"short"}, v1::ARTICLE_VIEW_BASIC);
  ASSERT_TRUE(articles.ok());
  EXPECT_EQ(articles->front()->body(), "");
  EXPECT_EQ(articles->front()->sections_size(), 0);
  EXPECT_EQ(articles->front()->word_count(), 2);
}

TEST_F(ReadArticlesTest, SqlKeywordsAreValidIds) {
  for (const char* id : {"null", "default", "nan"}) {
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    EXPECT_EQ(GetOne(id).title(), absl::StrCat("About ", id));
  }
}

TEST_F(ReadArticlesTest, KeepsTimesOfEveryYear) {
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

TEST_F(ReadArticlesTest, AnArticleAppearsAtItsPublishTime) {
  v1::Article future = MakeArticle("future");
  *future.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(future).ok());
  EXPECT_FALSE(Exists("future"));
  EXPECT_THAT(ListTitles({.page_size = 10}), IsEmpty());
  EXPECT_EQ(ReasonOf(Create(MakeComment("future", "early")).status()), "ARTICLE_NOT_FOUND");
  testing::Query(url_, "UPDATE article_state SET publish_time = " +
                           testing::Before("publish_time", "2 hours"));
  ReleaseDueArticles();
  EXPECT_TRUE(Exists("future"));
  EXPECT_THAT(ListTitles({.page_size = 10}), ElementsAre("About future"));
}

TEST_F(ReadArticlesTest, ListsArticlesByTimeInPages) {
  for (int day = 1; day <= 7; ++day) {
    v1::Article article = MakeArticle(absl::StrCat("day-", day));
    // Two articles on each day, so that pages have to break ties.
    article.mutable_publish_time()->set_seconds(1'600'000'000 + (day / 2) * 86'400);
    ASSERT_TRUE(Publish(article).ok());
  }
  const std::vector<std::string> newest = ListTitles({.page_size = 2});
  ASSERT_THAT(newest, SizeIs(7));
  EXPECT_EQ(newest, NewestFirst());
  const std::vector<std::string> oldest =
      ListTitles({.order = v1::ARTICLE_ORDER_OLDEST, .page_size = 3});
  EXPECT_TRUE(std::equal(newest.rbegin(), newest.rend(), oldest.begin(), oldest.end()));
  EXPECT_THAT(ListTitles({.published_after = absl::FromUnixSeconds(1'600'000'000 + 86'400),
                          .published_before = absl::FromUnixSeconds(1'600'000'000 + 2 * 86'400),
                          .page_size = 10}),
              ElementsAreArray(NewestFirst("name IN ('day-2', 'day-3')")));
}

TEST_F(ReadArticlesTest, ListsArticlesByAuthorAndTag) {
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
  EXPECT_EQ(ListTitles({.author = "u1", .page_size = 1}), NewestFirst("name IN ('one', 'two')"));
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 1}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Bo", .page_size = 1}), ElementsAre("About three"));
  EXPECT_EQ(ListTitles({.tag = "sea", .page_size = 1}), NewestFirst("name IN ('one', 'three')"));
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), ElementsAre("About one"));
  publish("one", "u2", "Cy", "air");
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), IsEmpty());
}

TEST_F(ReadArticlesTest, APageOfFullArticlesHasALimitedSize) {
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
