#include "import_files.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/call.h"
#include "interruption.h"
#include "transfer/exports/addresses.h"
#include "transfer/files.h"
#include "transfer/importer.h"
#include "transfer/report.h"

namespace content {
namespace {

constexpr size_t kMaxMapBytes = size_t{64} << 20;

constexpr size_t kHeadBytes = 64;

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

// Opens the file for the report, if the user wants one. It must not be one that has something else,
// such as an article. Returns what is wrong; empty if nothing is.
std::string OpenReport(const std::string& path, std::ofstream& lines) {
  if (path.empty()) return "";
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) {
    const absl::StatusOr<std::string> head = transfer::ReadFile(path, kHeadBytes);
    if (!head.ok()) return std::string(head.status().message());
    if (!head->empty() && !transfer::BeginsAsReport(*head)) {
      return "is there, and is no report; give another file";
    }
  }
  lines.open(path, std::ios::trunc);
  if (lines.is_open()) return "";
  return absl::StrCat("cannot be written: ", std::generic_category().message(errno));
}

int FailReport(const std::string& path, absl::string_view problem) {
  std::cerr << "contentd: --report: " << transfer::Printable(path) << " " << problem << "\n";
  return 2;
}

}  // namespace

int ImportFiles(const Config& config, Store* store, StopSignals& signals) {
  absl::StatusOr<std::vector<transfer::MappedAddress>> map = ReadMap(config.map_file);
  if (!map.ok()) {
    std::cerr << "contentd: --map: " << config.map_file << ": " << map.status().message() << "\n";
    return 2;
  }
  std::ofstream lines;
  if (const std::string problem = OpenReport(config.report_file, lines); !problem.empty()) {
    return FailReport(config.report_file, problem);
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
                               .source = config.import_source,
                               .map = *std::move(map),
                               .report_file = config.report_file,
                               .replace = config.replace,
                               .caller = CurrentUser(),
                               .is_stopped = [&] { return interruption.has_come(); }},
                              store, report);
  const bool is_complete = importer.Run();
  report.Finish(is_complete);
  int status = report.ExitStatus();
  if (lines.is_open() && !lines.flush()) {
    FailReport(config.report_file, "could not be written");
    status = std::max(status, 1);
  }
  return is_complete ? status : std::max(status, 1);
}

}  // namespace content
