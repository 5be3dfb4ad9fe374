// One unary call of a RawService, over gRPC: it is answered, and is in flight until then, whatever
// happens.

#include "api/call.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "access/gate.h"
#include "access/methods.h"
#include "api/admission.h"
#include "api/call_record.h"
#include "api/raw_service.h"
#include "base/errors.h"
#include "content/v1/content_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace content::api {
namespace {

// What a test wants to happen to a request.
template <class Request, class Response>
using Script = std::function<void(CallContext, Request, Callback<Response>)>;

template <class Request, class Response>
void Handle(Script<Request, Response>& script, CallContext call, Request request,
            Callback<Response> done) {
  script(std::move(call), std::move(request), std::move(done));
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0 ||
      !details.details(0).UnpackTo(&info)) {
    return "no ErrorInfo";
  }
  return info.reason();
}

class CallTest : public ::testing::Test {
 protected:
  CallTest() {
    service_.Unary(Handle<v1::GetCommentRequest, v1::GetCommentResponse>, get_comment_);
    service_.Unary(Handle<v1::GetArticleRequest, EncodedAnswer>, get_article_);
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    channel_ = server_->InProcessChannel({});
    stub_ = v1::ContentService::NewStub(channel_);
  }

  ~CallTest() override { server_->Shutdown(); }

  grpc::Status GetComment(const std::string& name = "",
                          v1::GetCommentResponse* response = nullptr) {
    grpc::ClientContext context;
    v1::GetCommentRequest request;
    request.set_name(name);
    v1::GetCommentResponse ignored;
    return stub_->GetComment(&context, request, response != nullptr ? response : &ignored);
  }

  grpc::Status GetCommentWithBytes(const std::string& bytes) {
    grpc::ClientContext context;
    const grpc::Slice slice(bytes);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> status;
    grpc::GenericStub(channel_).UnaryCall(
        &context, "/content.v1.ContentService/GetComment", {}, &request, &response,
        [&status](grpc::Status answer) { status.set_value(std::move(answer)); });
    return status.get_future().get();
  }

  // The trailing metadata of an answer of this age.
  std::multimap<std::string, std::string> MetadataOf(std::optional<absl::Duration> stale_age) {
    get_article_ = [stale_age](const CallContext&, const v1::GetArticleRequest&,
                               Callback<EncodedAnswer> done) {
      EncodedAnswer answer;
      answer.stale_age = stale_age;
      std::move(done)(std::move(answer));
    };
    grpc::ClientContext context;
    v1::GetArticleResponse response;
    EXPECT_TRUE(stub_->GetArticle(&context, {}, &response).ok());
    std::multimap<std::string, std::string> metadata;
    for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
      metadata.emplace(std::string(key.data(), key.size()),
                       std::string(value.data(), value.size()));
    }
    return metadata;
  }

  CallsInFlight calls_;
  AnswersInFlight answers_{{}};
  const std::unique_ptr<access::Gate> gate_ = access::Gate::Start({}).value();
  CallRecorder recorder_;
  const Passage passage_{
      .gate = *gate_, .calls = calls_, .answers = answers_, .recorder = recorder_};
  Script<v1::GetCommentRequest, v1::GetCommentResponse> get_comment_ = [](auto&&...) {
    ADD_FAILURE() << "the handler was called";
  };
  Script<v1::GetArticleRequest, EncodedAnswer> get_article_;
  RawService<v1::ContentService> service_{passage_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ContentService::Stub> stub_;
};

TEST_F(CallTest, EachConnectionIsAnAccount) {
  std::vector<Account> accounts;
  get_comment_ = [&accounts](const CallContext& call, const auto&, auto done) {
    accounts.push_back(call.account());
    std::move(done)(v1::GetCommentResponse());
  };
  int port = 0;
  grpc::ServerBuilder builder;
  RawService<v1::ContentService> service(passage_);
  service.Unary(Handle<v1::GetCommentRequest, v1::GetCommentResponse>, get_comment_);
  builder.RegisterService(&service);
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  grpc::ChannelArguments own_connection;
  own_connection.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::vector<std::unique_ptr<v1::ContentService::Stub>> stubs;
  for (int connection = 0; connection < 2; ++connection) {
    stubs.push_back(v1::ContentService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), own_connection)));
    for (int call = 0; call < 2; ++call) {
      grpc::ClientContext context;
      v1::GetCommentResponse response;
      EXPECT_TRUE(stubs.back()->GetComment(&context, {}, &response).ok());
    }
  }
  server->Shutdown();
  ASSERT_EQ(accounts.size(), 4);
  EXPECT_EQ(accounts[0], accounts[1]);
  EXPECT_NE(accounts[1], accounts[2]);
  EXPECT_EQ(content::OriginOf(accounts[1]), content::OriginOf(accounts[2]));
  EXPECT_EQ(accounts[2], accounts[3]);
  EXPECT_NE(accounts[0], kOwnWork);
}

