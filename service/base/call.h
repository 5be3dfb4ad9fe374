#pragma once

#include <functional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/errors.h"

// The two things that travel with every call: how long its caller waits (CallContext), and where
// its answer goes (Callback).
namespace content {

/// How long a caller waits. Every step checks this before it starts work (CheckCaller).
struct CallContext {
  SteadyTime deadline = SteadyTime::InfiniteFuture();
  /// Returns true once the caller has given up. May be empty. Called from any thread, but never
  /// after the call was answered.
  std::function<bool()> cancelled = {};
  /// The calling thread may wait for a short read. Says nothing about the threads that go on with
  /// the call later.
  bool may_run_here = false;

  bool is_cancelled() const { return cancelled && cancelled(); }
};

/// Returns OK while the caller waits, otherwise CANCELLED or DEADLINE_EXCEEDED.
inline absl::Status CheckCaller(const CallContext& context, SteadyTime now = SteadyNow()) {
  if (context.is_cancelled()) return Cancelled();
  return now < context.deadline ? absl::OkStatus() : DeadlineExceeded();
}

/// Receives the answer to an asynchronous call: an absl::StatusOr<T>, or an absl::Status if T is
/// void. It is called once, on any thread, and must not block:
///
///   std::move(done)(article);
///
/// A callback that is destroyed or replaced before it was called answers INTERNAL and logs an
/// error, so every call is answered exactly once. Move-only; empty once it has been called or moved
/// from. Not thread-safe. Costs one allocation if the function has more than two words of state.
template <class T>
class Callback {
 public:
  using Answer = std::conditional_t<std::is_void_v<T>, absl::Status, absl::StatusOr<T>>;

  /// An empty callback, which answers nobody.
  Callback() = default;

  template <class Function,
            class = std::enable_if_t<!std::is_same_v<std::decay_t<Function>, Callback> &&
                                     std::is_invocable_v<std::decay_t<Function>, Answer>>>
  Callback(Function&& function)  // NOLINT(google-explicit-constructor): a lambda is a callback
      : function_(std::forward<Function>(function)) {}

  Callback(Callback&& other) noexcept : function_(other.Take()) {}

  Callback& operator=(Callback&& other) noexcept {
    Callback replaced(std::move(other));
    std::swap(function_, replaced.function_);
    return *this;
  }

  ~Callback() {
    if (function_) Take()(Internal("a call was dropped without an answer"));
  }

  /// Gives the answer. Must not be empty.
  void operator()(Answer answer) && { Take()(std::move(answer)); }

  /// True until the answer has been given.
  explicit operator bool() const { return static_cast<bool>(function_); }

 private:
  using AnyFunction = absl::AnyInvocable<void(Answer) &&>;

  // A moved-from AnyInvocable need not be empty.
  AnyFunction Take() { return std::exchange(function_, nullptr); }

  AnyFunction function_;
};

}  // namespace content
