#include "postgres/pool.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/await.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/detour.h"
#include "postgres/dsn.h"
#include "postgres/hold.h"
#include "postgres/transaction.h"
#include "support/await_that.h"
#include "support/database.h"
#include "support/fake_clock.h"
#include "support/pending.h"
#include "support/postgres_server.h"

namespace content::postgres {
namespace {

using ::testing::ElementsAre;
using testing::Pending;

class PoolTest : public ::testing::Test {
 protected:
  void Open(Pool::Options options) {
    options.name = "test";
    options.database = std::make_shared<KnownDatabase>(*CompleteDsn(url_));
    pool_.emplace(std::move(options));
  }

  using ReadFunction = std::function<absl::StatusOr<std::string>(Connection&)>;

  absl::StatusOr<std::string> Read(ReadFunction read, CallContext context = {}) {
    return Await<std::string>([&](Callback<std::string> done) {
      pool_->Read(std::move(context), Pace::kAny, std::move(read), std::move(done));
    });
  }

  // A read of one value.
  absl::StatusOr<std::string> Read(const std::string& sql, CallContext context = {}) {
    return Read(
        [sql](Connection& connection) -> absl::StatusOr<std::string> {
          return connection.Read(sql)[0][0].as<std::string>();
        },
        std::move(context));
  }

  void AwaitIdle() {
    testing::AwaitThat([this] { return pool_->GetStats().busy_connections == 0; });
  }

  // Waits until a session, given by the id of its process, has ended.
  void AwaitEndOf(const std::string& backend) {
    testing::AwaitThat([&] {
      return testing::Query(url_, "SELECT count(*) FROM pg_stat_activity WHERE pid = " + backend) ==
             "0";
    });
  }

  const std::string url_ = testing::NewDatabase(/*migrated=*/false);
  testing::FakeClock clock_;
  std::optional<Pool> pool_;
};

TEST_F(PoolTest, AnswersWithWhatAJobReturns) {
  Open({});
  EXPECT_EQ(*Read("SELECT 'text'"), "text");
  const auto error = Read(
      [](Connection&) -> absl::StatusOr<std::string> { return absl::NotFoundError("not there"); });
  EXPECT_EQ(error.status(), absl::NotFoundError("not there"));
}

TEST_F(PoolTest, AnExceptionOfAJobIsAnInternalError) {
  Open({});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection&) -> absl::StatusOr<std::string> {
    ++attempts;
    throw std::runtime_error("made up");
  });
  EXPECT_EQ(ReasonOf(answer.status()), "INTERNAL");
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(ReasonOf(Read("SELECT NULL").status()), "INTERNAL");
  EXPECT_EQ(*Read("SELECT 'text'"), "text") << "the connection can still be used";
}

TEST_F(PoolTest, AJobThatLeavesATransactionOpenDoesNotHarmTheNext) {
  Open({});
  const auto answer = Read([](Connection& connection) -> absl::StatusOr<std::string> {
    connection.Run("BEGIN");
    return connection.Read("SELECT 1 / 0")[0][0].as<std::string>();
  });
  EXPECT_EQ(ReasonOf(answer.status()), "INVALID_REQUEST");
  EXPECT_EQ(*Read("SELECT 'text'"), "text");
}

TEST_F(PoolTest, ASnapshotThatCannotBeEndedDoesNotHarmTheNextJob) {
  Open({});
  const auto answer = Read([this](Connection& connection) -> absl::StatusOr<std::string> {
    const Snapshot snapshot(connection);
    std::string backend = connection.Read("SELECT pg_backend_pid()")[0][0].as<std::string>();
    testing::Query(url_, "SELECT pg_terminate_backend(" + backend + ")");
    return backend;
  });
  EXPECT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*Read("SELECT 'text'"), "text");
}

TEST_F(PoolTest, RunsNothingForCallersWhoHaveGivenUp) {
  Open({.clock = &clock_});
  bool has_run = false;
  const ReadFunction read = [&has_run](Connection&) {
    has_run = true;
    return "";
  };
  EXPECT_EQ(ReasonOf(Read(read, {.deadline = clock_.Now()}).status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(ReasonOf(Read(read, {.cancelled = [] { return true; }}).status()), "CANCELLED");
  EXPECT_FALSE(has_run);
}

TEST_F(PoolTest, TellsTheStepsOfACallToItsTrace) {
  Open({});
  const auto trace = std::make_shared<CallTrace>(TraceContext{
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736", .parent_id = "", .is_sampled = true});
  EXPECT_EQ(*Read("SELECT current_query()", {.trace = trace}),
            "/*trace_id='4bf92f3577b34da6a3ce929d0e0e4736'*/ SELECT current_query()");
  std::vector<CallTrace::Kind> kinds;
  for (const CallTrace::Step& step : trace->Steps()) {
    kinds.push_back(step.kind);
    EXPECT_LE(step.start, step.end);
  }
  EXPECT_EQ(kinds.front(), CallTrace::Kind::kQueue);
  EXPECT_EQ(kinds.back(), CallTrace::Kind::kDatabase);
  EXPECT_THAT(kinds, ::testing::Contains(CallTrace::Kind::kStatement));
  EXPECT_EQ(*Read("SELECT current_query()"), "SELECT current_query()");
}

TEST_F(PoolTest, TellsHowLongACallWaitedThatWasNotServed) {
  Open({});
  const auto trace = std::make_shared<CallTrace>(TraceContext{});
  Pending<std::string> answer;
  {
    const Hold hold(*pool_);
    pool_->Read(
        CallContext{.trace = trace}, Pace::kAny,
        [](Connection&) -> absl::StatusOr<std::string> { return ""; }, answer.callback());
    pool_->RefuseWaiting();
  }
  EXPECT_FALSE(answer.Get().ok());
  ASSERT_EQ(trace->Steps().size(), 1U);
  EXPECT_EQ(trace->Steps()[0].kind, CallTrace::Kind::kQueue);
}

TEST_F(PoolTest, RefusesCallsWhenTooManyWait) {
  Open({.queue_limit = 2});
  Pending<std::string> first, second, third;
  {
    const Hold hold(*pool_);
    for (Pending<std::string>* pending : {&first, &second, &third}) {
      pool_->Read(
          {}, Pace::kAny, [](Connection&) -> absl::StatusOr<std::string> { return ""; },
          pending->callback());
    }
    EXPECT_EQ(pool_->GetStats().waiting_calls, 2);
    EXPECT_TRUE(third.is_answered());
  }
  EXPECT_EQ(ReasonOf(third.Get().status()), "OVERLOADED");
  EXPECT_TRUE(first.Get().ok());
  EXPECT_TRUE(second.Get().ok());
  EXPECT_EQ(pool_->GetStats().waiting_calls, 0);
}

// ---- Broken connections ----

TEST_F(PoolTest, AJobThatLosesItsConnectionIsRunAgain) {
  Open({});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection& connection) -> absl::StatusOr<std::string> {
    if (++attempts == 1) connection.Run("SELECT pg_terminate_backend(pg_backend_pid())");
    return "done";
  });
  EXPECT_EQ(*answer, "done");
  EXPECT_EQ(attempts, 2);
}

TEST_F(PoolTest, AJobThatLosesEveryConnectionFails) {
  Open({});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection& connection) -> absl::StatusOr<std::string> {
    ++attempts;
    connection.Run("SELECT pg_terminate_backend(pg_backend_pid())");
    return "done";
  });
  EXPECT_EQ(ReasonOf(answer.status()), "STORE_UNAVAILABLE");
  EXPECT_EQ(attempts, 2);
}

