// Writes of articles that share a transaction.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/rules.h"
#include "google/protobuf/util/time_util.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "store/articles/batch.h"
#include "store/store_fixture.h"
#include "support/locks.h"
#include "support/pending.h"
#include "support/proxy.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Pending;
using ::testing::SizeIs;

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

ArticleWrite Putting(const std::string& id, const std::string& body = "Some text.",
                     PublishOptions options = {}) {
  return Publication{.id = id, .article = MakeArticle(id, body), .options = std::move(options)};
}

ArticleWrite PuttingVersion(const std::string& id, const std::string& etag) {
  Publication publication{
      .id = id, .article = MakeArticle(id, absl::StrCat("Text after ", etag, ".")), .options = {}};
  publication.article.set_etag(etag);
  return publication;
}

ArticleWrite Summarising(const std::string& id, const std::string& summary) {
  ArticleEdit edit{.id = id, .article = {}, .paths = {"summary"}};
  edit.article.set_summary(summary);
  return edit;
}

// An answer, without the article's text.
std::string Text(const ArticleAnswer& answer) {
  if (!answer) return "left out";
  if (!answer->ok()) return ReasonOf(answer->status());
  const v1::Article& article = (*answer)->article;
  const v1::PublishOutcome outcome = (*answer)->outcome;
  std::string text = absl::StrCat(article.revision());
  if (!article.name().empty()) absl::StrAppend(&text, " ", *ParseArticleName(article.name()));
  if (outcome == v1::PUBLISH_OUTCOME_CREATED) absl::StrAppend(&text, " created");
  if (outcome == v1::PUBLISH_OUTCOME_REPLACED) absl::StrAppend(&text, " replaced");
  if (outcome == v1::PUBLISH_OUTCOME_UNCHANGED) absl::StrAppend(&text, " unchanged");
  return text;
}

class ArticleBatchesTest : public StoreTest {
 protected:
  ArticleBatchesTest() { connection_.PrepareSession(); }

  std::vector<ArticleAnswer> Write(std::vector<ArticleWrite> writes,
                                   postgres::WriteMode mode = {.skip_locked = true,
                                                               .in_doubt = false}) {
    return WriteOn(connection_, std::move(writes), mode);
  }

  std::vector<ArticleAnswer> WriteOn(postgres::Connection& connection,
                                     std::vector<ArticleWrite> writes, postgres::WriteMode mode) {
    std::vector<Called<ArticleWrite>> called;
    for (ArticleWrite& write : writes) called.push_back({std::move(write)});
    std::vector<Called<ArticleWrite>*> pointers;
    for (Called<ArticleWrite>& write : called) pointers.push_back(&write);
    return WriteArticles(connection, pointers, mode, [this](std::vector<ChangeNotice> notices) {
      for (ChangeNotice& notice : notices) announced_.push_back(std::move(notice));
    });
  }

  // The answers as text.
  std::vector<std::string> Texts(std::vector<ArticleWrite> writes) {
    std::vector<std::string> texts;
    for (const ArticleAnswer& answer : Write(std::move(writes))) texts.push_back(Text(answer));
    return texts;
  }

  // Every article's key, its place in the feed and how far the feed is.
  std::string Feed() {
    return Sql(
        "WITH named AS (SELECT article_key, first_name FROM article_state) "
        "SELECT string_agg(first_name || ' ' || position, ', ' ORDER BY position) || ' of ' || "
        "(SELECT position FROM article_feed) FROM article_change JOIN named USING (article_key)");
  }

  postgres::Connection connection_{*postgres::CompleteDsn(url_)};
  std::vector<ChangeNotice> announced_;
};

