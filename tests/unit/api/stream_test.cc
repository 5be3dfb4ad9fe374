// How long a stream keeps its messages in memory. e2e/watch_test.cc tests that it sends them.

#include "api/stream.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "access/methods.h"
#include "base/errors.h"
#include "content/v1/content_service.grpc.pb.h"

namespace content::api {
namespace {

// A producer whose chunks the test gives.
class ManualProducer final : public Producer {
 public:
  // The callbacks of the calls of Next, which outlive the producer.
  struct Calls {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Callback<Chunk>> waiting;  // Guarded by mutex.
  };

  explicit ManualProducer(Calls& calls) : calls_(calls) {}

  void Next(CallContext, Callback<Chunk> done) override {
    const std::lock_guard lock(calls_.mutex);
    calls_.waiting.push_back(std::move(done));
    calls_.changed.notify_all();
  }

 private:
  Calls& calls_;
};

Callback<Chunk> AwaitCall(ManualProducer::Calls& calls) {
  std::unique_lock lock(calls.mutex);
  calls.changed.wait(lock, [&] { return !calls.waiting.empty(); });
  Callback<Chunk> done = std::move(calls.waiting.front());
  calls.waiting.clear();
  return done;
}

const size_t kMethod = access::FindMethod("content.v1.ContentService/WatchComments").value();

class Service final
    : public v1::ContentService::WithRawCallbackMethod_WatchComments<v1::ContentService::Service> {
 public:
  explicit Service(ManualProducer::Calls& calls) : calls_(calls) {}

  const CallRecorder& recorder() const { return recorder_; }

  StreamReactor* WatchComments(grpc::CallbackServerContext* context,
                               const grpc::ByteBuffer*) override {
    return StartStream(
        {.recorder = recorder_, .calls = nullptr, .write_timeout = absl::InfiniteDuration()},
        context, recorder_.Begin(kMethod, 0),
        [this] { return std::make_unique<ManualProducer>(calls_); });
  }

 private:
  ManualProducer::Calls& calls_;
  CallRecorder recorder_;
};

watch::Message MakeMessage(int64_t revision) {
  v1::WatchCommentsResponse response;
  response.set_article_revision(revision);
  return std::make_shared<const std::string>(response.SerializeAsString());
}

TEST(Stream, KeepsNoMessageWhileItWaitsForTheNextAndIsCounted) {
  ManualProducer::Calls calls;
  Service service(calls);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::ContentService::NewStub(server->InProcessChannel({}));
  grpc::ClientContext context;
  const auto reader = stub->WatchComments(&context, {});

  Chunk chunk{.messages = {MakeMessage(1), MakeMessage(2)}};
  std::vector<std::weak_ptr<const std::string>> messages(chunk.messages.begin(),
                                                         chunk.messages.end());
  AwaitCall(calls)(std::move(chunk));
  v1::WatchCommentsResponse response;
  for (int64_t revision = 1; revision <= 2; ++revision) {
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(response.article_revision(), revision);
  }
  Callback<Chunk> next = AwaitCall(calls);
  for (const auto& message : messages) EXPECT_TRUE(message.expired());
  std::move(next)(Chunk{.messages = {}, .last = true});
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_TRUE(reader->Finish().ok());
  server->Shutdown();

  const MethodNumbers& numbers = service.recorder().numbers(kMethod);
  EXPECT_EQ(numbers.counts.Read(MethodNumbers::Count::kStarted), 1);
  EXPECT_EQ(numbers.counts.Read(MethodNumbers::Count::kSent), 2);
  EXPECT_EQ(numbers.counts.Read(MethodNumbers::Count::kResponseBytes), 2 * response.ByteSizeLong());
  EXPECT_EQ(numbers.ended.Read(absl::StatusCode::kOk), 1);
  EXPECT_EQ(numbers.seconds.Read().count(), 1);
}

}  // namespace
}  // namespace content::api
