// Reads that wait for a connection are done together.

#include "postgres/batch.h"

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/hold.h"
#include "postgres/pool.h"
#include "store/articles/read.h"
#include "store/columns.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Optional;
using ::testing::SizeIs;
using Keys = std::vector<std::string>;

// Asks for texts, which the database doubles.
class BatchTest : public ::testing::Test {
 protected:
  using TextBatch = postgres::Batch<std::string, std::string>;

  // What was asked of the database, one list for each statement.
  std::vector<Keys> Statements() {
    const std::lock_guard lock(mutex_);
    return statements_;
  }

  postgres::Answers<std::string> Double(postgres::Connection& connection, const Keys& keys) {
    {
      const std::lock_guard lock(mutex_);
      statements_.push_back(keys);
    }
    postgres::Answers<std::string> answers;
    for (const auto& row : connection.Read(
             "SELECT repeat(key, 2) FROM unnest($1::text[]) WITH ORDINALITY AS asked (key, place) "
             "ORDER BY place",
             ArrayParameter(keys))) {
      answers.emplace_back(row[0].c_str());
    }
    return answers;
  }

  std::future<absl::StatusOr<std::string>> Ask(const std::string& key, CallContext context = {}) {
    auto answer = std::make_shared<std::promise<absl::StatusOr<std::string>>>();
    batch_->Read(std::move(context), key, [answer](absl::StatusOr<std::string> text) {
      answer->set_value(std::move(text));
    });
    return answer->get_future();
  }

  void OpenPool(postgres::Pool::Options options) { pool_.emplace(std::move(options)); }
  void OpenPool() { OpenPool({.name = "test", .url = url_}); }

  // The reads of a test do `work`.
  void UseWork(TextBatch::Work work) { batch_.emplace(*pool_, std::move(work)); }

  void UseDouble() {
    UseWork([this](postgres::Connection& connection, const Keys& keys) {
      return Double(connection, keys);
    });
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
  std::mutex mutex_;
  std::vector<Keys> statements_;
  std::optional<TextBatch> batch_;  // outlives the pool
  std::optional<postgres::Pool> pool_;
};

TEST_F(BatchTest, WhoComesAloneDoesNotWait) {
  OpenPool();
  UseDouble();
  EXPECT_EQ(*Ask("a").get(), "aa");
  EXPECT_EQ(*Ask("b").get(), "bb");
  EXPECT_THAT(Statements(), ElementsAre(Keys{"a"}, Keys{"b"}));
}

TEST_F(BatchTest, WhatWaitsIsDoneByOneStatement) {
  OpenPool();
  UseDouble();
  std::map<std::string, std::future<absl::StatusOr<std::string>>> answers;
  {
    const postgres::Hold hold(*pool_);
    for (const char* key : {"a", "b", "c", "d"}) answers[key] = Ask(key);
  }
  for (auto& [key, answer] : answers) EXPECT_EQ(*answer.get(), key + key);
  EXPECT_THAT(Statements(), ElementsAre(Keys{"a", "b", "c", "d"}));
}

TEST_F(BatchTest, AStampedeForOneKeyReadsItOnce) {
  OpenPool();
  UseDouble();
  std::vector<std::future<absl::StatusOr<std::string>>> answers;
  {
    const postgres::Hold hold(*pool_);
    for (int i = 0; i < 60; ++i) answers.push_back(Ask("a"));
  }
  for (auto& answer : answers) EXPECT_EQ(*answer.get(), "aa");
  EXPECT_THAT(Statements(), ElementsAre(Keys{"a"}));
}

TEST_F(BatchTest, NoStatementIsForAllTheWorld) {
  OpenPool();
  UseDouble();
  std::vector<std::future<absl::StatusOr<std::string>>> answers;
  {
    const postgres::Hold hold(*pool_);
    for (int i = 0; i < 500; ++i) answers.push_back(Ask(absl::StrCat(i)));
  }
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(*answers[i].get(), absl::StrCat(i, i));
  }
  EXPECT_THAT(Statements(), AllOf(SizeIs(Ge(4)), SizeIs(Le(50)), ::testing::Each(SizeIs(Le(128)))));
}

