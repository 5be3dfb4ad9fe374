#include "export_files.h"

#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "interruption.h"
#include "transfer/out/exporter.h"

namespace content {
namespace {

// 1, "comment" -> "1 comment"
std::string Count(int64_t number, absl::string_view noun) {
  return absl::StrCat(number, " ", noun, number == 1 ? "" : "s");
}

int FailExport(const absl::Status& status, const transfer::OutputOptions& options) {
  const bool is_file = options.output != transfer::kStandardInput;
  if (absl::IsCancelled(status)) {
    std::cerr << (is_file ? "contentd: stopped; nothing was written\n"
                          : "contentd: stopped; the output is not complete\n");
  } else {
    std::cerr << "contentd: " << status.message() << "\n";
  }
  return 1;
}

}  // namespace

int ExportFiles(const Config& config, Exporting& store, StopSignals& signals) {
  transfer::OutputOptions options = config.exporting;
  signals.Hold();
  const Interruption interruption(
      signals, [] { std::cerr << "contentd: ending; one more signal ends it at once\n"; });
  options.is_stopped = [&interruption] { return interruption.has_come(); };
  if (isatty(STDERR_FILENO) == 1) options.progress = &std::cerr;
  const absl::StatusOr<transfer::ExportCounts> counts = transfer::ExportAll(options, store);
  if (!counts.ok()) return FailExport(counts.status(), options);
  std::cerr << "exported " << Count(counts->articles, "article");
  if (options.format == transfer::OutputFormat::kNdjson) {
    std::cerr << " and " << Count(counts->comments, "comment") << "\n";
  } else {
    std::cerr << ", without comments\n";
  }
  return 0;
}

}  // namespace content
