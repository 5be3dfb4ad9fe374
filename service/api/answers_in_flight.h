#pragma once

#include <grpc/grpc.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace content::api {

/// The unary answers that were given to gRPC and were not sent yet, because their readers are slow.
/// gRPC would keep them for as long as a client likes. Ends calls with ABORTED whose answer is not
/// taken in time, and, while all answers together take too much memory, the oldest calls of the
/// origin (see peer.h) whose answers take most. Thread-safe.
class AnswersInFlight {
 public:
  struct Limits {
    /// Maximum time for an answer to be sent.
    absl::Duration write_timeout = absl::Seconds(30);
    /// Maximum memory of all answers.
    int64_t max_bytes = int64_t{256} << 20;
  };

  /// One answer: in flight from Begin until it is destroyed.
  class Answer {
   public:
    explicit Answer(AnswersInFlight& all) : all_(all) {}
    ~Answer();

    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    /// Call it once, before the answer to `call` is given to gRPC. The answer must be destroyed
    /// before the call. `bytes`: the memory that the answer takes.
    void Begin(grpc_call* call, int64_t bytes, SteadyTime now);

   private:
    friend class AnswersInFlight;

    AnswersInFlight& all_;
    grpc_call* call_ = nullptr;
    int64_t bytes_ = 0;
    SteadyTime begin_;
  };

  explicit AnswersInFlight(const Limits& limits);

  /// Must outlive its answers.
  ~AnswersInFlight();

 private:
  // There are several, so that calls rarely contend for a lock.
  struct alignas(64) Shard {
    std::mutex mutex;
    absl::flat_hash_set<Answer*> answers;  // Guarded by mutex. Those that were not ended.
  };

  Shard& ShardOf(const Answer& answer);
  void Add(Answer& answer);
  void Remove(Answer& answer);

  void Run(const std::stop_token& stop);
  bool IsExcessive() const { return bytes_ > limits_.max_bytes; }
  void EndExcess();
  template <class Condition>
  void EndWhere(const Condition& condition);

  const Limits limits_;
  std::array<Shard, 16> shards_;
  std::atomic<int64_t> bytes_ = 0;  // of the answers of all shards

  std::mutex mutex_;
  std::condition_variable_any excess_;  // bytes_ has risen above the limit
  std::jthread thread_;
};

}  // namespace content::api
