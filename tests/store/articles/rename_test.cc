#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;

class RenameArticleTest : public StoreTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Publish(MakeArticle("old")).ok());
    comment_ = Add("old", "hello");
    id_ = ParseCommentName(comment_)->comment_id;
  }

  std::string comment_;
  std::string id_;
};

TEST_F(RenameArticleTest, FormerNamesKeepWorkingAndAnswersHaveTheCurrentOne) {
  const auto renamed = Rename({.id = "old", .new_id = "new", .etag = "1"});
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_EQ(renamed->name(), "articles/new");
  EXPECT_EQ(renamed->body(), "");
  EXPECT_EQ(renamed->sections_size(), 0);
  EXPECT_EQ(renamed->revision(), 3);
  EXPECT_EQ(renamed->etag(), "1") << "the text is the same";

  const std::string current = CommentName("new", id_);
  for (const char* name : {"old", "new"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(GetOne(name).name(), "articles/new");
    EXPECT_EQ(GetComment(CommentName(name, id_))->name(), current);
    EXPECT_EQ(List({.article_id = name, .page_size = 9})->page.items.back().name(), current);
    const auto page = GetPage({.article_id = name, .page_size = 9});
    EXPECT_EQ(ArticleOf(*page).name(), "articles/new");
    EXPECT_EQ(page->comments.items.back().name(), current);
    const auto reply = Create(MakeComment(name, "reply", comment_));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->reply_to(), current);
    EXPECT_EQ(ParseCommentName(reply->name())->article_id, "new");
    EXPECT_THAT(ListBodies({.article_id = name, .reply_to = {name, id_}, .page_size = 9}),
                ElementsAre("reply"));
    const CommentRef reference{name, id_};
    EXPECT_EQ(Update({.comment = reference, .body = name})->name(), current);
    EXPECT_EQ(Moderate(CommentName(name, id_), v1::COMMENT_STATE_HIDDEN)->name(), current);
    EXPECT_EQ(Moderate(CommentName(name, id_), v1::COMMENT_STATE_VISIBLE)->name(), current);
    EXPECT_TRUE(Delete({.comment = {name, ParseCommentName(reply->name())->comment_id}}).ok());
    v1::Article summary;
    summary.set_summary(name);
    EXPECT_EQ(Edit({.id = name, .article = summary, .paths = {"summary"}})->name(), "articles/new");
    EXPECT_EQ(Inspect(name)->article.name(), "articles/new");
    EXPECT_THAT(Inspect(name)->former_names, ElementsAre("articles/old"));
    EXPECT_TRUE(Retract(name).ok());
    const auto published = Publish(MakeArticle(name, absl::StrCat("Text by ", name)));
    EXPECT_EQ(published->outcome, v1::PUBLISH_OUTCOME_REPLACED);
    EXPECT_EQ(published->article.name(), "articles/new");
  }
  const auto both = Get({"new", "old", "new"});
  for (const auto& article : *both) EXPECT_EQ(article->name(), "articles/new");
  EXPECT_EQ(Sql("SELECT count(*) FROM article_state"), "1");
}