TEST_F(ArticleBatchesTest, WritesToDifferentArticlesShareATransaction) {
  ASSERT_THAT(Texts({Putting("b"), Putting("a"), Putting("c")}),
              ElementsAre("1 b created", "1 a created", "1 c created"));
  EXPECT_EQ(Feed(), "b 1, a 2, c 3 of 3") << "in the order of the writes";
  ASSERT_THAT(Texts({Putting("new"), Putting("b", "Other text."), Summarising("a", "Short."),
                     ArticleRename{.id = "c", .new_id = "c2"}}),
              ElementsAre("1 new created", "2 b replaced", "2 a", "2 c2"));
  EXPECT_EQ(Feed(), "new 4, b 5, a 6, c 7 of 7");
  if (!testing::OnCitus()) {  // where each worker has a number of its own for it
    EXPECT_EQ(Sql("SELECT count(DISTINCT xmin::text) FROM article_state"), "1");
  }
  ASSERT_THAT(Texts({ArticleRetraction{.id = "a"}, ArticleRetraction{.id = "c"}}),
              ElementsAre("3", "3"));
  EXPECT_EQ(Sql("SELECT string_agg(first_name, ' ' ORDER BY first_name) "
                "FROM article_search JOIN article_state USING (bucket, article_key)"),
            "b new");
  EXPECT_EQ(GetOne("b").body(), "Other text.");
  EXPECT_EQ(Inspect("a")->article.summary(), "Short.");
  EXPECT_EQ(Sql("SELECT count(*) FROM request"), "0") << "nobody gave an id";
}

TEST_F(ArticleBatchesTest, TheAnswersAreTheArticlesAsTheyAreStored) {
  v1::Article full = MakeOtherArticle();
  full.set_name("articles/full");
  ASSERT_TRUE(CompleteArticle("article", full).ok());
  std::vector<ArticleAnswer> answers =
      Write({Publication{.id = "full", .article = full, .options = {}}, Putting("small")});
  for (const ArticleAnswer& answer : answers) {
    const v1::Article& article = answer->value().article;
    EXPECT_EQ(article.SerializeAsString(),
              GetOne(*ParseArticleName(article.name())).SerializeAsString());
  }
  answers = Write({Summarising("full", "Other."), Summarising("small", "Other.")});
  for (const ArticleAnswer& answer : answers) {
    const v1::Article& article = answer->value().article;
    EXPECT_EQ(article.SerializeAsString(),
              GetOne(*ParseArticleName(article.name())).SerializeAsString());
  }
  EXPECT_THAT(ListTitles({.author = "Ana", .tag = "sea", .page_size = 9}), SizeIs(1));
}

TEST_F(ArticleBatchesTest, WritesToOneArticleAreDoneOneAfterTheOther) {
  EXPECT_THAT(
      Texts({Summarising("a", "Early."), Putting("a"), Putting("a"), PuttingVersion("a", "1"),
             PuttingVersion("a", "7"), Summarising("a", "Short.")}),
      ElementsAre("ARTICLE_NOT_FOUND", "1 a created", "1 a unchanged", "2 a replaced",
                  "ETAG_MISMATCH", "3 a"));
  EXPECT_EQ(GetOne("a").etag(), "3");
  EXPECT_EQ(GetOne("a").summary(), "Short.");
  EXPECT_THAT(
      Texts({ArticleRename{.id = "a", .new_id = "b"}, ArticleRename{.id = "a", .new_id = "c"},
             ArticleRename{.id = "a", .new_id = "b"}, Summarising("a", "Shorter."),
             ArticleRetraction{.id = "a"}, ArticleRetraction{.id = "a"}, Putting("a", "Again.")}),
      ElementsAre("4 b", "5 c", "6 b", "7 b", "8", "8", "9 b replaced"));
  EXPECT_THAT(Inspect("c")->former_names, ElementsAre("articles/a", "articles/c"));
  EXPECT_EQ(GetOne("b").body(), "Again.");
  EXPECT_EQ(GetOne("b").revision(), 9);
  EXPECT_EQ(Feed(), "a 2 of 2") << "one change for each batch";
  EXPECT_EQ(Sql("SELECT published_position || ' ' || ever_readable FROM article_state"), "1 true")
      << "readers have always seen it";
}

TEST_F(ArticleBatchesTest, AnArticleThatIsRetractedInItsFirstBatchWasNeverSeen) {
  Write({Putting("a"), ArticleRetraction{.id = "a"}});
  EXPECT_EQ(Sql("SELECT retracted || ' ' || ever_readable FROM article_state"), "true false");
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "0");
  Write({Putting("a")});
  EXPECT_TRUE(Exists("a"));
}

