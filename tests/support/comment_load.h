#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "support/grpc_client.h"

namespace content::testing {

/// Writers of comments, each of which writes one after the other on the articles `article-0`,
/// `article-1` and so on. A call that fails is repeated with its request_id until it succeeds.
class CommentLoad {
 public:
  using Clock = std::chrono::steady_clock;

  CommentLoad(int writers, int articles) : writer_count_(writers), article_count_(articles) {}

  /// Publishes the articles, and starts writing, through this server.
  void Start(const std::string& address);

  /// Continues through this server. If it is empty, the writers wait.
  void SetAddress(const std::string& address);

  /// Waits until `count` more comments were acknowledged. Fails the test if that takes too long.
  void AwaitMore(size_t count);

  /// Stops writing.
  void Stop();

  /// How the comments that the service has compare with those that it acknowledged.
  struct Outcome {
    size_t acknowledged = 0;
    size_t lost = 0;
    size_t doubled = 0;
    /// Whether each article's comment_count is that of its comments.
    bool counts_are_right = true;
  };

  /// Reads all comments, as another service would. The load must be stopped.
  Outcome Check(const std::string& address) const;

  /// Returns when the first comment after `time` was acknowledged.
  Clock::time_point FirstAcknowledgedAfter(Clock::time_point time) const;

  /// Returns when the last comment before `time` was acknowledged.
  Clock::time_point LastAcknowledgedBefore(Clock::time_point time) const;

 private:
  std::string AwaitAddress(const std::stop_token& stop);
  void Write(const std::stop_token& stop, int writer);
  void Acknowledge(const std::string& body, const std::string& name);

  const int writer_count_;
  const int article_count_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string address_;                              // Guarded by mutex_.
  std::map<std::string, std::string> acknowledged_;  // Names by body. Guarded by mutex_.
  std::vector<Clock::time_point> times_;             // In order. Guarded by mutex_.
  std::vector<std::jthread> writers_;                // last: they use the other members
};

}  // namespace content::testing
