#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Sends what happened during calls to a collector of traces, by the protocol of OpenTelemetry
// (OTLP). Only a build that found opentelemetry-cpp can.
namespace content::traces {

/// Something that happened from one moment to another. Ids are in lower-case hexadecimal digits: 32
/// of a trace, 16 of a span.
struct Span {
  enum class Kind { kServer, kInternal };

  std::string trace_id;
  std::string id;
  /// Empty if the trace begins with this span.
  std::string parent_id = {};
  std::string name;
  Kind kind = Kind::kInternal;
  absl::Time start;
  absl::Time end;
  /// Whether the server failed, rather than its caller.
  bool has_failed = false;
  std::vector<std::pair<absl::string_view, std::variant<std::string, int64_t>>> attributes = {};
};

/// Where spans go. Thread-safe.
class Exporter {
 public:
  virtual ~Exporter() = default;

  /// Takes a span. Never blocks: spans are dropped while too many wait.
  virtual void Export(const Span& span) = 0;
};

/// Whether NewOtlpExporter can be called in this build.
bool IsOtlpBuilt();

/// Returns an exporter to the collector at `endpoint` (http://HOST:PORT, or https with the system's
/// CAs), by OTLP over gRPC. It need not be reachable. The exporter sends what waits, for at most a
/// second, when it is destroyed. `version` is that of this program.
std::unique_ptr<Exporter> NewOtlpExporter(const std::string& endpoint, const std::string& version);

}  // namespace content::traces
