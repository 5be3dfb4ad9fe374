#include "postgres/coalescer.h"

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "postgres/read_policy.h"
#include "postgres/write_policy.h"
#include "support/fake_clock.h"
#include "unit/postgres/test_executor.h"

namespace content::postgres {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TestConnection;
using testing::TestExecutor;

using Strings = std::vector<std::string>;
using Job = TestExecutor::Job;

// The answers of requests, each under the name of its request.
class Received {
 public:
  Callback<std::string> Expect(const std::string& name) {
    return [this, name](absl::StatusOr<std::string> answer) {
      EXPECT_TRUE(answers_.emplace(name, std::move(answer)).second) << name << " twice";
    };
  }

  // The answer, the reason of an error, or "" while there is none.
  std::string Of(const std::string& name) const {
    const auto found = answers_.find(name);
    if (found == answers_.end()) return "";
    return found->second.ok() ? *found->second : ReasonOf(found->second.status());
  }

  size_t count() const { return answers_.size(); }

 private:
  std::map<std::string, absl::StatusOr<std::string>> answers_;
};

CallContext From(Account account) {
  return {.account_of = [account] { return account; }};
}

// The database refuses a value of one of the requests.
struct Refused : std::exception {};

// A statement was cancelled because it took too long.
struct TimedOut : std::exception {};

class CoalescerTest : public ::testing::Test {
 protected:
  struct RunningJob {
    std::unique_ptr<Job> job;
    CallContext context;
  };

  // The coalescers of the tests outlive the executor.
  void TearDown() override { executor_.reset(); }

  RunningJob Begin(Pace pace) {
    std::unique_ptr<Job> job = executor_->TakeJob(pace);
    if (job == nullptr) throw std::logic_error("no job waits");
    CallContext context = job->Begin();
    return {std::move(job), std::move(context)};
  }

  void End(const RunningJob& running, bool in_doubt = false) {
    absl::Status status = CheckCaller(running.context, clock_.Now());
    if (status.ok()) {
      try {
        TestConnection connection;
        status = running.job->Run(connection, in_doubt);
      } catch (const Refused&) {
        status = ValueRefused();
      } catch (const TimedOut&) {
        status = DeadlineExceeded();
      } catch (const std::exception& exception) {
        status = Internal(exception.what());
      }
    }
    running.job->Finish(std::move(status));
  }

  void RunAll() {
    while (true) {
      if (executor_->CountJobs(Pace::kPrompt) > 0) {
        End(Begin(Pace::kPrompt));
      } else if (executor_->CountJobs(Pace::kAny) > 0) {
        End(Begin(Pace::kAny));
      } else {
        return;
      }
    }
  }

  static constexpr size_t kQueueLimit = 1000;

  Received received_;
  std::vector<Strings> batches_;  // the items that were done together
  testing::FakeClock clock_;
  std::optional<TestExecutor> executor_{std::in_place, kQueueLimit, clock_};
};

// ---- Reads ----

class ReadsTest : public CoalescerTest {
 protected:
  using Reads = Coalescer<ReadPolicy<std::string, std::string, TestConnection>, TestExecutor>;

  void Add(const std::string& name, const std::string& key, CallContext context = {}) {
    reads_.Add(std::move(context), key, received_.Expect(name));
  }
  void Add(const std::string& key) { Add(key, key); }

  Answers<std::string> Double(const Strings& keys) {
    batches_.push_back(keys);
    Answers<std::string> answers;
    for (const std::string& key : keys) answers.emplace_back(key + key);
    return answers;
  }

