#include "import_files.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/call.h"
#include "interruption.h"
#include "transfer/importer.h"
#include "transfer/report.h"

namespace content {
namespace {

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

}  // namespace

int ImportFiles(const Config& config, Publishing* publishing, StopSignals& signals) {
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
  const Interruption interruption(signals, [&report] {
    report.Say("contentd: ending after the current batch; one more signal ends it at once");
  });
  transfer::Importer importer({.paths = config.paths,
                               .format = config.format,
                               .overrides = config.overrides,
                               .replace = config.replace,
                               .caller = CurrentUser(),
                               .is_stopped = [&] { return interruption.has_come(); }},
                              publishing, report);
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