TEST_F(ArticleBatchesTest, AWriteThatBreaksARuleFailsAlone) {
  Write({Putting("known"), Putting("other")});
  v1::Article sections = MakeArticle("sections");
  for (int i = 0; i < 1001; ++i) sections.mutable_body()->append("\n\n# x\n");
  EXPECT_THAT(
      Texts({Putting("new"), PuttingVersion("absent", "1"), PuttingVersion("known", "7"),
             Putting("known", "Other text.", {.may_replace = false}), Summarising("none", "x"),
             ArticleRetraction{.id = "none"}, ArticleRetraction{.id = "known", .etag = "7"},
             ArticleRename{.id = "none", .new_id = "one"},
             ArticleRename{.id = "known", .new_id = "one", .etag = "7"},
             ArticleRename{.id = "known", .new_id = "other"},
             Publication{.id = "sections", .article = sections, .options = {}},
             Putting("draft", "Text.", {.validate_only = true}), Putting("last")}),
      ElementsAre("1 new created", "ETAG_MISMATCH", "ETAG_MISMATCH", "ARTICLE_EXISTS",
                  "ARTICLE_NOT_FOUND", "ARTICLE_NOT_FOUND", "ETAG_MISMATCH", "ARTICLE_NOT_FOUND",
                  "ETAG_MISMATCH", "ARTICLE_EXISTS", "INVALID_REQUEST", "0 draft",
                  "1 last created"));
  const std::string names = "known last new other";
  EXPECT_EQ(Sql("SELECT string_agg(name, ' ' ORDER BY name) FROM article_name"), names);
  EXPECT_EQ(Sql("SELECT string_agg(name, ' ' ORDER BY name) FROM article_state"), names);
  EXPECT_EQ(GetOne("known").revision(), 1);
}

// What another write has failed to create can still be created.
TEST_F(ArticleBatchesTest, ANameIsNeverWithoutAState) {
  PublishOptions too_many;
  for (size_t i = 0; i <= kMaxFormerNames; ++i) {
    too_many.former_names.push_back(absl::StrCat("former-", i));
  }
  const std::vector<ArticleAnswer> answers =
      Write({Putting("bad", "Text.", std::move(too_many)), Putting("good")});
  EXPECT_EQ(answers[0]->status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Text(answers[1]), "1 good created");
  EXPECT_EQ(Feed(), "good 1 of 1");
  EXPECT_THAT(Texts({Putting("bad")}), ElementsAre("1 bad created"));
  EXPECT_EQ(Feed(), "good 1, bad 2 of 2");
}

TEST_F(ArticleBatchesTest, AnImportDoesNotBringBackWhatWasRetracted) {
  ASSERT_THAT(Texts({Putting("a"), ArticleRetraction{.id = "a"}}), ElementsAre("1 a created", "2"));
  const PublishOptions imported = {.may_replace = true, .imported = true};
  EXPECT_THAT(Texts({Putting("a", "Some text.", imported), Putting("a", "Other text.", imported)}),
              ElementsAre("ARTICLE_EXISTS", "ARTICLE_EXISTS"));
  EXPECT_TRUE(Inspect("a")->retracted);
}

TEST_F(ArticleBatchesTest, AnArticleThatIsOnlyCheckedFirstIsCreatedByTheNextWrite) {
  const auto answers = Write({Putting("a", "Text.", {.validate_only = true}), Putting("a")});
  EXPECT_EQ(Text(answers[0]), "0 a");
  EXPECT_TRUE(answers[0]->value().article.has_publish_time());
  EXPECT_EQ(Text(answers[1]), "1 a created");
}

TEST_F(ArticleBatchesTest, ARequestIsDoneOnceWithinABatch) {
  const PublishOptions once{.request = {kRequestId, "aa"}};
  const PublishOptions other{.request = {kRequestId, "bb"}};
  EXPECT_THAT(Texts({Putting("a", "One.", once), Putting("a", "Two."), Putting("a", "One.", once),
                     Putting("a", "Three.", other), Putting("b", "Three.", other)}),
              ElementsAre("1 a created", "2 a replaced", "2 a created", "REQUEST_ID_REUSED",
                          "1 b created"));
  EXPECT_EQ(GetOne("a").body(), "Two.");
}