  std::function<Answers<std::string>(const Strings&)> work_ = [this](const Strings& keys) {
    return Double(keys);
  };
  metrics::Histogram batch_sizes_{1, 2, 4};
  Reads reads_{*executor_,
               {[this](TestConnection&, const Strings& keys) { return work_(keys); }},
               &batch_sizes_};
};

TEST_F(ReadsTest, TellsTheSizesOfBatches) {
  Add("a");
  End(Begin(Pace::kPrompt));
  for (const char* key : {"b", "c", "d"}) Add(key);
  End(Begin(Pace::kPrompt));
  EXPECT_THAT(batch_sizes_.Read().counts, ::testing::ElementsAre(1, 0, 1, 0));
  EXPECT_EQ(batch_sizes_.Read().sum, 4);
}

TEST_F(ReadsTest, KnowsWhenTheOldestBatchBegan) {
  EXPECT_EQ(reads_.OldestBatchStart(), SteadyTime::InfiniteFuture());
  Add("a");
  EXPECT_EQ(reads_.OldestBatchStart(), SteadyTime::InfiniteFuture());  // it waits
  const SteadyTime first_start = clock_.Now();
  const RunningJob first = Begin(Pace::kPrompt);
  clock_.Advance(absl::Seconds(1));
  Add("b");
  const SteadyTime second_start = clock_.Now();
  const RunningJob second = Begin(Pace::kPrompt);
  EXPECT_EQ(reads_.OldestBatchStart(), first_start);
  End(first);
  EXPECT_EQ(reads_.OldestBatchStart(), second_start);
  End(second);
  EXPECT_EQ(reads_.OldestBatchStart(), SteadyTime::InfiniteFuture());
}

TEST_F(ReadsTest, ASingleReadIsScheduledAtOnce) {
  Add("a");
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 1);
  EXPECT_EQ(executor_->CountJobs(Pace::kAny), 0);
  RunAll();
  EXPECT_EQ(received_.Of("a"), "aa");
}

TEST_F(ReadsTest, WaitingReadsShareAStatement) {
  for (const char* key : {"a", "b", "c"}) Add(key);
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 1);
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"a", "b", "c"}));
  EXPECT_EQ(received_.Of("c"), "cc");
}

TEST_F(ReadsTest, EqualKeysShareAnAnswer) {
  Add("first", "a");
  Add("second", "b");
  Add("third", "a");
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"a", "b"}));
  EXPECT_EQ(received_.Of("first"), "aa");
  EXPECT_EQ(received_.Of("second"), "bb");
  EXPECT_EQ(received_.Of("third"), "aa");
}

TEST_F(ReadsTest, AnotherConnectionTakesWhatDoesNotFitIntoABatch) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat(i));
  const RunningJob first = Begin(Pace::kPrompt);
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 1) << "while the first batch is under way";
  End(Begin(Pace::kPrompt));
  End(first);
  EXPECT_THAT(batches_, ElementsAre(SizeIs(36), SizeIs(64)));
  EXPECT_EQ(received_.count(), 100);
}

TEST_F(ReadsTest, ReadsThatComeDuringABatchDoNotWaitForIt) {
  Add("a");
  const RunningJob running = Begin(Pace::kPrompt);
  Add("b");
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(received_.Of("b"), "bb");
  EXPECT_EQ(received_.Of("a"), "");
  End(running);
  EXPECT_EQ(received_.Of("a"), "aa");
}

TEST_F(ReadsTest, DropsReadsWhoseCallersHaveGivenUp) {
  Add("late", "late", {.deadline = clock_.Now() + absl::Seconds(1)});
  Add("gone", "gone", {.cancelled = [] { return true; }});
  Add("there");
  clock_.Advance(absl::Seconds(1));
  RunAll();
  EXPECT_EQ(received_.Of("late"), "DEADLINE_EXCEEDED");
  EXPECT_EQ(received_.Of("gone"), "CANCELLED");
  EXPECT_EQ(received_.Of("there"), "therethere");
  EXPECT_THAT(batches_, ElementsAre(Strings{"there"}));
}

TEST_F(ReadsTest, ReadsNothingIfAllCallersHaveGivenUp) {
  Add("gone", "gone", {.cancelled = [] { return true; }});
  RunAll();
  EXPECT_EQ(received_.Of("gone"), "CANCELLED");
  EXPECT_THAT(batches_, IsEmpty());
  Add("next");
  RunAll();
  EXPECT_EQ(received_.Of("next"), "nextnext");
}

TEST_F(ReadsTest, ABatchHasUntilTheLatestDeadlineOfItsCallers) {
  Add("a", "a", {.deadline = clock_.Now() + absl::Seconds(1)});
  Add("b", "b", {.deadline = clock_.Now() + absl::Seconds(5)});
  const RunningJob running = Begin(Pace::kPrompt);
  EXPECT_EQ(running.context.deadline, clock_.Now() + absl::Seconds(5));
  End(running);
}

