// Takes the place of otlp.cc where opentelemetry-cpp was not found.

#include "telemetry/traces.h"

namespace content::traces {

bool IsOtlpBuilt() { return false; }

std::unique_ptr<Exporter> NewOtlpExporter(const std::string&, const std::string&) {
  return nullptr;
}

}  // namespace content::traces