TEST_F(PoolTest, ASessionWhoseJobWasUnavailableIsReplaced) {
  Open({});
  const char* const backend = "SELECT pg_backend_pid()::text";
  const std::string first = *Read(backend);
  EXPECT_EQ(*Read(backend), first);
  EXPECT_FALSE(Read([](Connection&) -> absl::StatusOr<std::string> {
                 return absl::NotFoundError("");
               }).ok());
  EXPECT_EQ(*Read(backend), first);
  EXPECT_FALSE(
      Read([](Connection&) -> absl::StatusOr<std::string> { return StoreUnavailable(); }).ok());
  EXPECT_NE(*Read(backend), first);
}

TEST_F(PoolTest, ASessionThatRefusedAWriteIsReplaced) {
  const std::string database = testing::Query(url_, "SELECT current_database()");
  testing::Query(url_, "CREATE TABLE number (value integer)");
  testing::Query(url_, "ALTER DATABASE " + database + " SET default_transaction_read_only = on");
  Open({.clock = &clock_});
  std::set<int> backends;
  const auto write = [&] {
    return Read([&](Connection& connection) -> absl::StatusOr<std::string> {
      backends.insert(connection.Read("SELECT pg_backend_pid()")[0][0].as<int>());
      Transaction transaction(connection);
      transaction.Queue("INSERT INTO number VALUES (1)");
      transaction.Commit();
      return "written";
    });
  };
  for (int i = 0; i < 3; ++i) {
    const auto answer = write();
    EXPECT_EQ(ReasonOf(answer.status()), "STORE_UNAVAILABLE");
    EXPECT_EQ(answer.status().message(), "the database accepts no writes");
  }
  EXPECT_EQ(backends.size(), 1) << "not too many sessions";
  testing::Query(url_ + " options='-c default_transaction_read_only=off'",
                 "ALTER DATABASE " + database + " RESET default_transaction_read_only");
  clock_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(*write(), "written");
  EXPECT_EQ(backends.size(), 2);
}

// ---- Lifetime ----

constexpr char kSelectBackend[] = "SELECT pg_backend_pid()::text";

TEST_F(PoolTest, AnIdleConnectionIsReplacedAfterItsLifetime) {
  Open({.connection_lifetime = absl::Minutes(30), .clock = &clock_});
  const std::string first = *Read(kSelectBackend);
  clock_.Advance(absl::Minutes(26));
  EXPECT_EQ(*Read(kSelectBackend), first);
  clock_.Advance(absl::Minutes(4));
  AwaitEndOf(first);
  EXPECT_EQ(pool_->GetStats().open_connections, 1);
  EXPECT_NE(*Read(kSelectBackend), first);
}

TEST_F(PoolTest, AConnectionWithoutALifetimeIsKept) {
  Open({.clock = &clock_});
  const std::string first = *Read(kSelectBackend);
  clock_.Advance(absl::Hours(1000));
  EXPECT_EQ(*Read(kSelectBackend), first);
}

TEST_F(PoolTest, AConnectionIsNotReplacedInTheMiddleOfAJob) {
  Open({.connection_lifetime = absl::Minutes(30), .clock = &clock_});
  const auto backends = Read([this](Connection& connection) -> absl::StatusOr<std::string> {
    const std::string before(connection.Read(kSelectBackend)[0][0].text());
    clock_.AwaitWaiters(2);  // the watchdog, and who opens new ones
    clock_.Advance(absl::Hours(1));
    clock_.AwaitWaiters(2);  // a new one is open
    return absl::StrCat(before, " ", connection.Read(kSelectBackend)[0][0].text());
  });
  const std::vector<std::string> both = absl::StrSplit(*backends, ' ');
  EXPECT_EQ(both[0], both[1]);
  EXPECT_NE(*Read(kSelectBackend), both[0]) << "but before the next";
}

