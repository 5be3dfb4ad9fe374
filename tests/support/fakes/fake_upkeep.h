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

/// Upkeep for the server's own maintenance. Check, ForgetRequests, ForgetAuditEvents and
/// ReleaseNextArticle answer at once, as the test says, until Hold. Thread-safe.
class FakeUpkeep final : public Upkeep {
 public:
  void ForgetRequests(CallContext, absl::Duration retention,
                      Callback<ForgottenRequests> done) override {
    const std::lock_guard lock(mutex_);
    retentions_.push_back(retention);
    if (holds_) return held_forgets_.push_back(std::move(done));
    if (!status_.ok()) return std::move(done)(status_);
    int64_t count = 0;
    if (!old_requests_.empty()) {
      count = old_requests_.front();
      old_requests_.pop_front();
    }
    std::move(done)(ForgottenRequests{.count = count, .retention = retention});
  }

  void ForgetAuditEvents(CallContext, absl::Duration retention, Callback<int64_t> done) override {
    const std::lock_guard lock(mutex_);
    audit_retentions_.push_back(retention);
    if (holds_) return held_audit_forgets_.push_back(std::move(done));
    if (!status_.ok()) return std::move(done)(status_);
    int64_t count = 0;
    if (!old_events_.empty()) {
      count = old_events_.front();
      old_events_.pop_front();
    }
    std::move(done)(count);
  }

  absl::Duration RequestRetention() override { return absl::ZeroDuration(); }

  void ReleaseNextArticle(CallContext, Callback<absl::Duration> done) override {
    const std::lock_guard lock(mutex_);
    ++release_count_;
    if (holds_) return held_releases_.push_back(std::move(done));
    if (!status_.ok()) return std::move(done)(status_);
    absl::Duration due_in = absl::InfiniteDuration();
    if (!schedule_.empty()) {
      due_in = schedule_.front();
      schedule_.pop_front();
    }
    std::move(done)(due_in);
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

  /// The same for ForgetAuditEvents.
  void SetOldEvents(std::deque<int64_t> counts) {
    const std::lock_guard lock(mutex_);
    old_events_ = std::move(counts);
  }

  /// The retentions that ForgetAuditEvents was called with.
  std::vector<absl::Duration> audit_retentions() {
    const std::lock_guard lock(mutex_);
    return audit_retentions_;
  }

  /// The retentions that ForgetRequests was called with.
  std::vector<absl::Duration> retentions() {
    const std::lock_guard lock(mutex_);
    return retentions_;
  }

  /// What each call of ReleaseNextArticle answers. After that, no article is scheduled.
  void SetSchedule(std::deque<absl::Duration> due_in) {
    const std::lock_guard lock(mutex_);
    schedule_ = std::move(due_in);
  }

  int release_count() {
    const std::lock_guard lock(mutex_);
    return release_count_;
  }

  int check_count() {
    const std::lock_guard lock(mutex_);
    return check_count_;
  }

  void ExportAuthor(CallContext, std::string, std::string, Callback<Page<v1::Comment>>) override {
    FAIL();
  }
  void EraseAuthor(CallContext, Erasure, Callback<ErasedComments>) override { FAIL(); }
  void VerifyCounters(CallContext, VerifyQuery, Callback<VerifiedCounters>) override { FAIL(); }
  v1::StoreInfo GetInfo() override { return {}; }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  absl::Status status_;
  bool holds_ = false;
  std::deque<int64_t> old_requests_;
  std::vector<absl::Duration> retentions_;
  std::deque<int64_t> old_events_;
  std::vector<absl::Duration> audit_retentions_;
  std::deque<absl::Duration> schedule_;
  int release_count_ = 0;
  int check_count_ = 0;
  std::vector<Callback<ForgottenRequests>> held_forgets_;
  std::vector<Callback<int64_t>> held_audit_forgets_;
  std::vector<Callback<absl::Duration>> held_releases_;
  std::vector<Callback<void>> held_checks_;
};

}  // namespace content::testing