TEST_F(CallTest, SendsTheAnswerOfTheHandler) {
  get_comment_ = [](const CallContext& call, const v1::GetCommentRequest& request, auto done) {
    EXPECT_FALSE(call.is_cancelled());
    v1::GetCommentResponse response;
    response.mutable_comment()->set_name("the comment " + request.name());
    std::move(done)(std::move(response));
  };
  v1::GetCommentResponse response;
  EXPECT_TRUE(GetComment("c", &response).ok());
  EXPECT_EQ(response.comment().name(), "the comment c");
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, SendsTheErrorOfTheHandler) {
  get_comment_ = [](const CallContext&, const v1::GetCommentRequest&, auto done) {
    std::move(done)(Contention());
  };
  const grpc::Status status = GetComment();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(status), "CONTENTION");
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, SendsTheAgeOfAStaleAnswerInSecondsRoundedUp) {
  EXPECT_EQ(MetadataOf(std::nullopt).count(kStaleAgeKey), 0U);
  EXPECT_EQ(MetadataOf(absl::Milliseconds(1001)).find(kStaleAgeKey)->second, "2");
}

TEST_F(CallTest, IsAnsweredInternalIfTheHandlerDropsTheCallback) {
  get_comment_ = [](auto&&...) {};
  const grpc::Status status = GetComment();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonOf(status), "INTERNAL");
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, IsInFlightUntilItIsAnswered) {
  std::promise<Callback<v1::GetCommentResponse>> kept;
  get_comment_ = [&kept](const CallContext&, const v1::GetCommentRequest&, auto done) {
    kept.set_value(std::move(done));
  };
  std::future<grpc::Status> status =
      std::async(std::launch::async, [this] { return GetComment(); });
  Callback<v1::GetCommentResponse> done = kept.get_future().get();
  EXPECT_EQ(calls_.AwaitNone(absl::ZeroDuration()), 1);
  std::move(done)(v1::GetCommentResponse());
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, IsInFlightWhileItsAnswerIsHeld) {
  get_comment_ = [](const CallContext&, const v1::GetCommentRequest&, auto done) {
    std::move(done)(v1::GetCommentResponse());
  };
  calls_.HoldAnswers();
  std::future<grpc::Status> status =
      std::async(std::launch::async, [this] { return GetComment(); });
  while (calls_.AwaitNone(absl::ZeroDuration()) == 0) std::this_thread::yield();
  calls_.ReleaseAnswers();
  EXPECT_TRUE(status.get().ok());
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, IsRefusedIfItsBytesDoNotParse) {
  const grpc::Status status = GetCommentWithBytes("\xff");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "INVALID_REQUEST");
  EXPECT_EQ(status.error_message(), "the request is not a content.v1.GetCommentRequest");
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, IsRefusedIfItHasNoRequest) {
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = grpc::GenericStub(channel_).PrepareCall(
      &context, "/content.v1.ContentService/GetComment", &queue);
  const auto await_step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue.Next(&tag, &ok));
  };
  call->StartCall(nullptr);
  await_step();
  call->WritesDone(nullptr);
  await_step();
  grpc::Status status;
  call->Finish(&status, nullptr);
  await_step();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonOf(status), "INTERNAL");
  EXPECT_EQ(status.error_message(), "the request did not arrive whole");
  EXPECT_EQ(calls_.AwaitNone(), 0);
}