TEST_F(ReadsTest, ABatchIsCancelledWhenAllOfItsCallersAre) {
  bool first = false;
  bool second = false;
  Add("a", "a", {.cancelled = [&first] { return first; }});
  Add("b", "b", {.cancelled = [&second] { return second; }});
  const RunningJob running = Begin(Pace::kPrompt);
  first = true;
  EXPECT_FALSE(running.context.is_cancelled());
  second = true;
  EXPECT_TRUE(running.context.is_cancelled());
  End(running);
}

TEST_F(ReadsTest, AfterARefusalEachReadIsDoneAlone) {
  work_ = [this](const Strings& keys) {
    batches_.push_back(keys);
    for (const std::string& key : keys) {
      if (key == "bad") throw Refused();
    }
    return Answers<std::string>(keys.size(), "read");
  };
  for (const char* key : {"a", "bad", "b"}) Add(key);
  const RunningJob running = Begin(Pace::kPrompt);
  Add("later");
  End(running);
  RunAll();
  EXPECT_EQ(received_.Of("a"), "read");
  EXPECT_EQ(received_.Of("bad"), "INVALID_REQUEST");
  EXPECT_EQ(received_.Of("b"), "read");
  EXPECT_EQ(received_.Of("later"), "read");
  EXPECT_THAT(batches_, ElementsAre(Strings{"a", "bad", "b"}, Strings{"a"}, Strings{"bad"},
                                    Strings{"b"}, Strings{"later"}));
}

TEST_F(ReadsTest, AFailureThatIsNoReadsFaultFailsAll) {
  Add("a");
  Add("b");
  Begin(Pace::kPrompt).job->Finish(StoreUnavailable());
  EXPECT_EQ(received_.Of("a"), "STORE_UNAVAILABLE");
  EXPECT_EQ(received_.Of("b"), "STORE_UNAVAILABLE");
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 0);
}

TEST_F(ReadsTest, AReadWithoutAnAnswerIsDoneAgainBeforeLaterOnes) {
  work_ = [this](const Strings& keys) {
    Answers<std::string> answers = Double(keys);
    for (size_t i = 1; i < answers.size(); ++i) answers[i].reset();
    return answers;
  };
  Add("a", "a");
  Add("b", "b");
  Add("other b", "b");
  const RunningJob running = Begin(Pace::kPrompt);
  Add("c", "c");
  End(running);
  EXPECT_EQ(executor_->admission().waiting(), 3);
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"a", "b"}, Strings{"b", "c"}, Strings{"c"}));
  EXPECT_EQ(received_.Of("other b"), "bb");
  EXPECT_EQ(received_.Of("c"), "cc");
}

TEST_F(ReadsTest, WorkThatAnswersNothingIsAnErrorAndNotAnEndlessLoop) {
  work_ = [](const Strings& keys) { return Answers<std::string>(keys.size()); };
  Add("a");
  RunAll();
  EXPECT_EQ(received_.Of("a"), "INTERNAL");
}

TEST_F(ReadsTest, WorkWithAnswersForOtherKeysIsAnError) {
  work_ = [](const Strings&) { return Answers<std::string>(3, "read"); };
  Add("a");
  Add("b");
  RunAll();
  EXPECT_EQ(received_.Of("a"), "INTERNAL");
  EXPECT_EQ(received_.Of("b"), "INTERNAL");
}

TEST_F(ReadsTest, RefusesReadsWhenTooManyWait) {
  for (size_t i = 0; i < kQueueLimit; ++i) Add(absl::StrCat(i));
  EXPECT_EQ(received_.count(), 0);
  Add("too many");
  EXPECT_EQ(received_.Of("too many"), "OVERLOADED");
  RunAll();
  EXPECT_EQ(received_.Of("999"), "999999");
  EXPECT_EQ(executor_->admission().waiting(), 0);
}

