// What the real binary sends to a collector of OpenTelemetry. Only where it is built with that.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/trace_collector.h"
#include "telemetry/traces.h"

namespace content::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;

TEST(Otlp, IsRefusedByABuildWithoutIt) {
  if (traces::IsOtlpBuilt()) GTEST_SKIP() << "this build has it";
  const Finished finished = RunContentd({"serve", "--otlp-endpoint=http://127.0.0.1:4317"});
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, HasSubstr("this build has no OTLP"));
}

TEST(Otlp, SendsTheSpansOfSampledCalls) {
  if (!traces::IsOtlpBuilt()) GTEST_SKIP() << "this build has no OTLP";
  TraceCollector collector;
  const ContentdServer server(
      {"--database-url", NewDatabase(), "--otlp-endpoint", collector.endpoint()});
  const Client client(server.address());
  AwaitServing(client);
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());

  grpc::ClientContext context;
  context.AddMetadata("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  v1::CreateCommentResponse response;
  ASSERT_TRUE(
      client.content().CreateComment(&context, MakeCommentRequest("story", "x"), &response).ok());

  const std::string name = "content.v1.ContentService/CreateComment";
  collector.Await(name);
  const std::map<std::string, ReceivedSpan> spans = collector.Await("batch");
  const ReceivedSpan& call = spans.at(name);
  EXPECT_EQ(call.parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(call.texts.at("rpc.system"), "grpc");
  EXPECT_EQ(call.texts.at("rpc.method"), "CreateComment");
  for (const char* const step : {"queue", "batch", "statement", "commit"}) {
    EXPECT_THAT(spans, Contains(Key(step)));
  }
  for (const auto& [_, span] : spans) {
    EXPECT_EQ(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736") << "only the sampled call";
  }
  EXPECT_EQ(spans.at("batch").parent_id, call.id);
  EXPECT_EQ(spans.at("commit").parent_id, spans.at("batch").id);
}

TEST(Otlp, DoesNotWaitForACollectorThatIsAway) {
  if (!traces::IsOtlpBuilt()) GTEST_SKIP() << "this build has no OTLP";
  ContentdServer server(
      {"--database-url", NewDatabase(), "--otlp-endpoint=http://127.0.0.1:1", "--trace-sample=1"});
  const Client client(server.address());
  AwaitServing(client);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.Publish(MakeArticle(absl::StrCat("story-", i))).ok());
  }
  server.WaitForEvent("traces not sent");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

}  // namespace
}  // namespace content::testing
