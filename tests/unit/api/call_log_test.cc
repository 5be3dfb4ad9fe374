// What is written about calls, made over gRPC: e2e/calls_test.cc does the same with the database.

#include "api/call_log.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "access/gate.h"
#include "api/admission.h"
#include "api/raw_service.h"
#include "content/errors.h"
#include "content/v1/content_service.grpc.pb.h"
#include "telemetry/log.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kNotSampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class Collector final : public traces::Exporter {
 public:
  void Export(const traces::Span& span) override {
    const std::lock_guard lock(mutex_);
    spans_.push_back(span);
  }

  std::vector<traces::Span> spans() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<traces::Span> spans_;  // Guarded by mutex_.
};

using Handler = std::function<absl::StatusOr<v1::GetCommentResponse>(const CallContext&)>;

void Handle(Handler& handler, CallContext call, v1::GetCommentRequest,
            Callback<v1::GetCommentResponse> done) {
  std::move(done)(handler(call));
}

absl::StatusOr<std::unique_ptr<Producer>> WatchNothing(Handler&, const v1::WatchCommentsRequest&) {
  return CommentNotFound("articles/a/comments/c");
}

// A server whose calls are written about as the options say.
class Served {
 public:
  explicit Served(const CallLogOptions& options) : recorder_(options) {
    log::Configure(log::Level::kError, log::Format::kJson);
    ::testing::internal::CaptureStderr();
    service_.Unary(Handle, handler);
    service_.Watch(WatchNothing, handler, absl::InfiniteDuration());
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = v1::ContentService::NewStub(server_->InProcessChannel({}));
  }

  ~Served() {
    server_->Shutdown();
    if (!has_ended_) Lines();
    log::Configure(log::Level::kInfo, log::Format::kAuto);
  }

  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  // Makes a call. Returns the request id that came with the answer; empty if none did.
  std::string Call(const Headers& headers = {}) {
    grpc::ClientContext context;
    for (const auto& [key, value] : headers) context.AddMetadata(key, value);
    v1::GetCommentRequest request;
    request.set_name("articles/secret/comments/secret");
    v1::GetCommentResponse response;
    stub_->GetComment(&context, request, &response);
    const auto& metadata = context.GetServerTrailingMetadata();
    const auto id = metadata.find(kRequestIdKey);
    return id == metadata.end() ? "" : std::string(id->second.data(), id->second.size());
  }

  void Watch() {
    grpc::ClientContext context;
    const auto reader = stub_->WatchComments(&context, {});
    v1::WatchCommentsResponse response;
    while (reader->Read(&response)) {
    }
    reader->Finish();
  }

  // Ends the log and returns its lines.
  std::vector<nlohmann::json> Lines() {
    has_ended_ = true;
    const std::string text = ::testing::internal::GetCapturedStderr();
    std::vector<nlohmann::json> lines;
    for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(line.begin(), line.end()));
    }
    return lines;
  }

  Handler handler = [](const CallContext&) { return v1::GetCommentResponse(); };

 private:
  CallsInFlight calls_;
  AnswersInFlight answers_{{}};
  const std::unique_ptr<access::Gate> gate_ = access::Gate::Start({}).value();
  CallRecorder recorder_;
  RawService<v1::ContentService> service_{
      {.gate = *gate_, .calls = calls_, .answers = answers_, .recorder = recorder_}};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::ContentService::Stub> stub_;
  bool has_ended_ = false;
};

absl::StatusOr<v1::GetCommentResponse> NotThere(const CallContext&) {
  return CommentNotFound("articles/a/comments/c");
}

absl::StatusOr<v1::GetCommentResponse> GivenUp(const CallContext&) { return Cancelled(); }

// ---- The access log ----

TEST(AccessLog, HasNothingUnlessItIsTold) {
  Served served({});
  std::vector<bool> traced;
  served.handler = [&traced](const CallContext& call) {
    traced.push_back(call.trace != nullptr);
    return NotThere(call);
  };
  EXPECT_EQ(served.Call({{kRequestIdKey, "mine"}}), "");
  served.Call({{"traceparent", kNotSampled}});
  served.Call({{"traceparent", kSampled}});  // for the database
  EXPECT_THAT(traced, ElementsAre(false, false, true));
  EXPECT_THAT(served.Lines(), IsEmpty());
}

