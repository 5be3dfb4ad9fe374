// A Coalescer on a real pool. See unit/postgres for tests without a database.

#include "postgres/coalescer.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/await.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/bulk.h"
#include "postgres/connection.h"
#include "postgres/dsn.h"
#include "postgres/hold.h"
#include "postgres/known_database.h"
#include "postgres/pool.h"
#include "postgres/read_policy.h"
#include "support/database.h"
#include "support/pending.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using testing::Pending;
using Keys = std::vector<std::string>;

class CoalescerTest : public ::testing::Test {
 protected:
  using Reads = Coalescer<ReadPolicy<std::string, std::string>>;

  void Open(Pool::Options options) {
    options.name = "test";
    options.database =
        std::make_shared<KnownDatabase>(*CompleteDsn(testing::NewDatabase(/*migrated=*/false)));
    pool_.emplace(std::move(options));
  }

  void Add(const std::string& key, CallContext context = {}) {
    reads_.Add(std::move(context), key, answers_[key].callback());
  }

  // Asks the database for each key twice over.
  Answers<std::string> Double(Connection& connection, const Keys& keys) {
    statements_.push_back(keys);
    std::string array;
    for (const std::string& key : keys) AppendToArray(key, array);
    Answers<std::string> answers;
    for (const Row row : connection.Read(
             "SELECT repeat(key, 2) FROM unnest($1::text[]) WITH ORDINALITY AS asked (key, place) "
             "ORDER BY place",
             array + "}")) {
      answers.emplace_back(row[0].as<std::string>());
    }
    return answers;
  }

  std::function<Answers<std::string>(Connection&, const Keys&)> work_ =
      [this](Connection& connection, const Keys& keys) { return Double(connection, keys); };
  std::vector<Keys> statements_;
  std::map<std::string, Pending<std::string>> answers_;
  // Outlives the pool.
  Reads reads_{*pool_, {[this](Connection& connection, const Keys& keys) {
                 return work_(connection, keys);
               }}};
  std::optional<Pool> pool_;
};

TEST_F(CoalescerTest, WaitingReadsShareAStatement) {
  Open({});
  {
    const Hold hold(*pool_);
    for (const char* key : {"a", "b", "c"}) Add(key);
    EXPECT_EQ(pool_->GetStats().waiting_calls, 3);
  }
  for (auto& [key, answer] : answers_) EXPECT_EQ(*answer.Get(), key + key);
  EXPECT_THAT(statements_, ElementsAre(Keys{"a", "b", "c"}));
  EXPECT_EQ(pool_->GetStats().waiting_calls, 0);
}

TEST_F(CoalescerTest, EachRequestLearnsTheStepsOfItsBatch) {
  Open({});
  const auto sampled = std::make_shared<CallTrace>(TraceContext{
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .parent_id = "", .is_sampled = true});
  const auto logged = std::make_shared<CallTrace>(TraceContext{});
  work_ = [](Connection& connection, const Keys& keys) {
    const auto query = connection.Read("SELECT current_query()")[0][0].as<std::string>();
    return Answers<std::string>(keys.size(), query);
  };
  {
    const Hold hold(*pool_);
    Add("a");
    Add("b", {.trace = logged});
    Add("c", {.trace = sampled});
  }
  for (auto& [key, answer] : answers_) {
    EXPECT_EQ(*answer.Get(),
              "/*trace_id='4bf92f3577b34da6a3ce929d0e0e4736'*/ SELECT current_query()");
  }
  for (const auto& trace : {sampled, logged}) {
    EXPECT_EQ(trace->LargestBatch(), 3U);
    EXPECT_GT(trace->Total(CallTrace::Kind::kQueue), absl::ZeroDuration());
    EXPECT_GT(trace->Total(CallTrace::Kind::kDatabase), absl::ZeroDuration());
  }
}

TEST_F(CoalescerTest, AStatementHasUntilTheLatestDeadlineOfItsCallers) {
  Open({.statement_timeout = absl::Minutes(10)});
  work_ = [](Connection& connection, const Keys& keys) {
    const auto timeout =
        connection.Read("SELECT current_setting('statement_timeout')")[0][0].as<std::string>();
    return Answers<std::string>(keys.size(), timeout);
  };
  {
    const Hold hold(*pool_);
    Add("early", {.deadline = SteadyNow() + absl::Seconds(40)});
    Add("late", {.deadline = SteadyNow() + absl::Seconds(100)});
  }
  for (auto& [key, answer] : answers_) EXPECT_EQ(*answer.Get(), "131072ms");
}

