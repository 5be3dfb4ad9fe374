#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "telemetry/metrics.h"
#include "tls/certificates.h"
#include "tls/files.h"
#include "tls/staging.h"

namespace content::tls {

/// Keeps a server's certificates up to date with its operator's files. Once a second a thread reads
/// the files. If they have changed they are validated, and replace the staged ones; a set that is
/// not valid is logged, and leaves the staged ones in use. Time alone can change that, so the files
/// are validated again every ten seconds. Staged files that somebody has removed are written again.
/// Also warns, once a day, of a certificate that soon expires.
class Reloader {
 public:
  /// Stages the files. The error names the file that is wrong, and what is wrong with it. `clock`
  /// must outlive the reloader; `now` gives the date.
  static absl::StatusOr<std::unique_ptr<Reloader>> Start(
      const Paths& operators, SteadyClock& clock = SteadyClock::System(),
      std::function<absl::Time()> now = absl::Now);

  /// Removes the staged files.
  ~Reloader() = default;

  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// The files to use, which never change place.
  Paths staged() const { return staging_->PathsLike(operators_); }

  /// The operator's files.
  const Paths& operators() const { return operators_; }

  /// When the certificate in use expires. Thread-safe.
  absl::Time not_after() const { return absl::FromUnixSeconds(not_after_seconds_); }

  /// Returns how often the files were found not to be valid, also if they were the same as before.
  uint64_t refused_count() const { return refused_.Read(); }

 private:
  Reloader(const Paths& operators, std::unique_ptr<Staging> staging, SteadyClock& clock,
           std::function<absl::Time()> now);

  void Run(const std::stop_token& stop);
  absl::Status Repair();
  absl::Status Reload();
  absl::Status Take(const Files& files);
  void ReportRefusal(const absl::Status& status);
  void WarnOfExpiry();

  const Paths operators_;
  const std::unique_ptr<Staging> staging_;
  SteadyClock& clock_;
  const std::function<absl::Time()> now_;

  absl::StatusOr<Files> seen_;  // what was read last
  absl::Status result_;         // of validating it
  SteadyTime next_validation_ = SteadyTime::InfinitePast();
  metrics::Counter refused_;
  std::optional<Files> used_;  // those that are staged; nullopt once others were refused
  absl::Time not_after_;       // of the staged certificate
  std::atomic<int64_t> not_after_seconds_ = 0;  // the same in Unix time, for other threads
  SteadyTime next_warning_ = SteadyTime::InfinitePast();
  std::string reported_;  // the cause of the last refusal that was logged
  SteadyTime next_report_ = SteadyTime::InfinitePast();

  std::jthread thread_;  // Last: it uses the other members.
};

}  // namespace content::tls
