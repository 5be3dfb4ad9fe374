#include "import_files.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/call.h"
#include "transfer/exports/addresses.h"
#include "transfer/files.h"
#include "transfer/importer.h"
#include "transfer/report.h"

namespace content {
namespace {

constexpr size_t kMaxMapBytes = size_t{64} << 20;

// Waits for a signal that stops the import, on a thread of its own. The second one ends the
// process.
class Interruption {
 public:
  Interruption(StopSignals& signals, transfer::Report& report)
      : signals_(signals),
        report_(report),
        thread_([this](const std::stop_token& stop) { Await(stop); }) {}

  bool has_come() const { return has_come_; }

 private:
  static constexpr absl::Duration kInterval = absl::Milliseconds(20);

  void Await(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (!signals_.Await(kInterval)) continue;
      has_come_ = true;
      signals_.Release();
      return report_.Say(
          "contentd: ending after the current batch; one more signal ends it at once");
    }
  }

  StopSignals& signals_;
  transfer::Report& report_;
  std::atomic<bool> has_come_ = false;
  std::jthread thread_;  // Last: it uses the other members.
};

// The user who runs this process, for the audit trail.
std::shared_ptr<const Caller> CurrentUser() {
  passwd entry = {};
  passwd* user = nullptr;
  std::array<char, 16384> strings;
  getpwuid_r(getuid(), &entry, strings.data(), strings.size(), &user);
  return std::make_shared<Caller>(Caller{.identity = user != nullptr
                                                         ? absl::StrCat("os:", user->pw_name)
                                                         : absl::StrCat("os:", getuid())});
}

absl::StatusOr<std::vector<transfer::MappedAddress>> ReadMap(const std::string& path) {
  if (path.empty()) return std::vector<transfer::MappedAddress>();
  const absl::StatusOr<std::string> text = transfer::ReadFile(path, kMaxMapBytes);
  if (!text.ok()) return text.status();
  return transfer::ParseAddressMap(*text);
}

}  // namespace

int ImportFiles(const Config& config, Store* store, StopSignals& signals) {
  absl::StatusOr<std::vector<transfer::MappedAddress>> map = ReadMap(config.map_file);
  if (!map.ok()) {
    std::cerr << "contentd: --map: " << config.map_file << ": " << map.status().message() << "\n";
    return 2;
  }
  std::ofstream lines;
  if (!config.report_file.empty()) {
    lines.open(config.report_file, std::ios::trunc);
    if (!lines.is_open()) {
      std::cerr << "contentd: --report: " << config.report_file
                << " cannot be written: " << std::generic_category().message(errno) << "\n";
      return 2;
    }
  }
  transfer::Report report({.results = std::cout,
                           .messages = std::cerr,
                           .is_terminal = isatty(STDERR_FILENO) == 1,
                           .lines = lines.is_open() ? &lines : nullptr});
  signals.Hold();
  const Interruption interruption(signals, report);
  transfer::Importer importer({.paths = config.paths,
                               .format = config.format,
                               .overrides = config.overrides,
                               .source = config.import_source,
                               .map = *std::move(map),
                               .replace = config.replace,
                               .caller = CurrentUser(),
                               .is_stopped = [&] { return interruption.has_come(); }},
                              store, report);
  importer.Run();
  report.Finish();
  if (lines.is_open() && !lines.flush()) {
    std::cerr << "contentd: --report: " << config.report_file << " could not be written\n";
    return 1;
  }
  const int status = report.ExitStatus();
  return interruption.has_come() && status == 0 ? 1 : status;
}

}  // namespace content
