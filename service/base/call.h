#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/errors.h"

// The two things that travel with every call: who makes it and how long that caller waits
// (CallContext), and where the answer goes (Callback).
namespace content {

/// Who makes a call, as far as its credentials say. All text is valid UTF-8 in NFC, as authors' ids
/// are (content/normalize.h), and without control characters.
struct Caller {
  /// `spiffe://DOMAIN/PATH`, `dns:NAME`, `cn:NAME` or `jwt:SUBJECT`; `os:USER` if somebody runs
  /// `contentd import`; empty if nothing names the caller.
  std::string identity = {};
  /// For whom the call is made: the subject of its token, which is an author's id. Empty without a
  /// token.
  std::string person = {};
  /// Whether the caller may write only as the author `person`.
  bool writes_only_as_person = false;
};

/// Who makes a call, and how long that caller waits. Every step checks the latter before it starts
/// work (CheckCaller).
struct CallContext {
  SteadyTime deadline = SteadyTime::InfiniteFuture();
  /// Returns true once the caller has given up. May be empty. Called from any thread, but never
  /// after the call was answered.
  std::function<bool()> cancelled = {};
  /// The calling thread may wait for a short read. Says nothing about the threads that go on with
  /// the call later.
  bool may_run_here = false;
  /// nullptr: nobody is known, or the server itself.
  std::shared_ptr<const Caller> caller = nullptr;

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
