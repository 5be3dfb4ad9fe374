// The exporter of spans, against a collector of our own. Only where it is built.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/time/clock.h"
#include "support/trace_collector.h"
#include "telemetry/log.h"
#include "telemetry/traces.h"

namespace content::traces {
namespace {

class OtlpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!IsOtlpBuilt()) GTEST_SKIP() << "this build has no OTLP";
  }

  static Span MakeSpan() {
    return {.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
            .id = "00f067aa0ba902b7",
            .name = "call",
            .kind = Span::Kind::kServer,
            .start = absl::Now() - absl::Seconds(1),
            .end = absl::Now(),
            .attributes = {{"text", "value"}, {"number", int64_t{7}}}};
  }
};

TEST_F(OtlpTest, SendsWhatItIsGiven) {
  testing::TraceCollector collector;
  {
    const auto exporter = NewOtlpExporter(collector.endpoint(), "1.2.3");
    Span child = MakeSpan();
    child.id = "00000000000000ff";
    child.parent_id = "00f067aa0ba902b7";
    child.name = "child";
    child.has_failed = true;
    exporter->Export(MakeSpan());
    exporter->Export(child);
  }  // which sends them
  collector.Await("child");
  const std::map<std::string, testing::ReceivedSpan> spans = collector.Await("call");
  const testing::ReceivedSpan& call = spans.at("call");
  EXPECT_EQ(call.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(call.id, "00f067aa0ba902b7");
  EXPECT_EQ(call.parent_id, "");
  EXPECT_EQ(call.texts.at("text"), "value");
  EXPECT_FALSE(call.has_failed);
  EXPECT_EQ(spans.at("child").id, "00000000000000ff");
  EXPECT_EQ(spans.at("child").parent_id, "00f067aa0ba902b7");
  EXPECT_TRUE(spans.at("child").has_failed);
}

TEST_F(OtlpTest, DropsSpansWhileTooManyWaitAndSaysSoAsOneEvent) {
  log::Configure(log::Level::kInfo, log::Format::kJson);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    const auto exporter = NewOtlpExporter("http://127.0.0.1:1", "1.2.3");
    for (int i = 0; i < 10'000; ++i) exporter->Export(MakeSpan());
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("traces not sent"), std::string::npos);
  log::Configure(log::Level::kInfo, log::Format::kAuto);
}

}  // namespace
}  // namespace content::traces
