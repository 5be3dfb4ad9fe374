#include "tls/reloader.h"

#include <utility>

#include "absl/memory/memory.h"
#include "telemetry/log.h"

namespace content::tls {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kValidationInterval = absl::Seconds(10);
constexpr absl::Duration kReportInterval = absl::Hours(1);
constexpr absl::Duration kWarningInterval = absl::Hours(24);
constexpr absl::Duration kExpiresSoon = absl::Hours(14 * 24);

}  // namespace

Reloader::Reloader(const Paths& operators, std::unique_ptr<Staging> staging, SteadyClock& clock,
                   std::function<absl::Time()> now)
    : operators_(operators), staging_(std::move(staging)), clock_(clock), now_(std::move(now)) {}

absl::StatusOr<std::unique_ptr<Reloader>> Reloader::Start(const Paths& operators,
                                                          SteadyClock& clock,
                                                          std::function<absl::Time()> now) {
  absl::StatusOr<std::unique_ptr<Staging>> staging = Staging::Create();
  if (!staging.ok()) return staging.status();
  auto reloader =
      absl::WrapUnique(new Reloader(operators, *std::move(staging), clock, std::move(now)));
  if (absl::Status status = reloader->Reload(); !status.ok()) return status;
  reloader->thread_ =
      std::jthread([self = reloader.get()](const std::stop_token& stop) { self->Run(stop); });
  return reloader;
}

void Reloader::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    WarnOfExpiry();
    clock_.SleepFor(kInterval, stop);
    absl::Status status = Repair();
    status.Update(Reload());
    if (status.ok()) continue;
    refused_.Add();
    ReportRefusal(status);
  }
}

absl::Status Reloader::Repair() {
  const absl::StatusOr<bool> was_damaged = staging_->Repair();
  if (!was_damaged.ok()) return was_damaged.status();
  if (*was_damaged) log::Warning("certificates staged again");
  return absl::OkStatus();
}

absl::Status Reloader::Reload() {
  absl::StatusOr<Files> files = ReadFiles(operators_);
  if (files == seen_ && clock_.Now() < next_validation_) return result_;
  next_validation_ = clock_.Now() + kValidationInterval;
  seen_ = std::move(files);
  result_ = seen_.ok() ? Take(*seen_) : seen_.status();
  if (!result_.ok()) used_.reset();
  return result_;
}

absl::Status Reloader::Take(const Files& files) {
  const absl::StatusOr<Certificates> certificates = Validate(operators_, files, now_());
  if (!certificates.ok()) return certificates.status();
  if (files == used_) return absl::OkStatus();
  if (absl::Status status = staging_->Replace(*certificates); !status.ok()) return status;
  used_ = files;
  not_after_ = certificates->not_after;
  not_after_seconds_ = absl::ToUnixSeconds(not_after_);
  next_warning_ = SteadyTime::InfinitePast();
  reported_.clear();
  log::Info("certificates loaded",
            {{"subject", certificates->subject},
             {"not_after", absl::FormatTime(not_after_, absl::UTCTimeZone())},
             {"sha256", certificates->fingerprint},
             {"revocation_lists", certificates->crls.size()}});
  for (const std::string& issuer : certificates->expired_issuers) {
    log::Warning("revocation list ignored", {{"issuer", issuer}});
  }
  return absl::OkStatus();
}

void Reloader::ReportRefusal(const absl::Status& status) {
  const std::string cause(status.message());
  if (cause == reported_ && clock_.Now() < next_report_) return;
  reported_ = cause;
  next_report_ = clock_.Now() + kReportInterval;
  log::Error("certificates refused", {{"cause", cause}});
}

void Reloader::WarnOfExpiry() {
  const absl::Duration left = not_after_ - now_();
  if (left > kExpiresSoon || clock_.Now() < next_warning_) return;
  next_warning_ = clock_.Now() + kWarningInterval;
  log::Warning("certificate expires soon",
               {{"not_after", absl::FormatTime(not_after_, absl::UTCTimeZone())},
                {"days_left", absl::ToInt64Hours(left) / 24}});
}

}  // namespace content::tls
