// Many threads at once. Everything is checked where it happens, so that nothing depends on timing.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "gtest/gtest.h"
#include "postgres/coalescer.h"
#include "postgres/read_policy.h"
#include "postgres/write_policy.h"
#include "unit/postgres/test_executor.h"

namespace content::postgres {
namespace {

using testing::TestConnection;
using testing::TestExecutor;
using testing::TestThreads;

constexpr int kCallers = 6;
constexpr int kCallsPerCaller = 3000;
constexpr int kKeys = 12;
constexpr size_t kQueueLimit = 200;

// The outcomes of the calls.
struct Tally {
  std::vector<std::atomic<int>> answers = std::vector<std::atomic<int>>(kCallers * kCallsPerCaller);
  std::atomic<int> succeeded = 0;
  std::atomic<int> refused = 0;

  template <class Answer>
  Callback<Answer> Expect(int call, Answer expected) {
    return [this, call, expected](absl::StatusOr<Answer> answer) {
      ++answers[static_cast<size_t>(call)];
      if (answer.ok()) {
        EXPECT_EQ(*answer, expected);
        ++succeeded;
      } else if (ReasonOf(answer.status()) == "OVERLOADED") {
        ++refused;
        std::this_thread::yield();
      }
    };
  }

  void ExpectEachAnsweredOnce() const {
    for (size_t i = 0; i < answers.size(); ++i) ASSERT_EQ(answers[i], 1) << i;
    EXPECT_GT(succeeded, 0);
  }
};

// Some callers have given up before they are served.
CallContext SomeContext(absl::BitGen& random) {
  if (!absl::Bernoulli(random, 0.02)) return {};
  return {.deadline = SteadyTime::InfinitePast()};
}

TEST(CoalescerStress, ReadsAreAnsweredOnceAndWithTheirOwnAnswers) {
  Tally tally;
  using Reads = Coalescer<ReadPolicy<int, int, TestConnection>, TestExecutor>;
  std::optional<TestExecutor> executor(std::in_place, kQueueLimit);
  Reads reads(*executor, {[](TestConnection&, const std::vector<int>& keys) {
    EXPECT_LE(keys.size(), 64);
    thread_local absl::BitGen random;
    if (absl::Bernoulli(random, 0.02)) throw std::runtime_error("made up");
    Answers<int> answers;
    for (const int key : keys) {
      answers.emplace_back(2 * key);
      if (answers.size() > 1 && absl::Bernoulli(random, 0.1)) answers.back().reset();
    }
    return answers;
  }});
  {
    const TestThreads threads(*executor, 3, 0);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        absl::BitGen random;
        for (int i = 0; i < kCallsPerCaller; ++i) {
          const int key = absl::Uniform(random, 0, kKeys);
          reads.Add(SomeContext(random), key, tally.Expect(caller * kCallsPerCaller + i, 2 * key));
        }
      });
    }
  }
  executor.reset();
  tally.ExpectEachAnsweredOnce();
}

struct NumberedWrite {
  std::string key;
  int caller;
  int number;  // grows with each write of a caller
};

const std::string& KeyOf(const NumberedWrite& write) { return write.key; }

// Runs writes, and checks the promises of WritePolicy meanwhile.
class CheckedWork {
 public:
  BatchAnswers<int> Do(const std::vector<NumberedWrite*>& writes, WriteMode mode) {
    EXPECT_LE(writes.size(), 128);
    if (mode.skip_locked) {
      EXPECT_LE(++prompt_batches_, 2);
    } else {
      for (const NumberedWrite* write : writes) EXPECT_EQ(write->key, writes.front()->key);
    }
    // As a batch is kept until its outcome is known, so are the keys that it has here.
    for (const NumberedWrite* write : writes) Enter(*write);
    std::this_thread::yield();
    BatchAnswers<int> answers = Answer(writes, mode);
    const bool fails = Happens(0.02);
    for (size_t i = 0; i < writes.size(); ++i) Leave(*writes[i], answers[i].has_value() && !fails);
    if (mode.skip_locked) --prompt_batches_;
    if (fails) throw std::runtime_error("made up");
    return answers;
  }

 private:
  struct Key {
    std::atomic<std::thread::id> owner;
    std::atomic<int> users = 0;
    std::vector<int> last_numbers = std::vector<int>(kCallers, -1);  // of each caller
  };

  static bool Happens(double probability) {
    thread_local absl::BitGen random;
    return absl::Bernoulli(random, probability);
  }

  Key& KeyNamed(const std::string& name) { return keys_[static_cast<size_t>(std::stoi(name))]; }

  // Nobody else writes to the key meanwhile.
  void Enter(const NumberedWrite& write) {
    Key& key = KeyNamed(write.key);
    if (key.users++ == 0) key.owner = std::this_thread::get_id();
    EXPECT_EQ(key.owner, std::this_thread::get_id());
  }

  void Leave(const NumberedWrite& write, bool is_done) {
    Key& key = KeyNamed(write.key);
    if (is_done) {
      int& last = key.last_numbers[static_cast<size_t>(write.caller)];
      EXPECT_GT(write.number, last) << "in the order in which they came, and each once";
      last = write.number;
    }
    --key.users;
  }

  // Some keys are locked by somebody else.
  BatchAnswers<int> Answer(const std::vector<NumberedWrite*>& writes, WriteMode mode) {
    BatchAnswers<int> answers;
    bool is_locked = false;
    for (size_t i = 0; i < writes.size(); ++i) {
      const bool is_next_key = i == 0 || writes[i]->key != writes[i - 1]->key;
      if (is_next_key) is_locked = mode.skip_locked && Happens(0.02);
      if (is_locked) {
        answers.emplace_back(std::nullopt);
      } else {
        answers.emplace_back(writes[i]->number);
      }
    }
    return answers;
  }

  std::vector<Key> keys_ = std::vector<Key>(kKeys);
  std::atomic<int> prompt_batches_ = 0;
};

TEST(CoalescerStress, WritesAreAnsweredOnceAndDoneInOrder) {
  Tally tally;
  CheckedWork work;
  using Writes = Coalescer<WritePolicy<NumberedWrite, int, TestConnection>, TestExecutor>;
  std::optional<TestExecutor> executor(std::in_place, kQueueLimit);
  Writes writes(*executor,
                {KeyOf, [&work](TestConnection&, const std::vector<NumberedWrite*>& batch,
                                WriteMode mode) { return work.Do(batch, mode); }});
  {
    const TestThreads threads(*executor, 4, 1);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] {
        absl::BitGen random;
        for (int i = 0; i < kCallsPerCaller; ++i) {
          writes.Add(SomeContext(random),
                     {absl::StrCat(absl::Uniform(random, 0, kKeys)), caller, i},
                     tally.Expect(caller * kCallsPerCaller + i, i));
        }
      });
    }
  }
  executor.reset();
  tally.ExpectEachAnsweredOnce();
}

}  // namespace
}  // namespace content::postgres