TEST_F(RenameArticleTest, RenamingToTheCurrentNameChangesNothing) {
  EXPECT_EQ(Rename({.id = "old", .new_id = "old", .etag = "stale"})->revision(), 2);
  EXPECT_EQ(ReasonOf(Rename({.id = "old", .new_id = "new", .etag = "stale"}).status()),
            "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Rename({.id = "none", .new_id = "new"}).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(RenameArticleTest, AnArticleCanBeRenamedAgainAndBack) {
  for (const char* name : {"b", "c", "d"}) {
    EXPECT_EQ(Rename({.id = "old", .new_id = name})->name(), ArticleName(name));
  }
  for (const char* name : {"old", "b", "c", "d"}) EXPECT_EQ(GetOne(name).name(), "articles/d");
  EXPECT_EQ(Rename({.id = "c", .new_id = "old"})->name(), "articles/old");
  EXPECT_THAT(Inspect("d")->former_names, ElementsAre("articles/b", "articles/c", "articles/d"));
  EXPECT_EQ(GetOne("old").revision(), 6);
}

TEST_F(RenameArticleTest, AnArticleHasALimitedNumberOfNames) {
  Sql("INSERT INTO article_name (name, article_key) SELECT 'name-' || n, article_key "
      "FROM article_state, generate_series(1, 999) n WHERE first_name = 'old'");
  ASSERT_TRUE(Rename({.id = "old", .new_id = "the-last"}).ok());
  const absl::Status status = Rename({.id = "old", .new_id = "one-more"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(Rename({.id = "old", .new_id = "name-7"})->name(), "articles/name-7");
  EXPECT_EQ(Inspect("old")->former_names.size(), 1000);
}

TEST_F(RenameArticleTest, PublishingGivesFormerNames) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  ASSERT_TRUE(Rename({.id = "old", .new_id = "newer"}).ok());
  const PublishOptions options{.former_names = {"b", "a", "a", "old", "post", "other"}};
  const auto created = Publish(MakeArticle("post"), options);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->outcome, v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_THAT(created->names_of_others, ElementsAre("old", "other"));
  EXPECT_THAT(Inspect("post")->former_names, ElementsAre("articles/a", "articles/b"));
  for (const char* name : {"a", "b"}) EXPECT_EQ(GetOne(name).name(), "articles/post");
  EXPECT_EQ(GetOne("old").name(), "articles/newer");
  EXPECT_EQ(GetOne("other").name(), "articles/other");

  const auto again = Publish(MakeArticle("post"), options);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_THAT(again->names_of_others, ElementsAre("old", "other"));
  EXPECT_EQ(GetOne("post").revision(), 1);
}

TEST_F(RenameArticleTest, FormerNamesAloneReplaceNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string etag = GetOne("post").etag();
  const auto named =
      Publish(MakeArticle("post"), {.may_replace = false, .imported = true, .former_names = {"a"}});
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ(named->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(named->article.revision(), 2);
  EXPECT_EQ(GetOne("a").revision(), 2);
  EXPECT_EQ(GetOne("a").etag(), etag);
}

TEST_F(RenameArticleTest, PublishingThatFailsOrOnlyValidatesGivesNoNames) {
  const std::vector<std::string> names = {"a", "post"};
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto preview =
      Publish(MakeArticle("unborn"), {.validate_only = true, .former_names = names});
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_THAT(preview->names_of_others, ElementsAre("post"));
  const auto refused =
      Publish(MakeArticle("old", "Other text."), {.may_replace = false, .former_names = names});
  EXPECT_EQ(ReasonOf(refused.status()), "ARTICLE_EXISTS");
  EXPECT_FALSE(Exists("a"));
}

TEST_F(RenameArticleTest, PublishingGivesALimitedNumberOfFormerNames) {
  PublishOptions options;
  for (int i = 0; i < 1000; ++i) options.former_names.push_back(absl::StrCat("name-", i));
  ASSERT_TRUE(Publish(MakeArticle("post"), options).ok());
  EXPECT_EQ(Inspect("post")->former_names.size(), 1000);
  const absl::Status status = Publish(MakeArticle("post"), {.former_names = {"one-more"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(Publish(MakeArticle("post"), options)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(RenameArticleTest, ANameIsNeverGivenToAnotherArticle) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  EXPECT_EQ(ReasonOf(Rename({.id = "old", .new_id = "other"}).status()), "ARTICLE_EXISTS");
  ASSERT_TRUE(Rename({.id = "old", .new_id = "new"}).ok());
  for (const char* name : {"old", "new"}) {
    EXPECT_EQ(ReasonOf(Rename({.id = "other", .new_id = name}).status()), "ARTICLE_EXISTS");
  }
  EXPECT_EQ(GetOne("other").revision(), 1);

  // Neither can an id made from a title take a former name, or replace its article.
  const PublishOptions unnamed{.may_replace = false};
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("old", "Other text."), unnamed).status()),
            "ARTICLE_EXISTS");
  EXPECT_EQ(Publish(MakeArticle("old"), unnamed)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(GetOne("old").body(), "Some text.");
}

TEST_F(RenameArticleTest, RetractedArticlesCanBeRenamed) {
  ASSERT_TRUE(Retract("old").ok());
  EXPECT_EQ(Rename({.id = "old", .new_id = "new"})->name(), "articles/new");
  EXPECT_TRUE(Inspect("new")->retracted);
  EXPECT_FALSE(Exists("new"));
}

TEST_F(RenameArticleTest, RenamedArticlesKeepTheirPlaceInLists) {
  v1::Article labelled = MakeOtherArticle();
  labelled.set_name("articles/one");
  ASSERT_TRUE(CompleteArticle("article", labelled).ok());
  ASSERT_TRUE(Publish(labelled).ok());
  labelled.set_name("articles/two");
  ASSERT_TRUE(Publish(labelled).ok());
  ASSERT_TRUE(Rename({.id = "one", .new_id = "zzz"}).ok());
  EXPECT_THAT(ListTitles({.author = "Ana", .tag = "sea", .page_size = 1}),
              ElementsAre("Another title", "Another title"));
}

TEST_F(RenameArticleTest, OnlyOneOfConcurrentCallersGetsAName) {
  constexpr int kArticles = 6;
  for (int i = 0; i < kArticles; ++i) {
    ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("a", i))).ok());
  }
  for (int round = 0; round < 5; ++round) {
    const std::string wanted = absl::StrCat("wanted-", round);
    std::atomic<int> renamed = 0;
    std::atomic<int> created = 0;
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < kArticles; ++i) {
        callers.emplace_back([&, i] {
          // Each has its own store, because one store writes one article at a time.
          const std::unique_ptr<Store> store = *Open(url_);
          if (i == 0) {
            const auto published = Await<PublishedArticle>([&](auto done) {
              store->PublishArticle({}, MakeArticle(wanted), {}, std::move(done));
            });
            ASSERT_TRUE(published.ok()) << published.status();
            created += published->outcome == v1::PUBLISH_OUTCOME_CREATED;
            return;
          }
          const auto answer = Await<v1::Article>([&](auto done) {
            store->RenameArticle({}, {.id = absl::StrCat("a", i), .new_id = wanted},
                                 std::move(done));
          });
          if (answer.ok()) {
            ++renamed;
          } else {
            EXPECT_EQ(ReasonOf(answer.status()), "ARTICLE_EXISTS");
          }
        });
      }
    }
    EXPECT_EQ(renamed + created, 1);
    EXPECT_EQ(GetOne(wanted).name(), ArticleName(wanted));
  }
  EXPECT_EQ(Sql("WITH named AS (SELECT name, article_key FROM article_state) "
                "SELECT count(*) FROM named s WHERE NOT EXISTS (SELECT FROM article_name n "
                "WHERE n.name = s.name AND n.article_key = s.article_key)"),
            "0");
}

}  // namespace
}  // namespace content::store
