#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/call_trace.h"
#include "base/clock.h"
#include "base/errors.h"

// The two things that travel with every call: who makes it and how long that caller waits
// (CallContext), and where the answer goes (Callback).
namespace content {

/// Who makes calls. Where there is not enough for all, accounts take turns.
using Account = uint64_t;

/// The account of the server's own work.
inline constexpr Account kOwnWork = 0;

/// Returns the account of an identity. Never kOwnWork. Differs from one process to another. Two
/// names rarely have the same account, and then share what one of them may have.
inline Account AccountOf(absl::string_view identity) {
  const auto hash = static_cast<uint32_t>(absl::Hash<absl::string_view>{}(identity));
  return std::max<Account>(hash, kOwnWork + 1);
}

/// The same for a connection without an identity, from `origin`: all that the connections of one
/// client have in common.
inline Account AccountOf(absl::string_view connection, absl::string_view origin) {
  return (AccountOf(connection) << 32) | AccountOf(origin);
}

/// Returns the account that stands for the origin of a connection's account; that of an identity is
/// its own.
inline Account OriginOf(Account account) { return static_cast<uint32_t>(account); }

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
  /// Returns the account of a caller without an identity. Empty: kOwnWork. Called like `cancelled`,
  /// but only where calls may have to wait, because it may allocate.
  std::function<Account()> account_of = {};
  /// Only confirms what is cached. Goes on while memory is short, like the server's own work.
  bool confirms = false;
  /// Learns what the call goes through. nullptr: nobody wants to know.
  std::shared_ptr<CallTrace> trace = nullptr;

  bool is_cancelled() const { return cancelled && cancelled(); }

  /// Returns the account of the caller's identity or, if it has none, of its connection. So one
  /// identity is one account on all of its connections.
  Account account() const {
    if (caller && !caller->identity.empty()) return AccountOf(caller->identity);
    return account_of ? account_of() : kOwnWork;
  }
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