TEST(AccessLog, HasTheErrors) {
  Served served({.calls = LoggedCalls::kErrors, .slow_call = absl::ZeroDuration()});
  EXPECT_EQ(served.Call(), "");
  served.handler = GivenUp;
  EXPECT_EQ(served.Call(), "");
  served.handler = NotThere;
  EXPECT_EQ(served.Call({{kRequestIdKey, "mine"}}), "mine");
  served.Watch();
  const std::vector<nlohmann::json> lines = served.Lines();
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0]["event"], "call");
  EXPECT_EQ(lines[0]["request_id"], "mine");
  EXPECT_EQ(lines[0]["method"], "content.v1.ContentService/GetComment");
  EXPECT_EQ(lines[0]["code"], "NOT_FOUND");
  EXPECT_EQ(lines[0]["reason"], "COMMENT_NOT_FOUND");
  EXPECT_EQ(lines[0]["request_bytes"], 33);
  EXPECT_EQ(lines[0]["response_bytes"], 0);
  EXPECT_GE(lines[0]["total_ms"], 0);
  EXPECT_NE(lines[0]["peer"], "");
  for (const char* const absent : {"caller", "queue_ms", "database_ms", "batch_size", "trace_id"}) {
    EXPECT_FALSE(lines[0].contains(absent)) << absent;
  }
  EXPECT_EQ(lines[1]["method"], "content.v1.ContentService/WatchComments");
  EXPECT_EQ(lines[1]["code"], "NOT_FOUND");
}

TEST(AccessLog, HasErrorsAndSlowCalls) {
  Served served({.calls = LoggedCalls::kSlow, .slow_call = absl::ZeroDuration()});
  EXPECT_NE(served.Call(), "");
  EXPECT_THAT(served.Lines(), SizeIs(1));

  Served patient({.calls = LoggedCalls::kSlow, .slow_call = absl::InfiniteDuration()});
  EXPECT_EQ(patient.Call(), "");
  patient.handler = NotThere;
  EXPECT_NE(patient.Call(), "");
  EXPECT_THAT(patient.Lines(), SizeIs(1));
}

TEST(AccessLog, HasOneInSoManyOfTheUsualCalls) {
  Served served({.calls = LoggedCalls::kAll, .slow_call = absl::InfiniteDuration(), .one_in = 3});
  for (int i = 0; i < 9; ++i) served.Call();
  served.handler = NotThere;
  for (int i = 0; i < 2; ++i) served.Call();
  std::vector<std::string> codes;
  for (const nlohmann::json& line : served.Lines()) codes.push_back(line["code"]);
  EXPECT_THAT(codes, ElementsAre("OK", "OK", "OK", "NOT_FOUND", "NOT_FOUND"));
}

TEST(AccessLog, HasTheIdOfTheCallerOrANewOne) {
  Served served({.calls = LoggedCalls::kAll});
  EXPECT_EQ(served.Call({{kRequestIdKey, "a/b:c-1"}}), "a/b:c-1");
  EXPECT_EQ(served.Call({{kRequestIdKey, std::string(200, 'x')}}), std::string(128, 'x'));
  const char uuid[] = "[0-9a-f-]{36}";
  EXPECT_THAT(served.Call(), MatchesRegex(uuid));
  EXPECT_THAT(served.Call({{kRequestIdKey, ""}}), MatchesRegex(uuid));
  EXPECT_THAT(served.Call({{kRequestIdKey, "a b"}}), MatchesRegex(uuid));
  EXPECT_THAT(served.Call({{kRequestIdKey, "a"}, {kRequestIdKey, "b"}}), MatchesRegex(uuid));
  EXPECT_NE(served.Call(), served.Call());
  EXPECT_THAT(served.Lines(), SizeIs(8));
}

