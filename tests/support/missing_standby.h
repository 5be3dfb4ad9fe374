#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "support/database.h"

namespace content::testing {

/// While it exists, commits on the PostgreSQL of `url` wait for a standby that does not exist.
/// Those of a Session do not wait. At most one at a time.
class MissingStandby {
 public:
  explicit MissingStandby(const std::string& url) : url_(url) {
    Query(url_, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    Query(url_, "SELECT pg_reload_conf()");
    // The setting counts as soon as a process of PostgreSQL has read it.
    std::atomic<bool> counts = false;
    const std::jthread writer([&] {
      Session session(url_);
      session.Run("SET synchronous_commit = on");
      while (!counts) session.Run("SELECT pg_logical_emit_message(true, 'test', '')");
    });
    const std::string waiter = AwaitWaiter();
    counts = true;
    Cancel(waiter);
  }

  ~MissingStandby() {
    Query(url_, "ALTER SYSTEM RESET synchronous_standby_names");
    Query(url_, "SELECT pg_reload_conf()");
  }

  MissingStandby(const MissingStandby&) = delete;
  MissingStandby& operator=(const MissingStandby&) = delete;

  /// Returns the process of a session of the database whose commit waits, other than `former`;
  /// empty if there is none.
  std::string Waiter(const std::string& former = "0") const {
    return Query(url_, absl::StrCat("SELECT min(pid) FROM pg_stat_activity WHERE wait_event = "
                                    "'SyncRep' AND datname = current_database() AND pid <> ",
                                    former));
  }

  /// Waits until there is one. Fails the test if that takes too long.
  std::string AwaitWaiter(const std::string& former = "0") const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      if (std::string waiter = Waiter(former); !waiter.empty()) return waiter;
      std::this_thread::yield();
    }
    ADD_FAILURE() << "no commit waits for a standby";
    return "0";
  }

  /// Ends the wait of a process, and with it the transaction, which is committed.
  void Cancel(const std::string& process) const {
    Query(url_, absl::StrCat("SELECT pg_cancel_backend(", process, ")"));
  }

  /// Ends its session too, so that the client does not learn that.
  void Terminate(const std::string& process) const {
    Query(url_, absl::StrCat("SELECT pg_terminate_backend(", process, ")"));
  }

 private:
  const std::string url_;
};

/// How a commit that waits for a standby ends, although none has it.
using EndOfWait = void (MissingStandby::*)(const std::string& process) const;

/// Calls `write` while commits wait for a standby that does not exist, and ends the wait of its
/// first commit. Returns its answer, which must not come before the write has waited for a standby
/// again, and commits need not wait any more. `end_of_wait` is nullptr for a write that has no
/// commit of its own to lose.
template <class Write>
auto AnswerOnceAStandbyHasIt(const std::string& url, EndOfWait end_of_wait, Write write) {
  std::optional<MissingStandby> standby(url);
  std::atomic<bool> is_answered = false;
  std::optional<decltype(write())> answer;
  {
    const std::jthread caller([&] {
      answer = write();
      is_answered = true;
    });
    std::string former = "0";
    if (end_of_wait != nullptr) {
      former = standby->AwaitWaiter();
      ((*standby).*end_of_wait)(former);
    }
    while (!is_answered && standby->Waiter(former).empty()) std::this_thread::yield();
    EXPECT_FALSE(is_answered) << "no standby has it";
    standby.reset();
  }
  return *std::move(answer);
}

}  // namespace content::testing