void WritePassfile(const std::string& path, const std::string& password) {
  std::ofstream(path) << "*:*:*:app:" << password << "\n";
  std::filesystem::permissions(path, std::filesystem::perms(0600));
}

TEST_F(PoolTest, ANewPasswordTakesHoldAndAWrongOneDoesNoHarm) {
  const testing::PostgresServer server("passwords");
  server.SetRules("local all app scram-sha-256");
  testing::Query(server.url(), "CREATE ROLE app LOGIN PASSWORD 'first'");
  const std::string passfile = testing::ScratchDirectory() + "/passfile";
  WritePassfile(passfile, "first");
  const std::string url = absl::StrCat(server.url(), " user=app passfile=", passfile);
  pool_.emplace(Pool::Options{.name = "test",
                              .database = std::make_shared<KnownDatabase>(*CompleteDsn(url)),
                              .connection_lifetime = absl::Minutes(30),
                              .clock = &clock_});
  const std::string first = *Read(kSelectBackend);

  testing::Query(server.url(), "ALTER ROLE app PASSWORD 'second'");
  ::testing::internal::CaptureStderr();
  clock_.AwaitWaiters(2);
  clock_.Advance(absl::Minutes(30));
  clock_.AwaitWaiters(2);
  EXPECT_EQ(*Read(kSelectBackend), first) << "the old one works";
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::AllOf(::testing::HasSubstr("database connection not renewed"),
                               ::testing::HasSubstr("refuses the user or its password")));

  WritePassfile(passfile, "second");
  clock_.Advance(absl::Minutes(1));
  clock_.AwaitWaiters(2);
  EXPECT_NE(*Read(kSelectBackend), first);
  pool_.reset();
}

TEST_F(PoolTest, ConnectionsServeUntilNewOnesAreOpenWhichHappensOneByOne) {
  const Detour detour(url_);
  pool_.emplace(
      Pool::Options{.name = "test",
                    .database = std::make_shared<KnownDatabase>(*CompleteDsn(detour.url())),
                    .connections = 2,
                    .connection_lifetime = absl::Minutes(30),
                    .clock = &clock_});
  {
    const Hold first(*pool_);
    const Hold second(*pool_);
  }
  AwaitIdle();
  detour.Begin();
  clock_.AwaitWaiters(2);
  clock_.Advance(absl::Minutes(30));
  const int opening = detour.Accept();
  {
    const Hold first(*pool_);
    const Hold second(*pool_);
  }
  EXPECT_TRUE(Waits(opening)) << "it has been waited for";
  EXPECT_FALSE(detour.HasNext());
  close(opening);
}

// ---- A database that hangs ----

TEST_F(PoolTest, ADatabaseThatRefusesConnectionsAnswers) {
  Breaker breaker;
  pool_.emplace(Pool::Options{
      .name = "test",
      .database = std::make_shared<KnownDatabase>(*CompleteDsn(url_ + " dbname=absent")),
      .breaker = &breaker,
      .runs_probes = true});
  const Breaker::Question question(&breaker);
  while (!breaker.is_open()) {
    clock_.Advance(Breaker::kLookInterval);
    breaker.Look(clock_.Now());
  }
  EXPECT_EQ(ReasonOf(Read(kSelectBackend).status()), "STORE_UNAVAILABLE");
  breaker.Look(clock_.Now());
  EXPECT_FALSE(breaker.is_open());
  pool_.reset();
}

TEST_F(PoolTest, WhileTheBreakerIsOpenOnlyProbesRun) {
  Breaker breaker;
  const auto look_for = [&](absl::Duration duration) {
    const SteadyTime end = clock_.Now() + duration;
    while (clock_.Now() < end) {
      clock_.Advance(Breaker::kLookInterval);
      breaker.Look(clock_.Now());
    }
  };
  Pool probes({.name = "probes",
               .database = std::make_shared<KnownDatabase>(*CompleteDsn(url_)),
               .breaker = &breaker,
               .runs_probes = true});
  Open({.breaker = &breaker});
  EXPECT_TRUE(Read(kSelectBackend).ok());
  Pending<std::string> waiting;
  {
    const Hold hangs(*pool_);
    pool_->Read(
        {}, Pace::kAny, [](Connection&) -> absl::StatusOr<std::string> { return ""; },
        waiting.callback());
    look_for(absl::Seconds(10));
    ASSERT_TRUE(breaker.is_open());
    const auto refused = Read(kSelectBackend);
    EXPECT_EQ(ReasonOf(refused.status()), "STORE_UNAVAILABLE");
    EXPECT_EQ(refused.status().message(), "the database does not answer");
    EXPECT_FALSE(waiting.is_answered());
    pool_->RefuseWaiting();
    EXPECT_EQ(ReasonOf(waiting.Get().status()), "STORE_UNAVAILABLE");

    const absl::Status probed = Await<void>([&](Callback<void> done) {
      probes.Read(
          {}, Pace::kAny,
          [](Connection& connection) {
            connection.Read("SELECT 1");
            return absl::OkStatus();
          },
          std::move(done));
    });
    EXPECT_TRUE(probed.ok()) << probed;
    look_for(Breaker::kLookInterval);
    EXPECT_FALSE(breaker.is_open());
  }
  EXPECT_TRUE(Read(kSelectBackend).ok());
  pool_.reset();
}

// ---- Few connections ----

