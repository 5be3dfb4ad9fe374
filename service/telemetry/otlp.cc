#include <opentelemetry/common/timestamp.h>
#include <opentelemetry/exporters/otlp/otlp_grpc_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_grpc_exporter_options.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/processor.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/span_context.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "telemetry/log.h"
#include "telemetry/traces.h"

namespace content::traces {
namespace {

namespace otel = opentelemetry;

// Spans that wait beyond these are dropped. They are sent together: so a collector that hangs when
// the process ends is waited for at most twice, with what is under way and with what waits.
constexpr size_t kMaxWaiting = 2'048;
constexpr std::chrono::milliseconds kTimeout{450};

int Digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

// Returns the invalid id if `hex` is empty.
template <class Id>
Id ParseId(const std::string& hex) {
  std::array<uint8_t, Id::kSize> bytes{};
  for (size_t i = 0; i < hex.size() && i / 2 < bytes.size(); ++i) {
    bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] << 4 | Digit(hex[i]));
  }
  return Id(otel::nostd::span<const uint8_t, Id::kSize>(bytes.data(), bytes.size()));
}

// The library logs a line for each span that it drops, to standard output.
class QuietLog final : public otel::sdk::common::internal_log::LogHandler {
 public:
  void Handle(otel::sdk::common::internal_log::LogLevel level, const char*, int,
              const char* message, const otel::sdk::common::AttributeMap&) noexcept override {
    if (level > otel::sdk::common::internal_log::LogLevel::Warning || message == nullptr) return;
    log::Warning("traces not sent", {{"message", message}});
  }
};

class OtlpExporter final : public Exporter {
 public:
  OtlpExporter(const std::string& endpoint, const std::string& version)
      : resource_(otel::sdk::resource::Resource::Create(
            {{"service.name", "contentd"}, {"service.version", version}})),
        scope_(otel::sdk::instrumentationscope::InstrumentationScope::Create("contentd", version)) {
    otel::exporter::otlp::OtlpGrpcExporterOptions options;
    options.endpoint = endpoint;
    options.use_ssl_credentials = absl::StartsWith(endpoint, "https:");
    options.timeout = kTimeout;
    otel::sdk::trace::BatchSpanProcessorOptions batches;
    batches.max_queue_size = kMaxWaiting;
    batches.max_export_batch_size = kMaxWaiting;
    processor_ = otel::sdk::trace::BatchSpanProcessorFactory::Create(
        otel::exporter::otlp::OtlpGrpcExporterFactory::Create(options), batches);
  }

  ~OtlpExporter() override { processor_->Shutdown(2 * kTimeout); }

  OtlpExporter(const OtlpExporter&) = delete;
  OtlpExporter& operator=(const OtlpExporter&) = delete;

  // Fills what the SDK would, had its spans been open during the call: they are known only at its
  // end, with their ids.
  void Export(const Span& span) override {
    std::unique_ptr<otel::sdk::trace::Recordable> recordable = processor_->MakeRecordable();
    recordable->SetIdentity(
        otel::trace::SpanContext(ParseId<otel::trace::TraceId>(span.trace_id),
                                 ParseId<otel::trace::SpanId>(span.id),
                                 otel::trace::TraceFlags(otel::trace::TraceFlags::kIsSampled),
                                 /*is_remote=*/false),
        ParseId<otel::trace::SpanId>(span.parent_id));
    recordable->SetName(span.name);
    recordable->SetSpanKind(span.kind == Span::Kind::kServer ? otel::trace::SpanKind::kServer
                                                             : otel::trace::SpanKind::kInternal);
    recordable->SetStartTime(
        otel::common::SystemTimestamp(std::chrono::nanoseconds(absl::ToUnixNanos(span.start))));
    recordable->SetDuration(absl::ToChronoNanoseconds(span.end - span.start));
    for (const auto& [key, value] : span.attributes) {
      const otel::nostd::string_view name(key.data(), key.size());
      if (const auto* const text = std::get_if<std::string>(&value)) {
        recordable->SetAttribute(name, otel::nostd::string_view(*text));
      } else {
        recordable->SetAttribute(name, std::get<int64_t>(value));
      }
    }
    if (span.has_failed) recordable->SetStatus(otel::trace::StatusCode::kError, "");
    recordable->SetResource(resource_);
    recordable->SetInstrumentationScope(*scope_);
    processor_->OnEnd(std::move(recordable));
  }

 private:
  const otel::sdk::resource::Resource resource_;
  const std::unique_ptr<otel::sdk::instrumentationscope::InstrumentationScope> scope_;
  std::unique_ptr<otel::sdk::trace::SpanProcessor> processor_;
};

}  // namespace

bool IsOtlpBuilt() { return true; }

std::unique_ptr<Exporter> NewOtlpExporter(const std::string& endpoint, const std::string& version) {
  otel::sdk::common::internal_log::GlobalLogHandler::SetLogHandler(
      otel::nostd::shared_ptr<otel::sdk::common::internal_log::LogHandler>(new QuietLog));
  return std::make_unique<OtlpExporter>(endpoint, version);
}

}  // namespace content::traces
