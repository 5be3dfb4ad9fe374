#include "api/call_log.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "access/identity.h"
#include "api/call_record.h"
#include "base/errors.h"
#include "base/trace_context.h"
#include "content/uuid.h"
#include "telemetry/log.h"
#include "telemetry/traces.h"

namespace content::api {
namespace {

using Kind = CallTrace::Kind;
using Step = CallTrace::Step;

constexpr char kTraceparentKey[] = "traceparent";
// Longer ids are cut.
constexpr size_t kMaxRequestIdBytes = 128;

// Returns the value of a header that was sent once; nullopt if it was not, or several times.
std::optional<absl::string_view> OnlyHeader(const grpc::ServerContextBase& context,
                                            const char* name) {
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find(name);
  if (header == metadata.end()) return std::nullopt;
  if (const auto next = std::next(header); next != metadata.end() && next->first == name) {
    return std::nullopt;
  }
  return absl::string_view(header->second.data(), header->second.size());
}

access::MethodSet FindStreams() {
  access::MethodSet streams;
  for (size_t place = 0; place < streams.size(); ++place) streams[place] = IsStream(place);
  return streams;
}

// ---- Ids ----

std::string RandomHex64() {
  thread_local absl::BitGen random;
  const auto bits = absl::Uniform<uint64_t>(absl::IntervalClosed, random, 1, UINT64_MAX);
  return absl::StrCat(absl::Hex(bits, absl::kZeroPad16));
}

bool IsChosen(double share) {
  thread_local absl::BitGen random;
  return share > 0 && absl::Bernoulli(random, share);
}

// Returns the id that the caller gave, or a new one if that is none: visible ASCII, so that it is
// one word in every log.
std::string RequestIdOf(const grpc::ServerContextBase& context) {
  const absl::string_view given = OnlyHeader(context, kRequestIdKey).value_or("");
  const bool is_valid = !given.empty() && std::all_of(given.begin(), given.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  return is_valid ? std::string(given.substr(0, kMaxRequestIdBytes)) : NewUuid();
}

// ---- The access log ----

// In milliseconds, to the microsecond.
double Milliseconds(absl::Duration duration) {
  return std::round(absl::ToDoubleMicroseconds(duration)) / 1000;
}

void WriteLine(const CallRecord& record, const absl::Status& status, absl::Duration took,
               const std::string& request_id, const std::string& peer) {
  const CallTrace& trace = *record.trace;
  std::vector<log::Field> fields = {{"request_id", request_id}, {"peer", peer}};
  if (record.caller && !record.caller->identity.empty()) {
    fields.emplace_back("caller", access::LoggedName(record.caller->identity));
  }
  fields.emplace_back("method", access::kMethods[record.method]);
  fields.emplace_back("code", absl::StatusCodeToString(status.code()));
  if (!status.ok()) fields.emplace_back("reason", ReasonOf(status));
  fields.emplace_back("request_bytes", record.request_bytes);
  fields.emplace_back("response_bytes", record.response_bytes);
  fields.emplace_back("total_ms", Milliseconds(took));
  if (const absl::Duration queued = trace.Total(Kind::kQueue); queued > absl::ZeroDuration()) {
    fields.emplace_back("queue_ms", Milliseconds(queued));
  }
  if (const size_t batch_size = trace.LargestBatch(); batch_size > 0) {
    fields.emplace_back("database_ms", Milliseconds(trace.Total(Kind::kDatabase)));
    fields.emplace_back("batch_size", batch_size);
  }
  const std::string& trace_id = trace.context().trace_id;
  if (!trace_id.empty()) fields.emplace_back("trace_id", trace_id);
  log::Record("call", fields);
}

// ---- Spans ----

// The codes with which a server, not its caller, has failed (OpenTelemetry's conventions for gRPC).
bool IsFaultOfServer(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

std::string NameOf(Kind kind) {
  switch (kind) {
    case Kind::kQueue:
      return "queue";
    case Kind::kDatabase:
      return "batch";
    case Kind::kStatement:
      return "statement";
    case Kind::kCommit:
      break;
  }
  return "commit";
}

// Makes the spans of one call.
class Spans {
 public:
  // `now` is the present.
  Spans(const CallRecord& record, SteadyTime now)
      : record_(record), trace_(*record.trace), now_(now), date_(absl::Now()) {}

  traces::Span OfCall(const absl::Status& status, const std::string& peer) const {
    const absl::string_view method = access::kMethods[record_.method];
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(method, absl::MaxSplits('/', 1));
    return {.trace_id = trace_.context().trace_id,
            .id = call_id_,
            .parent_id = trace_.context().parent_id,
            .name = std::string(method),
            .kind = traces::Span::Kind::kServer,
            .start = DateOf(record_.arrival),
            .end = date_,
            .has_failed = IsFaultOfServer(status.code()),
            .attributes = {{"rpc.system", "grpc"},
                           {"rpc.service", std::string(parts.first)},
                           {"rpc.method", std::string(parts.second)},
                           {"rpc.grpc.status_code", static_cast<int64_t>(status.code())},
                           {"content.peer", peer}}};
  }

  // Round trips are parts of the time in which the call had the connection.
  std::vector<traces::Span> OfSteps() const {
    const std::vector<Step> steps = trace_.Steps();
    std::vector<std::string> ids;
    ids.reserve(steps.size());
    for (size_t i = 0; i < steps.size(); ++i) ids.push_back(RandomHex64());
    std::vector<traces::Span> spans;
    spans.reserve(steps.size());
    for (size_t i = 0; i < steps.size(); ++i) {
      const std::optional<size_t> whole = WholeOf(steps, steps[i]);
      spans.push_back({.trace_id = trace_.context().trace_id,
                       .id = ids[i],
                       .parent_id = whole ? ids[*whole] : call_id_,
                       .name = NameOf(steps[i].kind),
                       .start = DateOf(steps[i].start),
                       .end = DateOf(steps[i].end)});
      if (steps[i].kind == Kind::kQueue) continue;
      spans.back().attributes.emplace_back("db.system.name", "postgresql");
      if (steps[i].kind == Kind::kDatabase) {
        spans.back().attributes.emplace_back("content.batch_size",
                                             static_cast<int64_t>(steps[i].batch_size));
      }
    }
    return spans;
  }

 private:
  // Returns the step that this one is a part of.
  static std::optional<size_t> WholeOf(const std::vector<Step>& steps, const Step& part) {
    if (part.kind != Kind::kStatement && part.kind != Kind::kCommit) return std::nullopt;
    const auto whole = std::find_if(steps.begin(), steps.end(), [&part](const Step& step) {
      return step.kind == Kind::kDatabase && step.start <= part.start && part.end <= step.end;
    });
    if (whole == steps.end()) return std::nullopt;
    return static_cast<size_t>(whole - steps.begin());
  }

  absl::Time DateOf(SteadyTime time) const { return date_ - (now_ - time); }

  const CallRecord& record_;
  const CallTrace& trace_;
  const SteadyTime now_;
  const absl::Time date_;
  const std::string call_id_ = RandomHex64();
};

}  // namespace

CallLog::CallLog(const CallLogOptions& options) : options_(options), streams_(FindStreams()) {}

std::shared_ptr<CallTrace> CallLog::Begin(const grpc::ServerContextBase& context) const {
  std::optional<TraceContext> trace;
  if (const auto header = OnlyHeader(context, kTraceparentKey)) {
    trace = ParseTraceparent(absl::StripAsciiWhitespace(*header));
  }
  if (!trace && options_.exporter != nullptr && IsChosen(options_.trace_share)) {
    trace = {.trace_id = absl::StrCat(RandomHex64(), RandomHex64()),
             .parent_id = "",
             .is_sampled = true};
  }
  const bool is_sampled = trace && trace->is_sampled;
  if (!is_sampled && options_.calls == LoggedCalls::kNone) return nullptr;
  return std::make_shared<CallTrace>(trace ? *std::move(trace) : TraceContext());
}

void CallLog::End(const CallRecord& record, const absl::Status& status, SteadyTime now,
                  grpc::ServerContextBase& context) {
  const absl::Duration took = now - record.arrival;
  if (IsLogged(record, status, took)) {
    const std::string request_id = RequestIdOf(context);
    context.AddTrailingMetadata(kRequestIdKey, request_id);
    WriteLine(record, status, took, request_id, context.peer());
  }
  if (options_.exporter == nullptr || !record.trace->context().is_sampled) return;
  const Spans spans(record, now);
  options_.exporter->Export(spans.OfCall(status, context.peer()));
  for (const traces::Span& span : spans.OfSteps()) options_.exporter->Export(span);
}

bool CallLog::IsLogged(const CallRecord& record, const absl::Status& status, absl::Duration took) {
  const bool is_error = !status.ok() && !absl::IsCancelled(status);
  if (is_error) return options_.calls >= LoggedCalls::kErrors;
  if (took >= options_.slow_call && !streams_[record.method]) {
    return options_.calls >= LoggedCalls::kSlow;
  }
  return options_.calls == LoggedCalls::kAll &&
         usual_calls_.fetch_add(1) % static_cast<uint64_t>(options_.one_in) == 0;
}

}  // namespace content::api