TEST_F(PoolTest, WhereConnectionsAreFewTheyDoAllTheWork) {
  const std::string url = testing::UrlOfNewRole(url_, "CONNECTION LIMIT 2");
  pool_.emplace(Pool::Options{.name = "test",
                              .database = std::make_shared<KnownDatabase>(*CompleteDsn(url)),
                              .connections = 4});
  for (int round = 0; round < 20; ++round) {
    std::vector<Pending<std::string>> answers(8);
    for (auto& answer : answers) {
      pool_->Read<std::string>(
          {}, Pace::kAny,
          [](Connection& connection) -> absl::StatusOr<std::string> {
            return connection.Read("SELECT pg_sleep(0.001)::text")[0][0].as<std::string>();
          },
          answer.callback());
    }
    for (auto& answer : answers) EXPECT_TRUE(answer.Get().ok());
  }
  EXPECT_EQ(pool_->GetStats().open_connections, 2);
}

TEST_F(PoolTest, WithoutAnyConnectionCallersAreTold) {
  const std::string url = testing::UrlOfNewRole(url_, "CONNECTION LIMIT 0");
  pool_.emplace(Pool::Options{.name = "test",
                              .database = std::make_shared<KnownDatabase>(*CompleteDsn(url)),
                              .connections = 4});
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ReasonOf(Read("SELECT 'text'").status()), "STORE_UNAVAILABLE");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("no connection left (max_connections"));
}

class InDoubtTest : public PoolTest {
 protected:
  // Commits fail as if PostgreSQL did not know their outcome.
  void SetUp() override {
    Open({});
    testing::Query(url_,
                   "CREATE TABLE number (value integer);"
                   "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN RAISE 'made up' USING ERRCODE = '08007'; END $$;"
                   "CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON number DEFERRABLE "
                   "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()");
  }

  static void CommitInDoubt(Connection& connection) {
    Transaction transaction(connection);
    transaction.Exec("INSERT INTO number VALUES (1)");
    transaction.Commit();
  }

  // Runs a write whose second attempt is `second`. The first is in doubt.
  absl::Status Write(std::function<absl::Status(Connection&, bool in_doubt)> second) {
    return Await<void>([&](Callback<void> done) {
      pool_->Write(
          {}, Pace::kAny,
          [&, attempts = 0](Connection& connection, bool in_doubt) mutable {
            if (++attempts == 1) {
              EXPECT_FALSE(in_doubt);
              CommitInDoubt(connection);
            }
            return second(connection, in_doubt);
          },
          std::move(done));
    });
  }
};

TEST_F(InDoubtTest, TheSecondAttemptIsToldAndItsAnswerCounts) {
  bool told = false;
  const absl::Status answer = Write([&told](Connection&, bool in_doubt) {
    told = in_doubt;
    return absl::NotFoundError("not there");
  });
  EXPECT_TRUE(told);
  EXPECT_EQ(answer, absl::NotFoundError("not there"));
}

TEST_F(InDoubtTest, AFailureOfTheSecondAttemptLeavesTheOutcomeUnknown) {
  for (const char* statement : {"SELECT 1 / 0", "SELECT pg_terminate_backend(pg_backend_pid())"}) {
    const absl::Status answer = Write([statement](Connection& connection, bool) {
      connection.Run(statement);
      return absl::OkStatus();
    });
    EXPECT_EQ(ReasonOf(answer), "OUTCOME_UNKNOWN") << statement;
  }
}

TEST_F(PoolTest, ConnectsAgainByItsOwnClock) {
  Open({.clock = &clock_});
  std::optional<testing::Outage> outage(url_);
  EXPECT_EQ(ReasonOf(Read("SELECT 'text'").status()), "STORE_UNAVAILABLE");
  outage.reset();
  EXPECT_EQ(ReasonOf(Read("SELECT 'text'").status()), "STORE_UNAVAILABLE") << "too early";
  clock_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(*Read("SELECT 'text'"), "text");
}

TEST_F(PoolTest, ADatabaseThatDoesNotAnswerIsCutOff) {
  Open({.statement_timeout = absl::Minutes(10), .clock = &clock_});
  testing::Session session(url_);
  session.Run("SELECT pg_advisory_lock(1)");
  std::atomic<int> attempts = 0;
  Pending<void> answer;
  pool_->Read(
      {}, Pace::kAny,
      [&attempts](Connection& connection) {
        if (++attempts == 1) connection.Read("SELECT pg_advisory_lock(1)");
        return absl::OkStatus();
      },
      answer.callback());
  testing::AwaitWaitersForLocks(url_, 1);
  clock_.AwaitWaiters(1);  // the pool's watchdog
  clock_.Advance(absl::Minutes(11));
  EXPECT_TRUE(answer.Get().ok());
  EXPECT_EQ(attempts, 2);
}

TEST_F(PoolTest, AJobOfManyStatementsIsNotCutOff) {
  Open({.statement_timeout = absl::Minutes(10), .clock = &clock_});
  int attempts = 0;
  const auto answer = Read([&](Connection& connection) -> absl::StatusOr<std::string> {
    ++attempts;
    for (int i = 0; i < 30; ++i) {
      connection.Read("SELECT 1");
      clock_.Advance(absl::Minutes(10));
    }
    return "done";
  });
  EXPECT_EQ(*answer, "done");
  EXPECT_EQ(attempts, 1);
}

// ---- Statement timeouts ----

TEST_F(PoolTest, AStatementThatIsCancelledBeforeItsTimeIsRunAgain) {
  Open({});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection& connection) -> absl::StatusOr<std::string> {
    if (++attempts == 1) connection.Read("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(9)");
    return "done";
  });
  EXPECT_EQ(*answer, "done");
  EXPECT_EQ(attempts, 2);
}

TEST_F(PoolTest, AStatementThatIsCancelledAgainAndAgainFails) {
  Open({});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection& connection) -> absl::StatusOr<std::string> {
    ++attempts;
    connection.Read("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(9)");
    return "done";
  });
  EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(attempts, 6);
}