TEST_F(ReadsTest, AccountsTakeTurnsInABatch) {
  for (int i = 100; i < 300; ++i) Add(absl::StrCat(i), absl::StrCat(i), From(1));
  const RunningJob first = Begin(Pace::kPrompt);
  for (const char* key : {"b1", "b2"}) Add(key, key, From(2));
  Add("c", "c", From(3));
  End(first);
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(received_.Of("b2"), "b2b2");
  EXPECT_EQ(received_.Of("c"), "cc");
  ASSERT_THAT(batches_, SizeIs(2));
  EXPECT_EQ(Strings(batches_[1].begin(), batches_[1].begin() + 5),
            (Strings{"164", "b1", "c", "165", "b2"}));
  RunAll();
  EXPECT_EQ(batches_[2].front(), "225") << "the others of the first account, in order of arrival";
}

TEST_F(ReadsTest, AnAccountAloneHasHalfOfThePlaces) {
  for (size_t i = 0; i < kQueueLimit / 2; ++i) Add(absl::StrCat(i), "key", From(1));
  Add("too many", "key", From(1));
  EXPECT_EQ(received_.Of("too many"), "OVERLOADED");
  Add("another", "key", From(2));
  EXPECT_EQ(received_.Of("another"), "");
  const RunningJob running = Begin(Pace::kPrompt);  // those in a batch do not wait
  Add("later", "key", From(1));
  EXPECT_EQ(received_.Of("later"), "");
  End(running);
  RunAll();
  EXPECT_EQ(received_.Of("later"), "keykey");
}

TEST_F(ReadsTest, OnlyTheJobOfACallWhoseThreadMayRunItMayRunThere) {
  for (int i = 0; i < 100; ++i) {
    Add(absl::StrCat(i), absl::StrCat(i), {.may_run_here = i == 0});
    EXPECT_TRUE(executor_->may_run_here());
  }
  const RunningJob running = Begin(Pace::kPrompt);
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 1);
  EXPECT_FALSE(executor_->may_run_here()) << "the next job is nobody's";
  End(running);
  RunAll();
  Add("a");
  EXPECT_FALSE(executor_->may_run_here());
  RunAll();
}

TEST_F(ReadsTest, AnswersAllWhenTheExecutorEnds) {
  for (int i = 0; i < 100; ++i) Add(absl::StrCat(i));
  executor_.reset();
  EXPECT_EQ(received_.count(), 100);
  EXPECT_EQ(received_.Of("0"), "STORE_UNAVAILABLE");
}

TEST_F(ReadsTest, ACallerMayAskAgainWhenTheExecutorEnds) {
  reads_.Add({}, "a", [this](const absl::StatusOr<std::string>&) { Add("again"); });
  executor_.reset();
  EXPECT_EQ(received_.Of("again"), "STORE_UNAVAILABLE");
}

// ---- Writes ----

// `key` names what the write locks.
struct Write {
  std::string key;
  std::string text;
};

const std::string& KeyOf(const Write& write) { return write.key; }

size_t TextSize(const Write& write) { return write.text.size(); }

class WritesTest : public CoalescerTest {
 protected:
  using Writes = Coalescer<WritePolicy<Write, std::string, TestConnection>, TestExecutor>;

  void Add(const std::string& key, const std::string& text, CallContext context = {}) {
    writes_.Add(std::move(context), {key, text}, received_.Expect(text));
  }

  BatchAnswers<std::string> DoAll(const std::vector<Write*>& writes, WriteMode mode) {
    Strings texts;
    BatchAnswers<std::string> answers;
    for (const Write* write : writes) {
      texts.push_back(write->text);
      const bool skipped = mode.skip_locked && write->key == locked_;
      if (skipped) {
        answers.emplace_back(std::nullopt);
      } else {
        answers.emplace_back("written");
      }
    }
    batches_.push_back(texts);
    modes_.push_back(mode);
    return answers;
  }

