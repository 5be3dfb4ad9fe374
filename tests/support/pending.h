#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/call.h"

namespace content::testing {

/// An asynchronous call whose answer the test looks at later (Await waits at once):
///
///   Pending<v1::Comment> comment;
///   store.GetComment({}, id, min_revision, comment.callback());
///   EXPECT_EQ(comment.Get()->body(), "text");
template <class T>
class Pending {
 public:
  using Answer = typename Callback<T>::Answer;

  /// Returns the callback to pass to the call. Call it once.
  Callback<T> callback() {
    return [promise = std::move(promise_)](Answer answer) mutable {
      promise.set_value(std::move(answer));
    };
  }

  bool is_answered() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  /// Waits for the answer and returns it. Fails the test if there is none after two minutes. Call
  /// it once.
  Answer Get() {
    if (future_.wait_for(std::chrono::minutes(2)) == std::future_status::ready) {
      return future_.get();
    }
    ADD_FAILURE() << "a call was not answered";
    return absl::DeadlineExceededError("not answered");
  }

 private:
  std::promise<Answer> promise_;
  std::future<Answer> future_ = promise_.get_future();
};

}  // namespace content::testing