TEST_F(ArticleBatchesTest, ANameIsGivenToOneArticle) {
  Write({Putting("a"), Putting("b")});
  EXPECT_THAT(Texts({ArticleRename{.id = "a", .new_id = "wanted"},
                     ArticleRename{.id = "b", .new_id = "wanted"}}),
              ElementsAre("2 wanted", "ARTICLE_EXISTS"));
  EXPECT_THAT(Texts({ArticleRename{.id = "a", .new_id = "new"}, Putting("new")}),
              ElementsAre("ARTICLE_EXISTS", "1 new created"));
}

TEST_F(ArticleBatchesTest, ALockedArticleIsLeftOut) {
  Write({Putting("locked"), Putting("free")});
  testing::Session session(url_);
  session.Run("BEGIN; " + testing::LockArticles(url_, "name = 'locked'"));
  EXPECT_THAT(Texts({Putting("new"), Putting("locked", "Other."), Putting("free", "Other.")}),
              ElementsAre("1 new created", "left out", "2 free replaced"));
  Pending<PublishedArticle> waits, goes_on;
  store_->PublishArticle({}, MakeArticle("locked", "Other."), {}, waits.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  store_->PublishArticle({}, MakeArticle("free", "Again."), {}, goes_on.callback());
  EXPECT_TRUE(goes_on.Get().ok());
  EXPECT_FALSE(waits.is_answered());
  session.Run("COMMIT");
  EXPECT_EQ(waits.Get()->outcome, v1::PUBLISH_OUTCOME_REPLACED);
}

TEST_F(ArticleBatchesTest, StoredArticlesBeyondTheLimitAreLeftOut) {
  const std::string body = "Words. " + std::string(1'000'000, 'x');
  std::vector<ArticleWrite> writes;
  std::vector<ArticleWrite> edits;
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    writes.push_back(Putting(id, body));
    edits.push_back(Summarising(id, "Short."));
  }
  Write(writes);
  edits.push_back(Putting("new"));
  const std::vector<std::string> texts = Texts(edits);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "left out"), 2) << "those beyond 4 MB";
  EXPECT_EQ(texts.back(), "1 new created");
  EXPECT_EQ(Sql("SELECT count(*) FROM article WHERE summary = 'Short.'"), "4");
  for (const ArticleAnswer& answer : Write(edits, {.skip_locked = false, .in_doubt = false})) {
    EXPECT_TRUE(answer->ok()) << "when all must be answered";
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM article WHERE summary = 'Short.'"), "6");
}

TEST_F(ArticleBatchesTest, LabelsCountForTheLimit) {
  std::vector<ArticleWrite> writes;
  std::vector<ArticleWrite> edits;
  for (const char* id : {"a", "b", "c", "d", "e", "f", "g"}) {
    v1::Article article = MakeArticle(id);
    for (int i = 0; i < 50; ++i) {
      article.add_authors()->set_display_name(absl::StrCat("Author ", i));
      article.add_tags(absl::StrCat("tag-", i));
    }
    EXPECT_GT(SizeOf(article), 51 * 51 * 300);
    writes.push_back(Publication{.id = id, .article = article, .options = {}});
    EXPECT_EQ(SizeOf(writes.back()), SizeOf(article));
    edits.push_back(Summarising(id, "Short."));
  }
  Write(writes);
  const std::vector<std::string> texts = Texts(edits);
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "left out"), 2);
}