  std::string locked_;  // the key that another transaction has locked
  std::vector<WriteMode> modes_;
  std::function<BatchAnswers<std::string>(const std::vector<Write*>&, WriteMode)> work_ =
      [this](const auto& writes, WriteMode mode) { return DoAll(writes, mode); };
  std::function<std::optional<int>(const Write&)> group_of_ = [](const Write&) { return 0; };
  Writes writes_{*executor_,
                 {KeyOf,
                  [this](TestConnection&, const std::vector<Write*>& writes, WriteMode mode) {
                    return work_(writes, mode);
                  },
                  [this](const Write& write) { return group_of_(write); }}};
};

TEST_F(WritesTest, WaitingWritesShareATransactionKeyByKey) {
  Add("x", "x1");
  Add("y", "y1");
  Add("x", "x2");
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1", "x2", "y1"}));
  EXPECT_TRUE(modes_[0].skip_locked);
  EXPECT_EQ(received_.Of("y1"), "written");
}

TEST_F(WritesTest, AccountsTakeTurnsForKeys) {
  for (int i = 100; i < 400; ++i) Add(absl::StrCat("a", i), absl::StrCat("a", i), From(1));
  Add("b", "b", From(2));
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(received_.Of("b"), "written");
  EXPECT_EQ(Strings(batches_[0].begin(), batches_[0].begin() + 3), (Strings{"a100", "b", "a101"}));
  RunAll();
}

TEST_F(WritesTest, AccountsTakeTurnsAtAKey) {
  for (int i = 100; i < 400; ++i) Add("x", absl::StrCat("a", i), From(1));
  for (const char* text : {"b1", "b2"}) Add("x", text, From(2));
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(Strings(batches_[0].begin(), batches_[0].begin() + 5),
            (Strings{"a100", "b1", "a101", "b2", "a102"}));
  RunAll();
  EXPECT_EQ(received_.Of("a399"), "written");
}

TEST_F(WritesTest, AKeyThatAGreedyAccountQueuedComesWhenItIsTheTurnOfAnother) {
  for (int i = 100; i < 400; ++i) Add(absl::StrCat("a", i), absl::StrCat("a", i), From(1));
  Add("a399", "b", From(2));
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(Strings(batches_[0].begin(), batches_[0].begin() + 4),
            (Strings{"a100", "a399", "b", "a101"}));
  RunAll();
  EXPECT_EQ(received_.count(), 301);
}

TEST_F(WritesTest, AKeyComesBackWhenItIsTheTurnOfAnyOfItsAccounts) {
  for (int i = 100; i < 300; ++i) Add("x", absl::StrCat("x", i), From(1));
  const auto running = Begin(Pace::kPrompt);
  for (int i = 100; i < 400; ++i) Add(absl::StrCat("a", i), absl::StrCat("a", i), From(1));
  Add("x", "b", From(2));
  End(running);
  EXPECT_EQ(received_.Of("b"), "");
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(received_.Of("b"), "written");
  RunAll();
}

TEST_F(WritesTest, ABatchIsOfOneGroup) {
  group_of_ = [](const Write& write) { return write.key[0]; };
  for (const char* key : {"a1", "b1", "a2", "b2", "a3"}) Add(key, key);
  Add("a1", "again");
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"a1", "again", "a2", "a3"}, Strings{"b1", "b2"}));
}

TEST_F(WritesTest, AWriteWithoutAGroupIsDoneAloneAndInOrder) {
  group_of_ = [](const Write& write) {
    return write.text[0] == '!' ? std::nullopt : std::optional(0);
  };
  for (const char* text : {"x1", "!x2", "!x3", "x4"}) Add("x", text);
  for (const char* text : {"!y1", "y2"}) Add("y", text);
  Add("z", "z1");
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1", "z1"}, Strings{"!y1"}, Strings{"!x2"},
                                    Strings{"y2"}, Strings{"!x3"}, Strings{"x4"}));
}

TEST_F(WritesTest, AWriteWithoutAGroupWaitsAloneForItsKey) {
  group_of_ = [](const Write& write) {
    return write.text[0] == '!' ? std::nullopt : std::optional(0);
  };
  locked_ = "x";
  for (const char* text : {"x1", "!x2", "x3"}) Add("x", text);
  End(Begin(Pace::kPrompt));
  End(Begin(Pace::kAny));
  locked_ = "";
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1"}, Strings{"x1"}, Strings{"!x2"}, Strings{"x3"}));
}

