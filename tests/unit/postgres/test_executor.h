#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/call.h"
#include "base/clock.h"
#include "base/errors.h"
#include "postgres/admission.h"
#include "postgres/job.h"

namespace content::testing {

struct TestConnection {};

/// Replaces a Pool in tests without a database. Jobs wait until the test takes them, one by one and
/// on its own thread, so nothing depends on timing:
///
///   auto job = executor.TakeJob(Pace::kPrompt);
///   job->Begin();
///   job->Finish(job->Run(connection, /*in_doubt=*/false));
class TestExecutor {
 public:
  using Connection = TestConnection;
  using Job = postgres::BasicJob<TestConnection>;

  explicit TestExecutor(size_t queue_limit, const SteadyClock& clock = SteadyClock::System())
      : admission_(queue_limit), clock_(clock) {}

  /// Ends the jobs that nobody has taken.
  ~TestExecutor() {
    for (auto jobs = TakeAll(); !jobs.empty(); jobs = TakeAll()) {
      for (auto& job : jobs) job->Finish(StoreUnavailable());
    }
  }

  TestExecutor(const TestExecutor&) = delete;
  TestExecutor& operator=(const TestExecutor&) = delete;

  void Schedule(std::unique_ptr<Job> job, Account, postgres::Pace pace, bool may_run_here) {
    const std::lock_guard lock(mutex_);
    may_run_here_ = may_run_here;
    QueueOf(pace).push_back(std::move(job));
    scheduled_.notify_all();  // not every thread takes every job
  }

  postgres::Admission& admission() { return admission_; }
  const SteadyClock& clock() const { return clock_; }

  size_t CountJobs(postgres::Pace pace) {
    const std::lock_guard lock(mutex_);
    return QueueOf(pace).size();
  }

  /// Returns whether the thread that scheduled the last job may run it.
  bool may_run_here() {
    const std::lock_guard lock(mutex_);
    return may_run_here_;
  }

  /// Returns nullptr if no job waits.
  std::unique_ptr<Job> TakeJob(postgres::Pace pace) {
    const std::lock_guard lock(mutex_);
    return Take(QueueOf(pace));
  }

  /// Waits for a job: of any pace, or a prompt one if `only_prompt`. nullptr after Stop.
  std::unique_ptr<Job> AwaitJob(bool only_prompt) {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (!only_prompt && !any_.empty()) return Take(any_);
      if (!prompt_.empty()) return Take(prompt_);
      scheduled_.wait(lock);
    }
    return nullptr;
  }

  void Stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    scheduled_.notify_all();
  }

 private:
  using Queue = std::deque<std::unique_ptr<Job>>;

  Queue& QueueOf(postgres::Pace pace) { return pace == postgres::Pace::kPrompt ? prompt_ : any_; }

  static std::unique_ptr<Job> Take(Queue& queue) {
    if (queue.empty()) return nullptr;
    std::unique_ptr<Job> job = std::move(queue.front());
    queue.pop_front();
    return job;
  }

  std::vector<std::unique_ptr<Job>> TakeAll() {
    const std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Job>> jobs;
    for (Queue* queue : {&prompt_, &any_}) {
      std::move(queue->begin(), queue->end(), std::back_inserter(jobs));
      queue->clear();
    }
    return jobs;
  }

  postgres::Admission admission_;
  const SteadyClock& clock_;
  std::mutex mutex_;
  std::condition_variable scheduled_;
  Queue prompt_;               // Guarded by mutex_.
  Queue any_;                  // Guarded by mutex_.
  bool may_run_here_ = false;  // Guarded by mutex_.
  bool stopped_ = false;       // Guarded by mutex_.
};

/// Runs a TestExecutor's jobs on threads until it is destroyed. The last `prompt_threads` of them
/// run prompt jobs only. An exception of a job ends it with INTERNAL.
class TestThreads {
 public:
  TestThreads(TestExecutor& executor, int threads, int prompt_threads) : executor_(executor) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, only_prompt = i >= threads - prompt_threads] {
        while (auto job = executor_.AwaitJob(only_prompt)) Do(*job);
      });
    }
  }

  ~TestThreads() { executor_.Stop(); }

  TestThreads(const TestThreads&) = delete;
  TestThreads& operator=(const TestThreads&) = delete;

 private:
  static void Do(TestExecutor::Job& job) {
    const CallContext context = job.Begin();
    absl::Status status = CheckCaller(context);
    if (status.ok()) {
      try {
        TestConnection connection;
        status = job.Run(connection, /*in_doubt=*/false);
      } catch (const std::exception& exception) {
        status = Internal(exception.what());
      }
    }
    job.Finish(std::move(status));
  }

  TestExecutor& executor_;
  std::vector<std::jthread> threads_;
};

}  // namespace content::testing