// As the pool does it: on another connection, which waits for locks.
TEST_F(ArticleBatchesTest, AGroupWhoseCommitWasInDoubtIsDoneOnce) {
  for (const auto cut : {testing::Proxy::Cut::kBeforeCommit, testing::Proxy::Cut::kAfterCommit}) {
    const std::string of = cut == testing::Proxy::Cut::kBeforeCommit ? "of-one" : "of-two";
    Write({Putting("replaced-" + of), Putting("edited-" + of), Putting("renamed-" + of),
           Putting("retracted-" + of)});
    const std::string position = Sql("SELECT position FROM article_feed");
    announced_.clear();
    ArticleEdit edit = std::get<ArticleEdit>(Summarising("edited-" + of, "Short."));
    edit.request.id = NewUuid();
    const std::vector<ArticleWrite> writes = {
        Putting("new-" + of, "Text.", {.request = {.id = NewUuid()}}),
        Putting("replaced-" + of, "Other.", {.request = {.id = NewUuid()}}),
        edit,
        ArticleRename{.id = "renamed-" + of, .new_id = "now-" + of, .request = {.id = NewUuid()}},
        ArticleRetraction{.id = "retracted-" + of, .request = {.id = NewUuid()}},
        Putting("draft-" + of, "Text.", {.validate_only = true, .request = {.id = NewUuid()}}),
        Summarising("none-" + of, "Short.")};
    testing::Proxy proxy(url_);
    {
      postgres::Connection broken(*postgres::CompleteDsn(proxy.url()));
      broken.PrepareSession();
      proxy.CutNextCommit(cut);
      EXPECT_ANY_THROW(WriteOn(broken, writes, {.skip_locked = true, .in_doubt = false}));
      EXPECT_THAT(announced_, IsEmpty());
    }
    std::vector<std::string> texts;
    for (const ArticleAnswer& answer : Write(writes, {.skip_locked = false, .in_doubt = true})) {
      texts.push_back(Text(answer));
    }
    EXPECT_THAT(texts, ElementsAre("1 new-" + of + " created", "2 replaced-" + of + " replaced",
                                   "2 edited-" + of, "2 now-" + of, "2", "0 draft-" + of,
                                   "ARTICLE_NOT_FOUND"));
    EXPECT_THAT(announced_, SizeIs(5));
    EXPECT_EQ(Sql("SELECT position - " + position + " FROM article_feed"), "5") << "once each";
    EXPECT_EQ(Sql("SELECT string_agg(revision::text, ' ' ORDER BY first_name) FROM article_state "
                  "WHERE first_name LIKE '%" +
                  of + "'"),
              "2 1 2 2 2")
        << "edited, new, renamed, replaced, retracted";
    EXPECT_FALSE(Exists("retracted-" + of));
    EXPECT_FALSE(Exists("draft-" + of));
  }
}

TEST_F(ArticleBatchesTest, EachArticleIsAnnouncedOnceAsItIsStored) {
  Write({Putting("a"), Putting("b")});
  announced_.clear();
  Write({Putting("a", "Two."), Putting("a", "Three."), ArticleRename{.id = "b", .new_id = "c"},
         PuttingVersion("b", "7"), Putting("draft", "Text.", {.validate_only = true})});
  ASSERT_THAT(announced_, SizeIs(2));
  EXPECT_EQ(announced_[0].state.article_id, "a");
  EXPECT_EQ(announced_[0].state.revision, 3);
  EXPECT_EQ(announced_[0].state.version, 3);
  EXPECT_EQ(announced_[1].name, "c");
  EXPECT_EQ(announced_[1].state.version, 4);
  announced_.clear();
  Write({PuttingVersion("a", "7"), ArticleRetraction{.id = "none"}});
  EXPECT_THAT(announced_, IsEmpty());
}