TEST_F(WritesTest, OneBatchAtATimeWritesToAKey) {
  Add("x", "x1");
  const RunningJob running = Begin(Pace::kPrompt);
  Add("x", "x2");
  Add("x", "x3");
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 0);
  End(running);
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1"}, Strings{"x2", "x3"}));
}

TEST_F(WritesTest, AtMostTwoBatchesOfUnlockedKeysAreUnderWay) {
  std::vector<RunningJob> running;
  for (const char* key : {"x", "y"}) {
    Add(key, key);
    running.push_back(Begin(Pace::kPrompt));
  }
  Add("z", "z");
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 0);
  End(running[0]);
  EXPECT_EQ(executor_->CountJobs(Pace::kPrompt), 1);
  RunAll();
  End(running[1]);
  EXPECT_EQ(received_.count(), 3);
}

TEST_F(WritesTest, RefusesThoseThatWaitForOtherBatches) {
  std::vector<RunningJob> running;
  for (const char* key : {"x", "y"}) {
    Add(key, key);
    running.push_back(Begin(Pace::kPrompt));
  }
  Add("x", "behind x");
  Add("z", "z");
  writes_.RefuseWaiting(StoreUnavailable());
  for (const char* text : {"behind x", "z"}) {
    EXPECT_EQ(received_.Of(text), "STORE_UNAVAILABLE") << text;
  }
  for (const RunningJob& job : running) End(job);
  Add("x", "later");
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"x"}, Strings{"y"}, Strings{"later"}));
}

TEST_F(WritesTest, ABatchIsOfLimitedSize) {
  for (int i = 0; i < 300; ++i) Add(absl::StrCat("key ", i % 3), absl::StrCat(i));
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(SizeIs(128), SizeIs(128), SizeIs(44)));
  EXPECT_EQ(received_.count(), 300);
}

TEST_F(WritesTest, ABatchMayBeOfLimitedBytes) {
  const auto work = [this](TestConnection&, const std::vector<Write*>& writes, WriteMode mode) {
    return DoAll(writes, mode);
  };
  Writes writes(*executor_, {KeyOf, work, nullptr, {.writes = 3, .bytes = 6, .size_of = TextSize}});
  for (const char* text : {"aaaa", "bb", "c", "too large", "dddd", "eee", "f", "g", "h", "i"}) {
    writes.Add({}, {text, text}, received_.Expect(text));
  }
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"aaaa", "bb"}, Strings{"c"}, Strings{"too large"},
                                    Strings{"dddd"}, Strings{"eee", "f", "g"}, Strings{"h", "i"}));
}

TEST_F(WritesTest, ALockedKeyIsWaitedForByAJobOfItsOwn) {
  locked_ = "x";
  Add("x", "x1");
  Add("y", "y1");
  End(Begin(Pace::kPrompt));
  EXPECT_EQ(received_.Of("y1"), "written");
  EXPECT_EQ(received_.Of("x1"), "");
  Add("x", "x2");
  Add("y", "y2");
  EXPECT_EQ(executor_->CountJobs(Pace::kAny), 1);
  End(Begin(Pace::kPrompt));
  End(Begin(Pace::kAny));
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1", "y1"}, Strings{"y2"}, Strings{"x1", "x2"}));
  EXPECT_FALSE(modes_[2].skip_locked);
  EXPECT_EQ(received_.Of("x2"), "written");
}

TEST_F(WritesTest, AccountsTakeTurnsForLockedKeys) {
  work_ = [this](const auto& writes, WriteMode mode) {
    return mode.skip_locked ? BatchAnswers<std::string>(writes.size()) : DoAll(writes, mode);
  };
  for (const char* key : {"a1", "a2", "a3"}) Add(key, key, From(1));
  End(Begin(Pace::kPrompt));
  Add("b", "b", From(2));
  End(Begin(Pace::kPrompt));
  for (int i = 0; i < 4; ++i) End(Begin(Pace::kAny));
  EXPECT_THAT(batches_, ElementsAre(Strings{"a1"}, Strings{"b"}, Strings{"a2"}, Strings{"a3"}));
}

