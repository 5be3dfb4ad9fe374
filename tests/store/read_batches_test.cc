// Reads that the store runs in batches; each read gets its own answer.

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "store/articles/read.h"
#include "store/store_fixture.h"
#include "support/pending.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Optional;
using testing::Pending;
using ::testing::SizeIs;
using Keys = std::vector<std::string>;
using States = std::vector<std::optional<ArticleState>>;

class ReadsTest : public StoreTest {
 protected:
  // Opens a store with one connection, which waits for a lock until Release is called. So all reads
  // until then become one batch of their kind.
  void HoldReads() {
    store_ = *NewPostgresStore({.url = url_, .read_connections = 1});
    session_.Run("BEGIN; LOCK TABLE article_name");
    store_->ReadArticleState({}, "first", held_.callback());
    testing::AwaitWaitersForLocks(url_, 1);
  }

  void Release() {
    session_.Run("ROLLBACK");
    EXPECT_TRUE(held_.Get().ok());
  }

  testing::Session session_{url_};
  Pending<std::optional<ArticleState>> held_;
};

TEST_F(ReadsTest, EachReadOfABatchHasItsOwnAnswer) {
  ASSERT_TRUE(Publish(MakeArticle("one", "# A\n\nfirst")).ok());
  ASSERT_TRUE(Publish(MakeArticle("two", "# B\n\nsecond")).ok());
  ASSERT_TRUE(Rename({.id = "two", .new_id = "deux"}).ok());
  const std::string comment = Add("one", "a comment");
  const CommentRef there = *ParseCommentName(comment);
  const std::string missing_id = "01980000-0000-7000-8000-000000000000";

  HoldReads();
  std::map<std::pair<std::string, v1::ArticleView>, Pending<std::optional<EncodedArticle>>>
      articles;
  std::map<std::string, Pending<std::optional<ArticleState>>> states;
  for (const char* id : {"one", "two", "deux", "none"}) {
    for (const auto view : {v1::ARTICLE_VIEW_BASIC, v1::ARTICLE_VIEW_FULL}) {
      store_->ReadArticle({}, id, view, articles[{id, view}].callback());
    }
    store_->ReadArticleState({}, id, states[id].callback());
  }
  std::vector<Pending<v1::Comment>> comments;
  for (const auto& [ref, min_revision] :
       {std::pair(there, 0), std::pair(there, 2), std::pair(there, 3),
        std::pair(CommentRef{"one", missing_id}, 0), std::pair(CommentRef{"none", missing_id}, 0),
        std::pair(CommentRef{"deux", there.comment_id}, 0)}) {
    store_->GetComment({}, ref, min_revision, comments.emplace_back().callback());
  }
  std::vector<Pending<States>> lists;
  for (const Keys& ids : {Keys{"deux", "none", "one"}, Keys{"one"}, Keys{}}) {
    store_->ReadArticleStates({}, ids, lists.emplace_back().callback());
  }
  Release();

  for (auto& [asked, answer] : articles) {
    const auto& [id, view] = asked;
    const auto article = answer.Get();
    ASSERT_TRUE(article.ok()) << article.status();
    EXPECT_EQ(article->has_value(), id != "none");
    if (!*article) continue;
    const v1::Article message = Decode(**article, view);
    EXPECT_EQ(message.name(), id == "one" ? "articles/one" : "articles/deux");
    EXPECT_EQ(message.body(), view == v1::ARTICLE_VIEW_BASIC ? ""
                              : id == "one"                  ? "# A\n\nfirst"
                                                             : "# B\n\nsecond");
  }
  EXPECT_EQ((*states["one"].Get())->article_id, "one");
  EXPECT_EQ((*states["two"].Get())->article_id, "two");
  EXPECT_EQ((*states["deux"].Get())->article_id, "two");
  EXPECT_FALSE(*states["none"].Get());
  const char* const expected[] = {"",
                                  "",
                                  "REVISION_NOT_REACHED",
                                  "COMMENT_NOT_FOUND",
                                  "ARTICLE_NOT_FOUND",
                                  "COMMENT_NOT_FOUND"};
  for (size_t i = 0; i < comments.size(); ++i) {
    const auto answer = comments[i].Get();
    EXPECT_EQ(ReasonOf(answer.status()), expected[i]) << i;
    if (answer.ok()) {
      EXPECT_EQ(answer->name(), comment);
    }
  }
  const auto at_two = Optional(Field(&ArticleState::revision, 2));
  EXPECT_THAT(*lists[0].Get(), ElementsAre(at_two, Eq(std::nullopt), at_two));
  EXPECT_THAT(*lists[1].Get(), ElementsAre(at_two));
  EXPECT_THAT(*lists[2].Get(), IsEmpty());
}