TEST_F(BatchTest, ASlowStatementHoldsUpOnlyThoseWhoAreInIt) {
  OpenPool({.name = "test", .url = url_, .connections = 2});
  std::promise<void> slow_begun;
  std::promise<void> slow_ends;
  UseWork([&, end = slow_ends.get_future().share()](postgres::Connection& connection,
                                                    const Keys& keys) {
    if (keys.front() == "slow") {
      slow_begun.set_value();
      end.wait();
    }
    return Double(connection, keys);
  });
  auto slow = Ask("slow");
  slow_begun.get_future().wait();
  EXPECT_EQ(*Ask("quick").get(), "quickquick");
  slow_ends.set_value();
  EXPECT_EQ(*slow.get(), "slowslow");
}

TEST_F(BatchTest, NothingIsReadForWhoHasGone) {
  OpenPool();
  UseDouble();
  std::future<absl::StatusOr<std::string>> late, gone, there;
  {
    const postgres::Hold hold(*pool_);
    late = Ask("late", {.deadline = SteadyNow() - absl::Seconds(1), .cancelled = {}});
    gone = Ask("gone", {.cancelled = [] { return true; }});
    there = Ask("there");
  }
  EXPECT_EQ(ReasonOf(late.get().status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(ReasonOf(gone.get().status()), "CANCELLED");
  EXPECT_EQ(*there.get(), "therethere");
  EXPECT_EQ(
      ReasonOf(
          Ask("late", {.deadline = SteadyTime::InfinitePast(), .cancelled = {}}).get().status()),
      "DEADLINE_EXCEEDED");
  EXPECT_THAT(Statements(), ElementsAre(Keys{"there"}));
}

TEST_F(BatchTest, AStatementIsGivenUntilTheLatestDeadline) {
  OpenPool({.name = "test", .url = url_, .statement_timeout = absl::Minutes(10)});
  UseWork([](postgres::Connection& connection, const Keys& keys) {
    const std::string timeout =
        connection.Read("SELECT current_setting('statement_timeout')")[0][0].c_str();
    return postgres::Answers<std::string>(keys.size(), timeout);
  });
  const SteadyTime now = SteadyNow();
  std::future<absl::StatusOr<std::string>> early, late;
  {
    const postgres::Hold hold(*pool_);
    early = Ask("a", {.deadline = now + absl::Seconds(40), .cancelled = {}});
    late = Ask("b", {.deadline = now + absl::Seconds(100), .cancelled = {}});
  }
  EXPECT_EQ(*early.get(), "131072ms");
  EXPECT_EQ(*late.get(), "131072ms");
}

TEST_F(BatchTest, WhatMakesAStatementFailFailsAlone) {
  OpenPool();
  UseWork([this](postgres::Connection& connection, const Keys& keys) {
    connection.Read("SELECT $1::text[]::integer[]", ArrayParameter(keys));
    return Double(connection, keys);
  });
  std::future<absl::StatusOr<std::string>> first, bad, last;
  {
    const postgres::Hold hold(*pool_);
    first = Ask("1");
    bad = Ask("no number");
    last = Ask("2");
  }
  EXPECT_EQ(*first.get(), "11");
  EXPECT_EQ(ReasonOf(bad.get().status()), "INVALID_REQUEST");
  EXPECT_EQ(*last.get(), "22");
  EXPECT_THAT(Statements(), ElementsAre(Keys{"1"}, Keys{"2"}));
}

TEST_F(BatchTest, ALostConnectionIsRepairedForAll) {
  OpenPool();
  bool lost = false;
  UseWork([&](postgres::Connection& connection, const Keys& keys) {
    if (!std::exchange(lost, true))
      connection.Read("SELECT pg_terminate_backend(pg_backend_pid())");
    return Double(connection, keys);
  });
  std::future<absl::StatusOr<std::string>> first, second;
  {
    const postgres::Hold hold(*pool_);
    first = Ask("a");
    second = Ask("b");
  }
  EXPECT_EQ(*first.get(), "aa");
  EXPECT_EQ(*second.get(), "bb");
  EXPECT_THAT(Statements(), ElementsAre(Keys{"a", "b"}));
}

TEST_F(BatchTest, WithoutADatabaseAllFailTogether) {
  OpenPool();
  std::vector<Keys> asked;
  UseWork([&asked](postgres::Connection& connection, const Keys& keys) {
    asked.push_back(keys);
    connection.Read("SELECT pg_terminate_backend(pg_backend_pid())");
    return postgres::Answers<std::string>();
  });
  std::future<absl::StatusOr<std::string>> first, second;
  {
    const postgres::Hold hold(*pool_);
    first = Ask("a");
    second = Ask("b");
  }
  EXPECT_EQ(ReasonOf(first.get().status()), "STORE_UNAVAILABLE");
  EXPECT_EQ(ReasonOf(second.get().status()), "STORE_UNAVAILABLE");
  EXPECT_THAT(asked, ElementsAre(Keys{"a", "b"}, Keys{"a", "b"}))
      << "once more, and not one by one";
}

TEST_F(BatchTest, WhatIsNotAnsweredIsReadAgain) {
  OpenPool();
  UseWork([this](postgres::Connection& connection, const Keys& keys) {
    postgres::Answers<std::string> answers = Double(connection, keys);
    for (size_t i = 1; i < answers.size(); ++i) answers[i].reset();
    return answers;
  });
  std::vector<std::future<absl::StatusOr<std::string>>> answers;
  {
    const postgres::Hold hold(*pool_);
    for (const char* key : {"a", "b", "b", "c"}) answers.push_back(Ask(key));
  }
  Keys texts;
  for (auto& answer : answers) texts.push_back(*answer.get());
  EXPECT_THAT(texts, ElementsAre("aa", "bb", "bb", "cc"));
  EXPECT_THAT(Statements(), ElementsAre(Keys{"a", "b", "c"}, Keys{"b", "c"}, Keys{"c"}));
  EXPECT_EQ(pool_->GetStats().waiting_calls, 0);
}

TEST_F(BatchTest, CallsThatWaitAreCountedAndTooManyRefused) {
  OpenPool({.name = "test", .url = url_, .queue_limit = 3});
  UseDouble();
  std::vector<std::future<absl::StatusOr<std::string>>> answers;
  {
    const postgres::Hold hold(*pool_);
    for (const char* key : {"a", "a", "b"}) answers.push_back(Ask(key));
    EXPECT_EQ(pool_->GetStats().waiting_calls, 3);
    EXPECT_EQ(ReasonOf(Ask("c").get().status()), "OVERLOADED") << "at once";
    EXPECT_EQ(pool_->GetStats().waiting_calls, 3);
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(pool_->GetStats().waiting_calls, 0);
}

TEST_F(BatchTest, WhoWaitsWhenThePoolEndsHasAnAnswer) {
  OpenPool();
  UseDouble();
  std::vector<std::future<absl::StatusOr<std::string>>> answers;
  std::optional<postgres::Hold> hold(*pool_);
  for (int i = 0; i < 200; ++i) answers.push_back(Ask(absl::StrCat(i)));
  std::jthread end([&hold] { hold.reset(); });
  pool_.reset();
  for (auto& answer : answers) {
    const auto text = answer.get();
    if (text.ok()) continue;
    EXPECT_EQ(ReasonOf(text.status()), "STORE_UNAVAILABLE");
  }
}

// ---- What the store reads in batches ----

class ReadsTest : public StoreTest {
 protected:
  // One connection, which waits for a lock until `release` is called, as do all reads by then.
  void HoldReads() {
    store_ = *NewPostgresStore({.url = url_, .read_connections = 1});
    session_.Run("BEGIN; LOCK TABLE article_name");
    store_->ReadArticleState(
        {}, "first", [this](absl::StatusOr<std::optional<ArticleState>>) { held_.set_value(); });
    testing::AwaitWaitersForLocks(url_, 1);
  }

  void Release() {
    session_.Run("ROLLBACK");
    held_.get_future().wait();
  }

  testing::Session session_{url_};
  std::promise<void> held_;
};

template <class T>
std::pair<Callback<T>, std::future<absl::StatusOr<T>>> Expect() {
  auto answer = std::make_shared<std::promise<absl::StatusOr<T>>>();
  auto future = answer->get_future();
  return {[answer](absl::StatusOr<T> value) { answer->set_value(std::move(value)); },
          std::move(future)};
}

TEST_F(ReadsTest, EveryReadOfABatchHasItsOwnAnswer) {
  ASSERT_TRUE(Publish(MakeArticle("one", "# A\n\nfirst")).ok());
  ASSERT_TRUE(Publish(MakeArticle("two", "# B\n\nsecond")).ok());
  ASSERT_TRUE(Rename({.id = "two", .new_id = "deux"}).ok());
  const std::string comment = Add("one", "a comment");
  const CommentRef there = *ParseCommentName(comment);
  const std::string missing_id = "01980000-0000-7000-8000-000000000000";

  HoldReads();
  std::map<std::pair<std::string, v1::ArticleView>,
           std::future<absl::StatusOr<std::optional<EncodedArticle>>>>
      articles;
  std::map<std::string, std::future<absl::StatusOr<std::optional<ArticleState>>>> states;
  for (const char* id : {"one", "two", "deux", "none"}) {
    for (const auto view : {v1::ARTICLE_VIEW_BASIC, v1::ARTICLE_VIEW_FULL}) {
      auto [done, answer] = Expect<std::optional<EncodedArticle>>();
      store_->ReadArticle({}, id, view, std::move(done));
      articles[{id, view}] = std::move(answer);
    }
    auto [done, answer] = Expect<std::optional<ArticleState>>();
    store_->ReadArticleState({}, id, std::move(done));
    states[id] = std::move(answer);
  }
  std::vector<std::future<absl::StatusOr<v1::Comment>>> comments;
  for (const auto& [ref, min_revision] :
       {std::pair(there, 0), std::pair(there, 2), std::pair(there, 3),
        std::pair(CommentRef{"one", missing_id}, 0), std::pair(CommentRef{"none", missing_id}, 0),
        std::pair(CommentRef{"deux", there.comment_id}, 0)}) {
    auto [done, answer] = Expect<v1::Comment>();
    store_->GetComment({}, ref, min_revision, std::move(done));
    comments.push_back(std::move(answer));
  }
  using States = std::vector<std::optional<ArticleState>>;
  std::vector<std::future<absl::StatusOr<States>>> lists;
  for (const Keys& ids : {Keys{"deux", "none", "one"}, Keys{"one"}, Keys{}}) {
    auto [done, answer] = Expect<States>();
    store_->ReadArticleStates({}, ids, std::move(done));
    lists.push_back(std::move(answer));
  }
  Release();

  for (auto& [asked, answer] : articles) {
    const auto& [id, view] = asked;
    const auto article = answer.get();
    ASSERT_TRUE(article.ok()) << article.status();
    EXPECT_EQ(article->has_value(), id != "none");
    if (!*article) continue;
    const v1::Article message = Decode(**article, view);
    EXPECT_EQ(message.name(), id == "one" ? "articles/one" : "articles/deux");
    EXPECT_EQ(message.body(), view == v1::ARTICLE_VIEW_BASIC ? ""
                              : id == "one"                  ? "# A\n\nfirst"
                                                             : "# B\n\nsecond");
  }
  EXPECT_EQ((*states["one"].get())->article_id, "one");
  EXPECT_EQ((*states["two"].get())->article_id, "two");
  EXPECT_EQ((*states["deux"].get())->article_id, "two");
  EXPECT_FALSE(*states["none"].get());
  const char* const expected[] = {"",
                                  "",
                                  "REVISION_NOT_REACHED",
                                  "COMMENT_NOT_FOUND",
                                  "ARTICLE_NOT_FOUND",
                                  "COMMENT_NOT_FOUND"};
  for (size_t i = 0; i < comments.size(); ++i) {
    const auto answer = comments[i].get();
    EXPECT_EQ(ReasonOf(answer.status()), expected[i]) << i;
    if (answer.ok()) {
      EXPECT_EQ(answer->name(), comment);
    }
  }
  const auto at_two = Optional(Field(&ArticleState::revision, 2));
  EXPECT_THAT(*lists[0].get(), ElementsAre(at_two, Eq(std::nullopt), at_two));
  EXPECT_THAT(*lists[1].get(), ElementsAre(at_two));
  EXPECT_THAT(*lists[2].get(), IsEmpty());
}

TEST_F(ReadsTest, AStatementTakesAFewOfTheLongestLists) {
  ASSERT_TRUE(Publish(MakeArticle("one")).ok());
  const std::vector<Keys> lists(5, Keys(400, "one"));
  postgres::Connection connection(*postgres::CompleteDsn(url_));
  const auto answers = ReadListsOfStates(connection, lists);
  const auto answered = std::count_if(answers.begin(), answers.end(),
                                      [](const auto& answer) { return answer.has_value(); });
  EXPECT_EQ(answered, 2);
  EXPECT_THAT(*answers.front(), SizeIs(400));
  EXPECT_THAT(*ReadListsOfStates(connection, {Keys(2000, "one")}).front(), SizeIs(2000));

  HoldReads();
  using States = std::vector<std::optional<ArticleState>>;
  std::vector<std::future<absl::StatusOr<States>>> lists_of_states;
  for (size_t i = 0; i < lists.size(); ++i) {
    Keys ids = lists[i];
    ids.resize(ids.size() + i);  // another key, and so another read
    auto [done, answer] = Expect<States>();
    store_->ReadArticleStates({}, ids, std::move(done));
    lists_of_states.push_back(std::move(answer));
  }
  Release();
  for (size_t i = 0; i < lists.size(); ++i) {
    const auto states = lists_of_states[i].get();
    ASSERT_TRUE(states.ok()) << states.status();
    EXPECT_THAT(*states, SizeIs(400 + i));
    EXPECT_EQ((*states)[399]->revision, 1);
  }
}

TEST_F(ReadsTest, AStatementAnswersWithAFewBodiesOfTheLargest) {
  const std::string body(kMaxBodyBytes, 'x');
  Keys ids;
  for (int i = 0; i < 8; ++i) {
    ids.push_back(absl::StrCat("large-", i));
    ASSERT_TRUE(Publish(MakeArticle(ids.back(), body)).ok());
  }
  postgres::Connection connection(*postgres::CompleteDsn(url_));
  const auto articles = ReadArticles(connection, ids, v1::ARTICLE_VIEW_FULL);
  const auto answered = std::count_if(articles.begin(), articles.end(),
                                      [](const auto& article) { return article.has_value(); });
  EXPECT_EQ(answered, 5);
  EXPECT_EQ(ReadArticles(connection, ids, v1::ARTICLE_VIEW_BASIC).back()->value().full, false);

  HoldReads();
  std::vector<std::future<absl::StatusOr<std::optional<EncodedArticle>>>> answers;
  for (const std::string& id : ids) {
    auto [done, answer] = Expect<std::optional<EncodedArticle>>();
    store_->ReadArticle({}, id, v1::ARTICLE_VIEW_FULL, std::move(done));
    answers.push_back(std::move(answer));
  }
  Release();
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto article = answers[i].get();
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

}  // namespace
}  // namespace content::store
