#include "store/names.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "postgres/dsn.h"
#include "postgres/transaction.h"
#include "store/comments/batch.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ArticleNamesTest : public StoreTest {
 protected:
  void SetUp() override {
    for (const char* id : {"first", "second"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  }

  ArticleKey KeyOf(const std::string& name) {
    return ArticleKey(std::stoll(
        Sql(absl::StrCat("SELECT article_key FROM article_name WHERE name = '", name, "'"))));
  }

  postgres::Connection connection_{*postgres::CompleteDsn(url_)};
  ArticleNames names_;
};

TEST_F(ArticleNamesTest, FindsTheKeyOfEveryName) {
  ASSERT_TRUE(Rename({.id = "first", .new_id = "renamed"}).ok());
  const std::vector<std::string> names = {"second", "first", "nothing", "renamed", "second"};
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(names_.Find(connection_, names),
                ElementsAre(KeyOf("second"), KeyOf("first"), std::nullopt, KeyOf("first"),
                            KeyOf("second")));
  }
}

TEST_F(ArticleNamesTest, RemembersKeysButNotThatThereIsNone) {
  EXPECT_EQ(names_.Recall("first"), std::nullopt);
  EXPECT_EQ(names_.Find(connection_, "first"), KeyOf("first"));
  EXPECT_EQ(names_.Find(connection_, "third"), std::nullopt);
  EXPECT_EQ(names_.Recall("first"), KeyOf("first"));
  ASSERT_TRUE(Publish(MakeArticle("third")).ok());
  EXPECT_EQ(names_.Find(connection_, "third"), KeyOf("third"));
  Sql("ALTER TABLE article_name RENAME TO not_needed");
  EXPECT_TRUE(names_.Find(connection_, "third"));
  names_.Forget("third");
  EXPECT_EQ(names_.Recall("third"), std::nullopt);
  EXPECT_TRUE(names_.Recall("first"));
  names_.Clear();
  EXPECT_EQ(names_.Recall("first"), std::nullopt);
}

// One transaction has one time, so with random bits alone about a hundred of these keys were equal.
TEST_F(ArticleNamesTest, NamesThatAreTakenTogetherGetDifferentKeys) {
  std::vector<std::string> names;
  for (int i = 0; i < 20'000; ++i) names.push_back(absl::StrCat("name-", i));
  postgres::Transaction transaction(connection_);
  std::set<ArticleKey> keys;
  for (const auto& [name, key] : TakeNames(transaction, names, {})) keys.insert(key);
  EXPECT_THAT(keys, SizeIs(names.size()));
}

// A failover has lost that "first" was renamed, and the new name was given to another article.
TEST_F(ArticleNamesTest, AfterClearANameMayBeAnotherArticles) {
  ASSERT_TRUE(Rename({.id = "first", .new_id = "moved"}).ok());
  const auto lost = names_.Find(connection_, "moved");
  Sql("DELETE FROM article_name WHERE name = 'moved'");
  Sql("UPDATE article_state SET name = 'first' WHERE name = 'moved'");
  store_ = *Open(url_);
  ASSERT_TRUE(Publish(MakeArticle("moved")).ok());
  ASSERT_NE(lost, KeyOf("moved"));
  names_.Clear();
  Called<CommentChange> change{MakeComment("moved", "for the new article")};
  const auto answers =
      WriteComments(connection_, names_, {&change}, {.skip_locked = false, .in_doubt = false},
                    [](const std::vector<ChangeNotice>&) {});
  ASSERT_TRUE(answers.front()->ok()) << answers.front()->status();
  EXPECT_EQ(Sql("SELECT string_agg(name, ' ') FROM comment JOIN article_state "
                "USING (bucket, article_key)"),
            "moved");
}

TEST_F(ArticleNamesTest, WhatWasReadDuringClearIsNotRemembered) {
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_name");
  std::optional<ArticleKey> found;
  {
    const std::jthread reader([&] { found = names_.Find(connection_, "first"); });
    testing::AwaitWaitersForLocks(url_, 1);
    names_.Clear();
    session.Run("COMMIT");
  }
  EXPECT_EQ(found, KeyOf("first"));
  EXPECT_EQ(names_.Recall("first"), std::nullopt);
}

// In the tests above, nothing changed what was remembered. Here a backup without the article has
// been restored, and the article published again.
TEST_F(ArticleNamesTest, AKeyWhoseArticleIsGoneIsLookedUpAgain) {
  const std::string name = Add("first", "text");
  EXPECT_TRUE(Exists("first"));
  const auto rewrite = [this] {
    Sql("DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY '{article_name, article_state, article, "
        "comment}'::text[] LOOP EXECUTE format('UPDATE %s SET article_key = article_key + 256', "
        "t); "
        "END LOOP; END $$");
  };
  const auto eventually = [](auto works) { return works() || works(); };
  rewrite();
  EXPECT_TRUE(eventually([&] { return Exists("first"); }));
  rewrite();
  EXPECT_TRUE(eventually([&] { return GetComment(name).ok(); }));
  rewrite();
  EXPECT_TRUE(eventually([&] { return List({.article_id = "first", .page_size = 1}).ok(); }));
  rewrite();
  EXPECT_TRUE(eventually([&] { return Create(MakeComment("first", "more")).ok(); }));
  rewrite();
  EXPECT_TRUE(eventually([&] { return Inspect("first").ok(); }));
  rewrite();
  EXPECT_TRUE(Publish(MakeArticle("first", "Other text.")).ok());
}

TEST_F(ArticleNamesTest, KeysBeginWithTheTimeAndEndWithTheBucket) {
  EXPECT_EQ(Sql("SELECT bool_and(bucket = article_key % 256) AND bool_and(to_timestamp("
                "(article_key >> 21) / 1000.0) BETWEEN now() - interval '1 minute' AND now()) "
                "FROM article_state"),
            "t");
  const ArticleKey key((int64_t{1} << 62) + 255);
  EXPECT_EQ(key.bucket(), 255);
  EXPECT_EQ(ArticleKey(256).bucket(), 0);
}

// Two articles never share a key: the second is tried again with another.
TEST_F(ArticleNamesTest, AKeyThatIsTakenIsNotUsed) {
  if (testing::OnCitus()) GTEST_SKIP() << "Citus takes no such trigger";
  Sql("CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF (SELECT last_value FROM tries) < 2 THEN PERFORM nextval('tries'); "
      "NEW.article_key = (SELECT min(article_key) FROM article_state); END IF; RETURN NEW; END $$;"
      "CREATE SEQUENCE tries; SELECT nextval('tries');"
      "CREATE TRIGGER takes BEFORE INSERT ON article_name FOR EACH ROW EXECUTE FUNCTION take()");
  const auto published = Publish(MakeArticle("third"));
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(Sql("SELECT count(DISTINCT article_key) FROM article_state"), "3");
}

}  // namespace
}  // namespace content::store