TEST_F(CallTest, IsUnimplementedWithoutAHandler) {
  grpc::ClientContext context;
  v1::ListCommentsResponse response;
  EXPECT_EQ(stub_->ListComments(&context, {}, &response).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
}

class RecordedCallTest : public CallTest {
 protected:
  using Count = MethodNumbers::Count;

  uint64_t Ended(absl::StatusCode code) const { return numbers_.ended.Read(code); }

  void AnswerWith(absl::Status status) {
    get_comment_ = [status](const CallContext&, const v1::GetCommentRequest&, auto done) {
      std::move(done)(status);
    };
  }

  const size_t method_ = access::FindMethod("content.v1.ContentService/GetComment").value();
  const MethodNumbers& numbers_ = recorder_.numbers(method_);
};

TEST_F(RecordedCallTest, IsCountedWhenItArrivesAndWhenItEnds) {
  get_comment_ = [this](const CallContext&, const v1::GetCommentRequest&, auto done) {
    EXPECT_EQ(numbers_.counts.Read(Count::kStarted), 1);
    EXPECT_EQ(recorder_.InFlight(method_), 1);
    v1::GetCommentResponse response;
    response.mutable_comment()->set_name("c");
    std::move(done)(std::move(response));
  };
  v1::GetCommentResponse response;
  ASSERT_TRUE(GetComment("name", &response).ok());
  EXPECT_EQ(recorder_.InFlight(method_), 0);
  EXPECT_EQ(Ended(absl::StatusCode::kOk), 1);
  EXPECT_EQ(numbers_.counts.Read(Count::kRequestBytes), 2 + sizeof "name" - 1);
  EXPECT_EQ(numbers_.counts.Read(Count::kSent), 1);
  EXPECT_EQ(numbers_.counts.Read(Count::kResponseBytes), response.ByteSizeLong());
  EXPECT_EQ(numbers_.seconds.Read().count(), 1);
}

TEST_F(RecordedCallTest, IsCountedByTheStatusThatItsCallerGets) {
  AnswerWith(Contention());
  GetComment();
  EXPECT_EQ(Ended(absl::StatusCode::kAborted), 1);
  AnswerWith(absl::NotFoundError("without an ErrorInfo"));
  EXPECT_EQ(GetComment().error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(Ended(absl::StatusCode::kInternal), 1);
  get_comment_ = [](auto&&...) {};  // drops the callback
  GetComment();
  EXPECT_EQ(Ended(absl::StatusCode::kInternal), 2);
  GetCommentWithBytes("\xff");
  EXPECT_EQ(Ended(absl::StatusCode::kInvalidArgument), 1);
  EXPECT_EQ(numbers_.counts.Read(Count::kStarted), 4);
  EXPECT_EQ(numbers_.counts.Read(Count::kSent), 0);
  EXPECT_EQ(recorder_.InFlight(method_), 0);
}

TEST_F(RecordedCallTest, IsCountedByTheReasonForWhichItIsRefused) {
  const auto refused = [this](absl::string_view reason) {
    const auto place = std::find(kRefusals.begin(), kRefusals.end(), reason) - kRefusals.begin();
    return recorder_.Refused(static_cast<size_t>(place));
  };
  AnswerWith(MemoryShort());
  GetComment();
  AnswerWith(Overloaded(absl::Seconds(1)));
  for (int i = 0; i < 2; ++i) GetComment();
  AnswerWith(Contention());
  GetComment();
  EXPECT_EQ(refused("MEMORY_SHORT"), 1);
  EXPECT_EQ(refused("OVERLOADED"), 2);
  EXPECT_EQ(refused("TOKEN_INVALID"), 0);
}

class RawServiceDeathTest : public ::testing::Test {
 protected:
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;

  static constexpr auto kHandler = Handle<Request, Response>;

  RawServiceDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  CallsInFlight calls_;
  AnswersInFlight answers_{{}};
  const std::unique_ptr<access::Gate> gate_ = access::Gate::Start({}).value();
  CallRecorder recorder_;
  const Passage passage_{
      .gate = *gate_, .calls = calls_, .answers = answers_, .recorder = recorder_};
  Script<Request, Response> script_;
};

TEST_F(RawServiceDeathTest, EndsTheProcessIfTwoMethodsTakeTheRequest) {
  RawService<grpc::health::v1::Health> service(passage_);  // Check and Watch
  EXPECT_DEATH(service.Unary(kHandler, script_), "two methods of a service take the request");
}

TEST_F(RawServiceDeathTest, EndsTheProcessIfNoMethodTakesTheRequest) {
  RawService<v1::ContentService> service(passage_);
  EXPECT_DEATH(service.Unary(kHandler, script_), "no method of the service takes the request");
}

}  // namespace
}  // namespace content::api