TEST(AccessLog, HasTheTraceAndTheTimesOfItsSteps) {
  Served served({.calls = LoggedCalls::kAll});
  served.handler = [](const CallContext& call) {
    const SteadyTime now;
    call.trace->Add(
        {.kind = CallTrace::Kind::kQueue, .start = now, .end = now + absl::Microseconds(1'500)});
    call.trace->Add({.kind = CallTrace::Kind::kDatabase,
                     .start = now + absl::Milliseconds(2),
                     .end = now + absl::Milliseconds(5),
                     .batch_size = 7});
    return v1::GetCommentResponse();
  };
  served.Call({{"traceparent", kNotSampled}});
  served.Call({{"traceparent", absl::StrCat(" ", kSampled, " ")}});
  served.Call({{"traceparent", "00-none"}});
  served.Call({{"traceparent", kSampled}, {"traceparent", kSampled}});
  const std::vector<nlohmann::json> lines = served.Lines();
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_EQ(lines[0]["trace_id"], kTraceId);
  EXPECT_EQ(lines[0]["queue_ms"], 1.5);
  EXPECT_EQ(lines[0]["database_ms"], 3);
  EXPECT_EQ(lines[0]["batch_size"], 7);
  EXPECT_EQ(lines[1]["trace_id"], kTraceId);
  EXPECT_FALSE(lines[2].contains("trace_id"));
  EXPECT_FALSE(lines[3].contains("trace_id"));
}

TEST(AccessLog, HasNothingThatUsersWroteAndNoSecrets) {
  Served served({.calls = LoggedCalls::kAll});
  served.handler = [](const CallContext&) -> absl::StatusOr<v1::GetCommentResponse> {
    v1::GetCommentResponse response;
    response.mutable_comment()->set_body("secret");
    return response;
  };
  served.Call({{"authorization", "Bearer secret"}});
  for (const nlohmann::json& line : served.Lines()) {
    EXPECT_THAT(line.dump(), Not(HasSubstr("secret")));
  }
}

// ---- Spans ----

TEST(Spans, AreThoseOfTracesThatTheirCallersSample) {
  Collector collector;
  Served served({.exporter = &collector, .trace_share = 1});
  served.handler = [](const CallContext& call) {
    const SteadyTime now = SteadyNow();
    const auto add = [&](CallTrace::Kind kind, int start, int end) {
      call.trace->Add({.kind = kind,
                       .start = now + absl::Milliseconds(start),
                       .end = now + absl::Milliseconds(end),
                       .batch_size = 3});
    };
    add(CallTrace::Kind::kQueue, 0, 1);
    add(CallTrace::Kind::kStatement, 2, 3);
    add(CallTrace::Kind::kCommit, 3, 4);
    add(CallTrace::Kind::kDatabase, 1, 5);
    return v1::GetCommentResponse();
  };
  served.Call({{"traceparent", kSampled}});
  const std::vector<traces::Span> spans = collector.spans();
  ASSERT_THAT(spans, SizeIs(5));
  const traces::Span& call = spans[0];
  EXPECT_EQ(call.name, "content.v1.ContentService/GetComment");
  EXPECT_EQ(call.kind, traces::Span::Kind::kServer);
  EXPECT_EQ(call.parent_id, "00f067aa0ba902b7");
  EXPECT_FALSE(call.has_failed);
  EXPECT_LE(call.start, call.end);
  using Attribute = std::pair<absl::string_view, std::variant<std::string, int64_t>>;
  EXPECT_THAT(
      call.attributes,
      ::testing::IsSupersetOf(
          {Attribute("rpc.system", "grpc"), Attribute("rpc.service", "content.v1.ContentService"),
           Attribute("rpc.method", "GetComment"), Attribute("rpc.grpc.status_code", int64_t{0})}));
  std::vector<std::pair<std::string, std::string>> names_and_parents;
  for (const traces::Span& span : spans) {
    EXPECT_EQ(span.trace_id, kTraceId);
    EXPECT_THAT(span.id, MatchesRegex("[0-9a-f]{16}"));
    if (&span != &call) names_and_parents.emplace_back(span.name, span.parent_id);
  }
  const std::string& batch = spans[4].id;
  EXPECT_THAT(names_and_parents,
              ElementsAre(std::pair("queue", call.id), std::pair("statement", batch),
                          std::pair("commit", batch), std::pair("batch", call.id)));
}

TEST(Spans, SayWhetherTheServerHasFailed) {
  Collector collector;
  Served served({.exporter = &collector});
  served.handler = NotThere;
  served.Call({{"traceparent", kSampled}});
  served.handler = [](const CallContext&) -> absl::StatusOr<v1::GetCommentResponse> {
    return StoreUnavailable();
  };
  served.Call({{"traceparent", kSampled}});
  const std::vector<traces::Span> spans = collector.spans();
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_FALSE(spans[0].has_failed);
  EXPECT_TRUE(spans[1].has_failed);
}

TEST(Spans, FollowTheDecisionOfTheCallerAndOtherwiseTheShare) {
  Collector collector;
  {
    Served all({.exporter = &collector, .trace_share = 1});
    all.Call({{"traceparent", kNotSampled}});
    EXPECT_THAT(collector.spans(), IsEmpty());
    all.Call();
    all.Call({{"traceparent", "nonsense"}});
  }
  const std::vector<traces::Span> spans = collector.spans();
  ASSERT_THAT(spans, SizeIs(2));
  for (const traces::Span& span : spans) {
    EXPECT_THAT(span.trace_id, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_EQ(span.parent_id, "");
  }
  EXPECT_NE(spans[0].trace_id, spans[1].trace_id);
  Served none({.exporter = &collector, .trace_share = 0});
  none.Call();
  EXPECT_THAT(collector.spans(), SizeIs(2));
}

}  // namespace
}  // namespace content::api