TEST_F(PoolTest, AStatementThatTakesItsWholeTimeIsNotRunAgain) {
  Open({.statement_timeout = absl::Milliseconds(20)});
  int attempts = 0;
  const auto answer = Read([&attempts](Connection& connection) -> absl::StatusOr<std::string> {
    ++attempts;
    Transaction transaction(connection);  // whose ROLLBACK is another statement
    transaction.Exec("SELECT pg_sleep(60)");
    return "done";
  });
  EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_EXCEEDED");
  EXPECT_EQ(attempts, 1);
}

TEST_F(PoolTest, AStatementEndsWithTheDeadlineOfItsCaller) {
  Open({.statement_timeout = absl::Hours(1)});
  const auto answer =
      Read("SELECT pg_sleep(600)::text", {.deadline = SteadyNow() + absl::Milliseconds(100)});
  EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_EXCEEDED");
}

TEST_F(PoolTest, AShortDeadlineLeavesTimeToChangeTheTimeout) {
  Open({.clock = &clock_});
  const std::string timeout = "SELECT current_setting('statement_timeout')";
  EXPECT_EQ(*Read(timeout, {.deadline = clock_.Now() + absl::Milliseconds(1)}), "128ms");
  EXPECT_EQ(*Read(timeout, {.deadline = clock_.Now() + absl::Milliseconds(700)}), "1024ms");
  EXPECT_EQ(*Read(timeout), "10s");
}

TEST_F(PoolTest, AShortDeadlineDoesNotReachOtherCallers) {
  Open({.connections = 2});
  std::atomic<bool> ends = false;
  std::vector<std::jthread> hurried;
  for (int i = 0; i < 3; ++i) {
    hurried.emplace_back([&, i] {
      while (!ends) {
        const auto answer =
            Read("SELECT 'text'", {.deadline = SteadyNow() + absl::Milliseconds(1 + i)});
        EXPECT_TRUE(answer.ok() || ReasonOf(answer.status()) == "DEADLINE_EXCEEDED");
      }
    });
  }
  {
    std::vector<std::jthread> patient;
    for (int i = 0; i < 2; ++i) {
      patient.emplace_back([&] {
        for (int call = 0; call < 2000; ++call) {
          const auto answer = Read("SELECT 'text'", {.deadline = SteadyNow() + absl::Seconds(30)});
          EXPECT_TRUE(answer.ok()) << answer.status();
        }
      });
    }
  }
  ends = true;
}

// ---- Which job is next ----

TEST_F(PoolTest, StuckJobsLeavePromptOnesGoing) {
  Open({.connections = 4, .prompt_connections = 2});
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  std::vector<Pending<void>> stuck(4);
  for (Pending<void>& pending : stuck) {
    pool_->Read(
        {}, Pace::kAny,
        [ended](Connection&) {
          ended.wait();
          return absl::OkStatus();
        },
        pending.callback());
  }
  for (int i = 0; i < 20; ++i) {
    const absl::Status prompt = Await<void>([&](Callback<void> done) {
      pool_->Read(
          {}, Pace::kPrompt, [](Connection&) { return absl::OkStatus(); }, std::move(done));
    });
    EXPECT_TRUE(prompt.ok());
  }
  // Until two are connected.
  testing::AwaitThat([this] { return pool_->GetStats().waiting_calls <= 2; });
  EXPECT_EQ(pool_->GetStats().waiting_calls, 2);
  end.set_value();
  for (Pending<void>& pending : stuck) EXPECT_TRUE(pending.Get().ok());
}

TEST_F(PoolTest, WhereConnectionsAreFewStuckJobsLeavePromptOnesGoing) {
  const std::string url = testing::UrlOfNewRole(url_, "CONNECTION LIMIT 2");
  pool_.emplace(Pool::Options{.name = "test",
                              .database = std::make_shared<KnownDatabase>(*CompleteDsn(url)),
                              .connections = 4,
                              .prompt_connections = 2});
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  std::vector<Pending<void>> stuck(4);
  for (Pending<void>& pending : stuck) {
    pool_->Read(
        {}, Pace::kAny,
        [ended](Connection&) {
          ended.wait();
          return absl::OkStatus();
        },
        pending.callback());
  }
  for (int i = 0; i < 20; ++i) {
    Pending<void> prompt;
    pool_->Read(
        {}, Pace::kPrompt, [](Connection&) { return absl::OkStatus(); }, prompt.callback());
    EXPECT_TRUE(prompt.Get().ok());
  }
  end.set_value();
  for (Pending<void>& pending : stuck) EXPECT_TRUE(pending.Get().ok());
}

TEST_F(PoolTest, ASingleConnectionThatIsGrantedDoesAllJobs) {
  const std::string url = testing::UrlOfNewRole(url_, "CONNECTION LIMIT 1");
  pool_.emplace(Pool::Options{.name = "test",
                              .database = std::make_shared<KnownDatabase>(*CompleteDsn(url)),
                              .connections = 4,
                              .prompt_connections = 2});
  // Of sessions that begin at the same time, PostgreSQL may refuse all. This one begins alone.
  EXPECT_TRUE(Read("SELECT 'text'").ok());
  for (int round = 0; round < 100; ++round) {
    std::deque<Pending<void>> answers;
    for (const Pace pace : {Pace::kAny, Pace::kPrompt, Pace::kAny, Pace::kPrompt}) {
      pool_->Read(
          {}, pace, [](Connection&) { return absl::OkStatus(); },
          answers.emplace_back().callback());
    }
    for (Pending<void>& answer : answers) EXPECT_TRUE(answer.Get().ok());
  }
  EXPECT_EQ(pool_->GetStats().open_connections, 1);
}