TEST_F(WritesTest, AKeyThatWasLockedIsReadyAgainAfterwards) {
  locked_ = "x";
  Add("x", "x1");
  RunAll();
  locked_ = "";
  Add("x", "x2");
  EXPECT_EQ(executor_->CountJobs(Pace::kAny), 0);
  RunAll();
  EXPECT_EQ(received_.Of("x2"), "written");
}

TEST_F(WritesTest, AnAttemptInDoubtWaitsForLocks) {
  Add("x", "x1");
  End(Begin(Pace::kPrompt), /*in_doubt=*/true);
  EXPECT_FALSE(modes_[0].skip_locked);
  EXPECT_TRUE(modes_[0].in_doubt);
}

TEST_F(WritesTest, AfterARefusalEachWriteIsDoneAloneAndInOrder) {
  work_ = [this](const auto& writes, WriteMode mode) {
    auto answers = DoAll(writes, mode);
    for (const Write* write : writes) {
      if (write->text == "bad") throw Refused();
    }
    return answers;
  };
  Add("x", "x1");
  Add("x", "bad");
  Add("x", "x2");
  Add("y", "y1");
  RunAll();
  EXPECT_EQ(received_.Of("bad"), "INVALID_REQUEST");
  for (const char* text : {"x1", "x2", "y1"}) EXPECT_EQ(received_.Of(text), "written");
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1", "bad", "x2", "y1"}, Strings{"x1"}, Strings{"y1"},
                                    Strings{"bad"}, Strings{"x2"}));
}

TEST_F(WritesTest, ABatchThatRunsOutOfTimeIsDoneOneByOneIfAWriteMayWait) {
  const auto work = [this](TestConnection&, const std::vector<Write*>& writes, WriteMode mode) {
    auto answers = DoAll(writes, mode);
    if (writes[0]->text == "waits") throw TimedOut();
    return answers;
  };
  Writes writes(*executor_, {KeyOf, work, nullptr, {.may_wait = true}});
  for (const char* text : {"waits", "y1"}) writes.Add({}, {text, text}, received_.Expect(text));
  RunAll();
  EXPECT_EQ(received_.Of("waits"), "DEADLINE_EXCEEDED");
  EXPECT_EQ(received_.Of("y1"), "written");
}

TEST_F(WritesTest, ABatchThatRunsOutOfTimeOtherwiseFails) {
  work_ = [](const auto&, WriteMode) -> BatchAnswers<std::string> { throw TimedOut(); };
  for (const char* text : {"x1", "y1"}) Add(text, text);
  End(Begin(Pace::kPrompt));
  for (const char* text : {"x1", "y1"}) EXPECT_EQ(received_.Of(text), "DEADLINE_EXCEEDED");
}

TEST_F(WritesTest, AWriteThatIsDoneAloneStaysAloneWhenItsKeyIsLocked) {
  work_ = [this](const auto& writes, WriteMode mode) {
    if (writes.size() == 2 && writes[0]->text == "x1") {
      batches_.push_back({"refused"});
      throw Refused();
    }
    return DoAll(writes, mode);
  };
  Add("x", "x1");
  Add("y", "y1");
  End(Begin(Pace::kPrompt));
  locked_ = "x";
  End(Begin(Pace::kPrompt));
  Add("x", "x2");
  End(Begin(Pace::kPrompt));
  End(Begin(Pace::kAny));
  locked_ = "";
  RunAll();
  EXPECT_THAT(batches_, ElementsAre(Strings{"refused"}, Strings{"x1"}, Strings{"y1"}, Strings{"x1"},
                                    Strings{"x2"}));
}

TEST_F(WritesTest, AWriteOfACallerWhoHasGivenUpIsLeftOutAndItsKeyGoesOn) {
  Add("x", "gone", {.cancelled = [] { return true; }});
  const RunningJob running = Begin(Pace::kPrompt);
  Add("x", "x1");
  End(running);
  RunAll();
  EXPECT_EQ(received_.Of("gone"), "CANCELLED");
  EXPECT_EQ(received_.Of("x1"), "written");
  EXPECT_THAT(batches_, ElementsAre(Strings{"x1"}));
}

