#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/errors.h"

// A call from outside, as everything that works on it sees it: how long its caller waits, and where
// the answer goes.
namespace content {

/// How long a caller waits. Every step checks this before it starts work.
struct CallContext {
  SteadyTime deadline = SteadyTime::InfiniteFuture();
  /// Returns true once the caller has given up. May be empty. Called from any thread, but never
  /// after the call was answered.
  std::function<bool()> cancelled = {};

  bool is_cancelled() const { return cancelled && cancelled(); }
};

/// OK while the caller waits; otherwise CANCELLED or DEADLINE_EXCEEDED.
inline absl::Status CheckCaller(const CallContext& context, SteadyTime now = SteadyNow()) {
  if (context.is_cancelled()) return Cancelled();
  return now < context.deadline ? absl::OkStatus() : DeadlineExceeded();
}

/// Receives the answer of an asynchronous call: an absl::StatusOr<T>, or an absl::Status if T is
/// void. It is called exactly once, on any thread, and must not block:
///
///   std::move(done)(article);
///
/// A callback that is destroyed before it was called answers INTERNAL and logs that, so no caller
/// waits for ever. Move-only. A moved-from callback is empty.
template <class T>
class Callback {
 public:
  using Answer = std::conditional_t<std::is_void_v<T>, absl::Status, absl::StatusOr<T>>;

  Callback() = default;

  template <class Function,
            class = std::enable_if_t<!std::is_same_v<std::decay_t<Function>, Callback> &&
                                     std::is_invocable_v<std::decay_t<Function>, Answer>>>
  Callback(Function&& function)  // NOLINT(google-explicit-constructor): a lambda is a callback
      : function_(std::forward<Function>(function)) {}

  Callback(Callback&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}

  Callback& operator=(Callback&& other) noexcept {
    const Callback replaced(std::exchange(function_, std::exchange(other.function_, nullptr)));
    return *this;
  }

  ~Callback() {
    if (function_) std::move (*this)(Internal("a call was dropped without an answer"));
  }

  /// Gives the answer. The callback must not be empty, and is empty afterwards.
  void operator()(Answer answer) && {
    Function function = std::exchange(function_, nullptr);
    std::move(function)(std::move(answer));
  }

  /// Whether it still has to be called.
  explicit operator bool() const { return static_cast<bool>(function_); }

 private:
  using Function = absl::AnyInvocable<void(Answer) &&>;

  explicit Callback(Function&& function) : function_(std::move(function)) {}

  Function function_;
};

}  // namespace content