TEST_F(PoolTest, ASingleConnectionDoesBothKindsOfJobsInTurn) {
  Open({});
  std::vector<int> done;
  std::deque<Pending<void>> answers;
  {
    const Hold hold(*pool_);
    for (int i = 0; i < 6; ++i) {
      pool_->Read(
          {}, i < 3 ? Pace::kAny : Pace::kPrompt,
          [&done, i](Connection&) {
            done.push_back(i);
            return absl::OkStatus();
          },
          answers.emplace_back().callback());
    }
  }
  for (Pending<void>& answer : answers) EXPECT_TRUE(answer.Get().ok());
  EXPECT_THAT(done, ElementsAre(3, 0, 4, 1, 5, 2)) << "after a job that was not prompt";
}

TEST_F(PoolTest, AccountsTakeTurns) {
  Open({});
  std::vector<std::string> done;
  std::deque<Pending<void>> answers;
  {
    const Hold hold(*pool_);
    for (const std::string call : {"a1", "a2", "a3", "b1", "c1", "b2"}) {
      const Account account = static_cast<Account>(call[0]);
      pool_->Read(
          {.account_of = [account] { return account; }}, Pace::kAny,
          [&done, call](Connection&) {
            done.push_back(call);
            return absl::OkStatus();
          },
          answers.emplace_back().callback());
    }
  }
  for (Pending<void>& answer : answers) EXPECT_TRUE(answer.Get().ok());
  EXPECT_THAT(done, ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
}

TEST_F(PoolTest, AnAccountAloneHasHalfOfThePlaces) {
  Open({.queue_limit = 4});
  std::deque<Pending<void>> answers;
  const auto call = [&](Account account) -> Pending<void>& {
    Pending<void>& answer = answers.emplace_back();
    pool_->Read(
        {.account_of = [account] { return account; }}, Pace::kAny,
        [](Connection&) { return absl::OkStatus(); }, answer.callback());
    return answer;
  };
  {
    const Hold hold(*pool_);
    for (const Account account : {1, 1, 2}) EXPECT_FALSE(call(account).is_answered());
    EXPECT_EQ(ReasonOf(call(1).Get()), "OVERLOADED");
    answers.pop_back();
  }
  for (Pending<void>& answer : answers) EXPECT_TRUE(answer.Get().ok());
}

TEST_F(PoolTest, OneJobAfterTheOtherStaysOnOneConnection) {
  constexpr int kConnections = 4;
  Open({.connections = kConnections});
  {  // all of them have begun
    std::deque<Hold> holds;
    for (int i = 0; i < kConnections; ++i) holds.emplace_back(*pool_);
  }
  AwaitIdle();
  std::set<std::string> backends;
  for (int i = 0; i < 20; ++i) {
    backends.insert(*Read("SELECT pg_backend_pid()::text"));
    AwaitIdle();
  }
  EXPECT_EQ(backends.size(), 1);
}

TEST_F(PoolTest, MakesItsPlansAnewEverySoOften) {
  Open({.clock = &clock_});
  const auto last_statement = [this] {
    return testing::Query(url_,
                          "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
                          "AND application_name = 'contentd'");
  };
  const ReadFunction nothing = [](Connection&) { return ""; };
  EXPECT_TRUE(Read("SELECT 'text'").ok());
  EXPECT_TRUE(Read(nothing).ok());
  EXPECT_EQ(last_statement(), "SELECT 'text'");
  clock_.Advance(absl::Seconds(5));
  EXPECT_TRUE(Read(nothing).ok());
  EXPECT_EQ(last_statement(), "DISCARD PLANS");
  EXPECT_EQ(*Read("SELECT 'text'"), "text");
}

// ---- Jobs on callers' threads ----

// The clock stands still, so a job is quick unless it says otherwise.
class CallerThreadTest : public PoolTest {
 protected:
  // Opens a pool with idle connections to a database that was quick.
  void OpenQuick(int connections = 1, absl::Duration lifetime = absl::InfiniteDuration()) {
    Open({.connections = connections,
          .statement_timeout = absl::Hours(24),
          .connection_lifetime = lifetime,
          .clock = &clock_});
    {
      std::deque<Hold> holds;
      for (int i = 0; i < connections; ++i) holds.emplace_back(*pool_, Pace::kPrompt);
    }
    AwaitIdle();
  }

  // Runs a job that the calling thread may run, and returns the thread that did.
  std::thread::id RunJob(
      const std::function<void(Connection&)>& work = [](Connection&) {},
      Pace pace = Pace::kPrompt) {
    std::thread::id runner;
    const absl::Status status = Await<void>([&](Callback<void> done) {
      pool_->Read(
          {.may_run_here = true}, pace,
          [&](Connection& connection) {
            runner = std::this_thread::get_id();
            work(connection);
            return absl::OkStatus();
          },
          std::move(done));
    });
    EXPECT_TRUE(status.ok()) << status;
    return runner;
  }

  // Begins a job and answers with the thread that runs it.
  void Begin(
      Pending<std::thread::id>& runner, Pace pace = Pace::kPrompt,
      std::function<void()> work = [] {}) {
    pool_->Read(
        {}, pace,
        [work = std::move(work)](Connection&) -> absl::StatusOr<std::thread::id> {
          work();
          return std::this_thread::get_id();
        },
        runner.callback());
  }

  const std::thread::id here_ = std::this_thread::get_id();
};

TEST_F(CallerThreadTest, APromptJobRunsThereIfItMay) {
  OpenQuick();
  EXPECT_EQ(RunJob([](Connection& connection) { connection.Read("SELECT 1"); }), here_);
  Pending<std::thread::id> not_allowed;
  Begin(not_allowed);
  EXPECT_NE(*not_allowed.Get(), here_);
  AwaitIdle();
  EXPECT_NE(RunJob([](Connection&) {}, Pace::kAny), here_);
}

TEST_F(CallerThreadTest, AJobNeverConnectsThere) {
  Open({.clock = &clock_});
  EXPECT_NE(RunJob(), here_);
  AwaitIdle();
  EXPECT_EQ(RunJob(), here_);
}

// A job that begins when the database fails over, and tells which thread ends it.
class JobOfFailover : public Pool::Job {
 public:
  JobOfFailover(KnownDatabase& database, std::promise<std::thread::id>& ended)
      : database_(database), ended_(ended) {}

  CallContext Begin() override {
    DatabaseId later = database_.id();
    ++later.timeline;
    database_.Admit(later, "", "");
    return {};
  }
  absl::Status Run(Connection&, bool) override { return absl::OkStatus(); }
  void Finish(absl::Status status) override {
    EXPECT_TRUE(absl::IsUnavailable(status)) << "the old primary is not used";
    ended_.set_value(std::this_thread::get_id());
  }

 private:
  KnownDatabase& database_;
  std::promise<std::thread::id>& ended_;
};

TEST_F(CallerThreadTest, AJobDoesNotConnectThereIfTheDatabaseFailsOver) {
  OpenQuick();
  std::promise<std::thread::id> ended;
  pool_->Schedule(std::make_unique<JobOfFailover>(*pool_->options().database, ended), kOwnWork,
                  Pace::kPrompt,
                  /*may_run_here=*/true);
  EXPECT_NE(ended.get_future().get(), here_);
}

TEST_F(CallerThreadTest, AJobDoesNotRunThereWhileAnotherPromptOneRuns) {
  OpenQuick(2);
  {
    const Hold prompt(*pool_, Pace::kPrompt);
    EXPECT_NE(RunJob(), here_);
  }
  AwaitIdle();
  EXPECT_EQ(RunJob([this](Connection&) {
              Pending<std::thread::id> runner;
              Begin(runner, Pace::kAny);
              EXPECT_NE(*runner.Get(), here_) << "slow jobs have workers of their own";
            }),
            here_);
  AwaitIdle();
  const Hold slow(*pool_, Pace::kAny);
  EXPECT_EQ(RunJob(), here_);
}

TEST_F(CallerThreadTest, AJobThereIsCounted) {
  OpenQuick();
  RunJob([this](Connection&) { EXPECT_EQ(pool_->GetStats().busy_connections, 1); });
  EXPECT_EQ(pool_->GetStats().busy_connections, 0);
}

TEST_F(CallerThreadTest, TheThreadGoesOnWithJobsThatComeMeanwhileUntilItsTimeIsOver) {
  OpenQuick();
  Pending<std::thread::id> second, third;
  const auto pass = [this] { clock_.Advance(absl::Milliseconds(0.6)); };
  EXPECT_EQ(RunJob([&](Connection&) {
              pass();
              Begin(second, Pace::kPrompt, [&] {
                pass();
                Begin(third);
              });
            }),
            here_);
  ASSERT_TRUE(second.is_answered());
  EXPECT_EQ(*second.Get(), here_);
  EXPECT_NE(*third.Get(), here_);
}

TEST_F(CallerThreadTest, JobsThatComeMeanwhileKeepTheirOrderOnASingleConnection) {
  OpenQuick();
  std::vector<Pace> order;
  Pending<std::thread::id> any, prompt;
  EXPECT_EQ(RunJob([&](Connection&) {
              Begin(any, Pace::kAny, [&order] { order.push_back(Pace::kAny); });
              Begin(prompt, Pace::kPrompt, [&order] { order.push_back(Pace::kPrompt); });
            }),
            here_);
  EXPECT_NE(*any.Get(), here_);
  EXPECT_NE(*prompt.Get(), here_);
  EXPECT_THAT(order, ElementsAre(Pace::kAny, Pace::kPrompt));
}

TEST_F(CallerThreadTest, AfterASlowJobWorkersDoThemUntilOneIsQuick) {
  OpenQuick();
  EXPECT_EQ(RunJob([this](Connection&) { clock_.Advance(absl::Milliseconds(1)); }), here_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(RunJob([this](Connection&) { clock_.Advance(absl::Milliseconds(1)); }), here_);
    AwaitIdle();
  }
  EXPECT_NE(RunJob(), here_);
  AwaitIdle();
  EXPECT_EQ(RunJob(), here_);
}

TEST_F(CallerThreadTest, JobsBehindASlowOneAreRunByWorkers) {
  OpenQuick(2);
  std::promise<void> begun, end;
  const std::jthread caller([&] {
    EXPECT_EQ(RunJob([&](Connection&) {
                begun.set_value();
                end.get_future().wait();
              }),
              std::this_thread::get_id());
  });
  begun.get_future().wait();
  Pending<std::thread::id> waiting, later;
  Begin(waiting);
  EXPECT_EQ(pool_->GetStats().waiting_calls, 1);
  while (!waiting.is_answered()) {
    clock_.AwaitWaiters(1);  // the watchdog
    clock_.Advance(absl::Milliseconds(10));
  }
  Begin(later);
  EXPECT_NE(*later.Get(), caller.get_id());
  EXPECT_NE(*waiting.Get(), caller.get_id());
  end.set_value();
}

TEST_F(CallerThreadTest, ADatabaseThatStopsGivesTheThreadBack) {
  OpenQuick();
  std::vector<std::thread::id> runners;
  std::vector<int> backends;
  Pending<void> answer;
  pool_->Read(
      {.may_run_here = true}, Pace::kPrompt,
      [&](Connection& connection) {
        runners.push_back(std::this_thread::get_id());
        backends.push_back(connection.Read("SELECT pg_backend_pid()")[0][0].as<int>());
        if (backends.size() > 1) return absl::OkStatus();
        kill(backends[0], SIGSTOP);
        const std::jthread time([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) clock_.Advance(absl::Milliseconds(10));
        });
        connection.Read("SELECT 1");
        return absl::InternalError("not stopped");
      },
      answer.callback());
  const absl::Status status = answer.Get();
  kill(backends[0], SIGCONT);
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(backends.size(), 2);
  EXPECT_NE(backends[1], backends[0]);
  EXPECT_EQ(runners[0], here_);
  EXPECT_NE(runners[1], here_);
}