TEST_F(ArticleBatchesTest, AnArticleThatMakesItsGroupFailFailsAlone) {
  Write({Putting("gate"), Putting("damaged"), Putting("free")});
  Sql("UPDATE article SET authors = '7' WHERE " + OfArticle("damaged"));
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_name IN ACCESS EXCLUSIVE MODE");
  // Both connections wait, so that the others form a group.
  std::vector<Pending<PublishedArticle>> gates(2);
  for (size_t i = 0; i < gates.size(); ++i) {
    store_->PublishArticle({}, MakeArticle(absl::StrCat("gate-", i)), {}, gates[i].callback());
    testing::AwaitWaitersForLocks(url_, static_cast<int>(i) + 1);
  }
  std::vector<Pending<PublishedArticle>> answers(3);
  const std::vector<std::string> ids = {"new", "damaged", "free"};
  for (size_t i = 0; i < ids.size(); ++i) {
    store_->PublishArticle({}, MakeArticle(ids[i], "Other."), {}, answers[i].callback());
  }
  session.Run("COMMIT");
  EXPECT_EQ(answers[0].Get()->outcome, v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_EQ(answers[1].Get().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(answers[2].Get()->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  for (auto& gate : gates) EXPECT_TRUE(gate.Get().ok());
}

TEST_F(ArticleBatchesTest, ARenamingHasATransactionOfItsOwn) {
  Write({Putting("a"), Putting("b"), Putting("c")});
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_name IN ACCESS EXCLUSIVE MODE");
  // Both connections wait, so that the others form groups.
  std::vector<Pending<PublishedArticle>> gates(2);
  for (size_t i = 0; i < gates.size(); ++i) {
    store_->PublishArticle({}, MakeArticle(absl::StrCat("gate-", i)), {}, gates[i].callback());
    testing::AwaitWaitersForLocks(url_, static_cast<int>(i) + 1);
  }
  std::vector<Pending<v1::Article>> answers(4);
  const auto edit = [&](const std::string& id, Pending<v1::Article>& answer) {
    store_->UpdateArticle({}, std::get<ArticleEdit>(Summarising(id, "Short.")), answer.callback());
  };
  edit("a", answers[0]);
  store_->RenameArticle({}, {.id = "a", .new_id = "a2"}, answers[1].callback());
  edit("b", answers[2]);
  edit("c", answers[3]);
  session.Run("COMMIT");
  for (auto& answer : answers) EXPECT_TRUE(answer.Get().ok());
  for (auto& gate : gates) EXPECT_TRUE(gate.Get().ok());
  EXPECT_EQ(Sql("SELECT name || ' ' || revision FROM article_state WHERE first_name = 'a'"),
            "a2 3");
  if (testing::OnCitus()) GTEST_SKIP() << "each worker has a number of its own for a transaction";
  const std::string count =
      "SELECT count(DISTINCT xmin::text) FROM article_state WHERE first_name ";
  EXPECT_EQ(Sql(count + "IN ('b', 'c')"), "1");
  EXPECT_EQ(Sql(count + "IN ('a', 'b', 'c')"), "2");
}

TEST_F(ArticleBatchesTest, WaitingWritesShareATransactionThatIsOfLimitedSize) {
  testing::Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_name IN ACCESS EXCLUSIVE MODE");
  std::vector<Pending<PublishedArticle>> answers(2 + 8 + 8);
  for (size_t i = 0; i < answers.size(); ++i) {
    // The last eight have 600 KB each.
    const std::string body =
        i < 10 ? "Text." : std::string(100'000, ' ') + "Words. " + std::string(500'000, 'x');
    store_->PublishArticle({}, MakeArticle(absl::StrCat("a", 100 + i), body), {},
                           answers[i].callback());
    if (i < 2) testing::AwaitWaitersForLocks(url_, static_cast<int>(i) + 1);
  }
  session.Run("COMMIT");
  for (auto& answer : answers) {
    const auto published = answer.Get();
    EXPECT_TRUE(published.ok()) << published.status();
  }
  if (testing::OnCitus()) GTEST_SKIP() << "each worker has a number of its own for a transaction";
  EXPECT_EQ(Sql("SELECT count(*) FROM (SELECT xmin::text FROM article_state "
                "WHERE name > 'a101' GROUP BY 1) AS groups"),
            "2")
      << "one of 4 MB, and the rest";
}

TEST_F(ArticleBatchesTest, ArticlesAreCreatedOnceByConcurrentServers) {
  constexpr int kServers = 4;
  constexpr int kArticles = 30;
  std::vector<std::unique_ptr<Store>> stores;
  for (int i = 0; i < kServers; ++i) stores.push_back(*Open(url_));
  std::vector<Pending<PublishedArticle>> answers(kServers * kArticles);
  for (int i = 0; i < kArticles; ++i) {
    for (int server = 0; server < kServers; ++server) {
      // In different orders.
      const int number = server % 2 == 0 ? i : kArticles - 1 - i;
      stores[static_cast<size_t>(server)]->PublishArticle(
          {}, MakeArticle(absl::StrCat("a", number)), {},
          answers[static_cast<size_t>(server * kArticles + i)].callback());
    }
  }
  int created = 0;
  for (auto& answer : answers) {
    const auto published = answer.Get();
    ASSERT_TRUE(published.ok()) << published.status();
    created += published->outcome == v1::PUBLISH_OUTCOME_CREATED;
    EXPECT_EQ(published->article.revision(), 1);
  }
  EXPECT_EQ(created, kArticles);
  EXPECT_EQ(Sql("SELECT count(*) || ' ' || max(position) FROM article_change"), "30 30");
}

}  // namespace
}  // namespace content::store