TEST_F(WritesTest, AKeyWithTooManyWritesIsNamedToItsCallersAndOnceInTheLog) {
  const auto refuse_one = [this](const std::string& name) {
    absl::Status refused;
    ::testing::internal::CaptureStderr();
    writes_.Add({}, {"some-article", name},
                [&refused](absl::StatusOr<std::string> answer) { refused = answer.status(); });
    EXPECT_THAT(std::string(refused.message()), HasSubstr("\"some-article\""));
    return ::testing::internal::GetCapturedStderr();
  };
  const auto fill = [this](const std::string& prefix) {
    for (size_t i = 0; i < kQueueLimit * 3 / 4; ++i) Add("some-article", absl::StrCat(prefix, i));
  };
  fill("a");
  EXPECT_THAT(refuse_one("x1"),
              AllOf(HasSubstr("too many writes to one key"), HasSubstr("some-article")));
  EXPECT_EQ(refuse_one("x2"), "");
  RunAll();
  fill("b");
  EXPECT_THAT(refuse_one("x3"), HasSubstr("too many writes to one key"));
  RunAll();
}

TEST_F(WritesTest, OneKeyTakesAtMostThreeQuartersOfTheQueue) {
  for (size_t i = 0; i < kQueueLimit * 3 / 4; ++i) Add("x", absl::StrCat(i));
  Add("x", "too many");
  EXPECT_EQ(received_.Of("too many"), "OVERLOADED");
  Add("y", "y1");
  EXPECT_EQ(received_.Of("y1"), "");
  RunAll();
  EXPECT_EQ(received_.Of("y1"), "written");
  EXPECT_EQ(received_.count(), kQueueLimit * 3 / 4 + 2);
  EXPECT_EQ(executor_->admission().waiting(), 0);
}

TEST_F(WritesTest, GreedyAccountsLeavePlacesAtTheirKeyToOthers) {
  for (Account greedy = 1; greedy <= 3; ++greedy) {
    for (size_t i = 0; i < kQueueLimit / 4; ++i) {
      Add("x", absl::StrCat(greedy, " ", i), From(greedy));
    }
  }
  EXPECT_EQ(received_.Of("1 0"), "");
  Add("x", "greedy", From(3));
  EXPECT_EQ(received_.Of("greedy"), "OVERLOADED");
  Add("x", "modest", From(4));
  EXPECT_EQ(received_.Of("modest"), "");
  RunAll();
  EXPECT_EQ(received_.Of("modest"), "written");
  Add("x", "again", From(3));
  RunAll();
  EXPECT_EQ(received_.Of("again"), "written") << "its places were given back";
}

TEST_F(WritesTest, AClientWithTooManyWritesToAKeyIsToldSo) {
  for (size_t i = 0; i < kQueueLimit / 2; ++i) Add("x", absl::StrCat(i), From(1));
  absl::Status refused;
  writes_.Add(From(1), {"x", "too many"},
              [&refused](absl::StatusOr<std::string> answer) { refused = answer.status(); });
  EXPECT_THAT(std::string(refused.message()), HasSubstr("of this client to \"x\""));
  RunAll();
}

// Doing the batch again might do its writes twice.
TEST_F(WritesTest, AWaitingJobWithoutAnAnswerEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  work_ = [](const auto& writes, WriteMode) { return BatchAnswers<std::string>(writes.size()); };
  Add("x", "x1");
  EXPECT_DEATH(RunAll(), "a write has no answer");
  executor_.reset();
}

TEST_F(WritesTest, AnswersAllWhenTheExecutorEnds) {
  locked_ = "x";
  Add("x", "x1");
  End(Begin(Pace::kPrompt));
  for (const char* text : {"y1", "y2"}) Add("y", text);
  writes_.Add({}, {"z", "z1"}, [this](const absl::StatusOr<std::string>&) { Add("z", "again"); });
  executor_.reset();
  for (const char* text : {"x1", "y1", "y2", "again"}) {
    EXPECT_EQ(received_.Of(text), "STORE_UNAVAILABLE") << text;
  }
}

}  // namespace
}  // namespace content::postgres