TEST_F(CallerThreadTest, AJobThatFailsThereIsTriedAgainByAWorker) {
  OpenQuick();
  std::vector<std::thread::id> runners;
  Pending<void> answer;
  pool_->Read(
      {.may_run_here = true}, Pace::kPrompt,
      [&runners](Connection& connection) {
        runners.push_back(std::this_thread::get_id());
        if (runners.size() < 3) connection.Run("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
        return absl::OkStatus();
      },
      answer.callback());
  // Colliding jobs wait.
  while (!answer.is_answered()) clock_.Advance(absl::Milliseconds(10));
  EXPECT_TRUE(answer.Get().ok());
  ASSERT_EQ(runners.size(), 3);
  EXPECT_EQ(runners[0], here_);
  EXPECT_NE(runners[1], here_);
  EXPECT_EQ(runners[1], runners[2]);
}

TEST_F(CallerThreadTest, AJobThatLosesEveryConnectionFails) {
  OpenQuick();
  int attempts = 0;
  const absl::Status status = Await<void>([&](Callback<void> done) {
    pool_->Read(
        {.may_run_here = true}, Pace::kPrompt,
        [&attempts](Connection& connection) {
          ++attempts;
          connection.Run("SELECT pg_terminate_backend(pg_backend_pid())");
          return absl::OkStatus();
        },
        std::move(done));
  });
  EXPECT_EQ(ReasonOf(status), "STORE_UNAVAILABLE");
  EXPECT_EQ(attempts, 2);
}

TEST_F(CallerThreadTest, AConnectionIsReplacedIfItsSuccessorOpensWhileTheThreadUsesIt) {
  OpenQuick(/*connections=*/1, /*lifetime=*/absl::Milliseconds(100));
  clock_.AwaitWaiters(2);  // the watchdog, and who opens new ones in a second
  clock_.Advance(absl::Milliseconds(990));
  std::string used;
  EXPECT_EQ(RunJob([&](Connection& connection) {
              used = connection.Read(kSelectBackend)[0][0].as<std::string>();
              clock_.Advance(absl::Milliseconds(10));
              clock_.AwaitWaiters(2);  // a new one is open
            }),
            here_);
  AwaitEndOf(used);
}

TEST_F(CallerThreadTest, ThePoolWaitsForTheThreadWhenItEnds) {
  OpenQuick();
  std::promise<void> begun;
  bool has_ended = false;
  const std::jthread caller([&, pool = &*pool_] {
    pool->Read<void>(
        {.may_run_here = true}, Pace::kPrompt,
        [&](Connection& connection) {
          begun.set_value();
          connection.Read("SELECT pg_sleep(0.01)");
          has_ended = true;
          return absl::OkStatus();
        },
        [](const absl::Status&) {});
  });
  begun.get_future().wait();
  pool_.reset();
  EXPECT_TRUE(has_ended);
}

// ---- What it tells ----

TEST_F(PoolTest, CountsItsConnectionsAndCalls) {
  Open({.connections = 2});
  EXPECT_EQ(pool_->GetStats().open_connections, 0);
  EXPECT_EQ(pool_->DatabaseVersion(), "");
  {
    const Hold hold(*pool_);
    EXPECT_EQ(pool_->GetStats().open_connections, 1);
    EXPECT_EQ(pool_->GetStats().busy_connections, 1);
    EXPECT_EQ(pool_->DatabaseVersion(), testing::Query(url_, "SHOW server_version"));
  }
  AwaitIdle();
  const testing::Outage outage(url_);
  EXPECT_FALSE(Read("SELECT 'text'").ok());
  EXPECT_EQ(pool_->GetStats().open_connections, 0);
}

// ---- The end ----

TEST_F(PoolTest, AnswersWaitingJobsWhenItEndsAndThoseOfTheirCallbacks) {
  Open({.connections = 0});
  Pool& pool = *pool_;
  const auto nothing = [](Connection&) { return absl::OkStatus(); };
  Pending<void> again;
  std::vector<absl::Status> statuses;
  for (const Pace pace : {Pace::kAny, Pace::kPrompt}) {
    pool.Read<void>({}, pace, nothing, [&](absl::Status status) {
      statuses.push_back(std::move(status));
      if (statuses.size() == 1) pool.Read({}, Pace::kAny, nothing, again.callback());
    });
  }
  EXPECT_EQ(pool.GetStats().waiting_calls, 2);
  pool_.reset();
  EXPECT_THAT(statuses, ElementsAre(StoreUnavailable(), StoreUnavailable()));
  ASSERT_TRUE(again.is_answered());
  EXPECT_EQ(again.Get(), StoreUnavailable());
}

TEST_F(PoolTest, WaitsForRunningJobsWhenItEnds) {
  Open({});
  Pending<void> runs;
  std::promise<void> begun, ending;
  pool_->Read(
      {}, Pace::kAny,
      [&](Connection&) {
        begun.set_value();
        ending.get_future().wait();
        return absl::OkStatus();
      },
      runs.callback());
  begun.get_future().wait();
  ending.set_value();
  pool_.reset();
  ASSERT_TRUE(runs.is_answered());
  EXPECT_TRUE(runs.Get().ok());
}

}  // namespace
}  // namespace content::postgres
