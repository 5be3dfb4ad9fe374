#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "content/upkeep.h"

namespace content::testing {

/// Upkeep for the server's own maintenance. Check and ForgetRequests answer at once, as the test
/// says, until Hold. Thread-safe.
class FakeUpkeep final : public Upkeep {
 public:
  void ForgetRequests(CallContext, absl::Time before, Callback<int64_t> done) override {
    const std::lock_guard lock(mutex_);
    befores_.push_back(before);
    if (holds_) return held_forgets_.push_back(std::move(done));
    if (!status_.ok()) return std::move(done)(status_);
    int64_t count = 0;
    if (!old_requests_.empty()) {
      count = old_requests_.front();
      old_requests_.pop_front();
    }
    std::move(done)(count);
  }

  void Check(CallContext, Callback<void> done) override {
    const std::lock_guard lock(mutex_);
    ++check_count_;
    if (holds_) return held_checks_.push_back(std::move(done));
    std::move(done)(status_);
  }

  /// Every call is answered with `status` from now on, if it is not OK.
  void SetStatus(absl::Status status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }

  /// No call is answered any more while the fake lives.
  void Hold() {
    const std::lock_guard lock(mutex_);
    holds_ = true;
  }

  /// How many requests each call of ForgetRequests forgets. After that there are none.
  void SetOldRequests(std::deque<int64_t> counts) {
    const std::lock_guard lock(mutex_);
    old_requests_ = std::move(counts);
  }

  /// The times that ForgetRequests was called with.
  std::vector<absl::Time> befores() {
    const std::lock_guard lock(mutex_);
    return befores_;
  }

  int check_count() {
    const std::lock_guard lock(mutex_);
    return check_count_;
  }

  void ExportAuthor(CallContext, std::string, std::string, Callback<Page<v1::Comment>>) override {
    FAIL();
  }
  void EraseAuthor(CallContext, std::string, Callback<ErasedComments>) override { FAIL(); }
  void VerifyCounters(CallContext, VerifyQuery, Callback<VerifiedCounters>) override { FAIL(); }
  v1::StoreInfo GetInfo() override { return {}; }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  absl::Status status_;
  bool holds_ = false;
  std::deque<int64_t> old_requests_;
  std::vector<absl::Time> befores_;
  int check_count_ = 0;
  std::vector<Callback<int64_t>> held_forgets_;
  std::vector<Callback<void>> held_checks_;
};

}  // namespace content::testing