TEST_F(ReadsTest, AStatementTakesOnlySomeOfTheLongestLists) {
  ASSERT_TRUE(Publish(MakeArticle("one")).ok());
  const std::vector<Keys> lists(5, Keys(400, "one"));
  postgres::Connection connection(*postgres::CompleteDsn(url_));
  ArticleNames names;
  const auto answers = ReadListsOfStates(connection, names, lists);
  const auto answered = std::count_if(answers.begin(), answers.end(),
                                      [](const auto& answer) { return answer.has_value(); });
  EXPECT_EQ(answered, 2);
  EXPECT_THAT(*answers.front(), SizeIs(400));
  EXPECT_THAT(*ReadListsOfStates(connection, names, {Keys(2000, "one")}).front(), SizeIs(2000));

  HoldReads();
  std::vector<Pending<States>> lists_of_states;
  for (size_t i = 0; i < lists.size(); ++i) {
    Keys ids = lists[i];
    ids.resize(ids.size() + i);  // a different key
    store_->ReadArticleStates({}, ids, lists_of_states.emplace_back().callback());
  }
  Release();
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto states = lists_of_states[i].Get();
    ASSERT_TRUE(states.ok()) << states.status();
    EXPECT_THAT(*states, SizeIs(400 + i));
    EXPECT_EQ((*states)[399]->revision, 1);
  }
}

TEST_F(ReadsTest, AStatementReturnsOnlySomeOfTheLargestBodies) {
  const std::string body(kMaxBodyBytes, 'x');
  Keys ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back(absl::StrCat("large-", i));
    ASSERT_TRUE(Publish(MakeArticle(ids.back(), body)).ok());
  }
  postgres::Connection connection(*postgres::CompleteDsn(url_));
  ArticleNames names;
  const auto articles = ReadArticles(connection, names, ids, v1::ARTICLE_VIEW_FULL);
  const auto answered = std::count_if(articles.begin(), articles.end(),
                                      [](const auto& article) { return article.has_value(); });
  EXPECT_EQ(answered, 5);
  EXPECT_EQ(ReadArticles(connection, names, ids, v1::ARTICLE_VIEW_BASIC).back()->value().full,
            false);

  HoldReads();
  std::vector<Pending<std::optional<EncodedArticle>>> answers;
  for (const std::string& id : ids) {
    store_->ReadArticle({}, id, v1::ARTICLE_VIEW_FULL, answers.emplace_back().callback());
  }
  Release();
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto article = answers[i].Get();
    ASSERT_TRUE(article.ok() && *article) << article.status();
    EXPECT_EQ(Decode(**article, v1::ARTICLE_VIEW_FULL).body(), body);
    EXPECT_EQ((*article)->state.article_id, ids[i]);
  }
}

TEST_F(ReadsTest, ManyReadersAtOnceGetWhatTheyAskedFor) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("a", i), absl::StrCat("Text ", i))).ok());
  }
  std::vector<std::jthread> readers;
  for (int reader = 0; reader < 8; ++reader) {
    readers.emplace_back([this, reader] {
      for (int i = 0; i < 100; ++i) {
        const int number = (reader * 7 + i) % 25;
        const auto article = Read(absl::StrCat("a", number));
        ASSERT_TRUE(article.ok()) << article.status();
        ASSERT_EQ(article->has_value(), number < 20);
        if (*article) {
          EXPECT_EQ(Decode(**article, v1::ARTICLE_VIEW_FULL).body(), absl::StrCat("Text ", number));
        }
      }
    });
  }
}

// The cache takes a read of an article that is under way for long as a sign that the database is
// away. A page of comments says nothing about that: it may be slow, or wait for a lock.
TEST_F(ReadsTest, OnlyReadsOfArticlesHaveAStart) {
  ASSERT_TRUE(Publish(MakeArticle("story", "Text")).ok());
  EXPECT_EQ(store_->OldestReadStart(), SteadyTime::InfiniteFuture());
  session_.Run("BEGIN; LOCK TABLE comment");
  Pending<CommentPage> page;
  store_->ListComments({}, {.article_id = "story", .page_size = 1}, page.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  EXPECT_EQ(store_->OldestReadStart(), SteadyTime::InfiniteFuture());
  session_.Run("ROLLBACK");
  EXPECT_TRUE(page.Get().ok());

  session_.Run("BEGIN; LOCK TABLE article_state");
  store_->ReadArticleState({}, "story", held_.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  EXPECT_NE(store_->OldestReadStart(), SteadyTime::InfiniteFuture());
  Release();
  EXPECT_EQ(store_->OldestReadStart(), SteadyTime::InfiniteFuture());
}

}  // namespace
}  // namespace content::store