TEST_F(CoalescerTest, AReadThatTheDatabaseRefusesFailsAlone) {
  Open({});
  work_ = [this](Connection& connection, const Keys& keys) {
    for (const std::string& key : keys) connection.Read("SELECT $1::integer", key);
    return Double(connection, keys);
  };
  {
    const Hold hold(*pool_);
    for (const char* key : {"1", "not a number", "2"}) Add(key);
  }
  EXPECT_EQ(*answers_["1"].Get(), "11");
  EXPECT_EQ(ReasonOf(answers_["not a number"].Get().status()), "INVALID_REQUEST");
  EXPECT_EQ(*answers_["2"].Get(), "22");
}

TEST_F(CoalescerTest, ALostConnectionIsReplacedForAll) {
  Open({});
  bool lost = false;
  work_ = [&](Connection& connection, const Keys& keys) {
    if (!std::exchange(lost, true)) connection.Run("SELECT pg_terminate_backend(pg_backend_pid())");
    return Double(connection, keys);
  };
  {
    const Hold hold(*pool_);
    for (const char* key : {"a", "b"}) Add(key);
  }
  for (auto& [key, answer] : answers_) EXPECT_EQ(*answer.Get(), key + key);
  EXPECT_THAT(statements_, ElementsAre(Keys{"a", "b"}));
}

TEST_F(CoalescerTest, WithoutADatabaseAllFailTogether) {
  Open({});
  work_ = [this](Connection& connection, const Keys& keys) {
    statements_.push_back(keys);
    connection.Run("SELECT pg_terminate_backend(pg_backend_pid())");
    return Answers<std::string>();
  };
  {
    const Hold hold(*pool_);
    for (const char* key : {"a", "b"}) Add(key);
  }
  for (auto& [key, answer] : answers_)
    EXPECT_EQ(ReasonOf(answer.Get().status()), "STORE_UNAVAILABLE");
  EXPECT_THAT(statements_, ElementsAre(Keys{"a", "b"}, Keys{"a", "b"})) << "and not one by one";
}

TEST_F(CoalescerTest, ReadsDoNotWaitForStuckJobs) {
  Open({.connections = 4, .prompt_connections = 2});
  const Hold first(*pool_);
  const Hold second(*pool_);
  Pending<void> third;
  pool_->Read(
      {}, Pace::kAny, [](Connection&) { return absl::OkStatus(); }, third.callback());
  Add("a");
  EXPECT_EQ(*answers_["a"].Get(), "aa");
  EXPECT_FALSE(third.is_answered());
}

TEST_F(CoalescerTest, CallersWhoMayRunReadsDoThoseOfOthersToo) {
  Open({.connections = 2, .prompt_connections = 1});
  work_ = [](Connection& connection, const Keys& keys) {
    const auto one = connection.Read("SELECT '1'")[0][0].as<std::string>();
    Answers<std::string> answers;
    for (const std::string& key : keys) answers.emplace_back(key + one);
    return answers;
  };
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([this, caller] {
      for (int i = 0; i < 1000; ++i) {
        const std::string key = absl::StrCat(caller, " ", i, " ");
        const auto answer = Await<std::string>([&](Callback<std::string> done) {
          reads_.Add({.may_run_here = i % 4 != caller}, key, std::move(done));
        });
        ASSERT_TRUE(answer.ok()) << answer.status();
        EXPECT_EQ(*answer, key + "1");
      }
    });
  }
}

TEST_F(CoalescerTest, WaitingReadsAreAnsweredWhenThePoolEnds) {
  Open({.connections = 0});
  for (int i = 0; i < 200; ++i) Add(absl::StrCat(i));
  pool_.reset();
  for (auto& [key, answer] : answers_)
    EXPECT_EQ(ReasonOf(answer.Get().status()), "STORE_UNAVAILABLE");
}

}  // namespace
}  // namespace content::postgres
