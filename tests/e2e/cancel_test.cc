// Callers that give up: every call is answered nevertheless, and the server can stop afterwards.
// These tests find the methods by reflection, so a new RPC is covered without a change here.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/methods.h"

namespace content::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kDrainTimeout{20};

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

bool UsesDatabase(const MethodDescriptor& method) {
  return method.name() != "GetServerInfo" && method.name() != "OverrideLogLevel";
}

// The resources that a request refers to. Every method gets its own, so that none disturbs another.
struct Target {
  std::string article_name;
  std::string comment_name;
  std::string author_id;
};

// Sets the fields that requests need, which have the same names everywhere. `name` is a comment's
// where `about_comment`, otherwise an article's.
void FillIn(const Target& target, bool about_comment, Message& message) {
  const auto& reflection = *message.GetReflection();
  const Descriptor& type = *message.GetDescriptor();
  const std::string& name = about_comment ? target.comment_name : target.article_name;
  const std::vector<std::pair<std::string, std::string>> texts = {
      {"name", name},
      {"names", target.article_name},
      {"parent", target.article_name},
      {"new_name", target.article_name + "-renamed"},
      {"author_id", target.author_id},
      {"reporter_id", "reader"},
      {"id", target.author_id},
      {"display_name", "Somebody"},
      {"title", "A Title"},
      {"body", "Some text."},
      {"query", "text"},
      {"source", "disqus:forum"},
      {"source_id", "1"},
  };
  for (const auto& [field_name, value] : texts) {
    const FieldDescriptor* const field = type.FindFieldByName(field_name);
    if (field == nullptr) continue;
    field->is_repeated() ? reflection.AddString(&message, field, value)
                         : reflection.SetString(&message, field, value);
  }
  if (const FieldDescriptor* const allow_missing = type.FindFieldByName("allow_missing")) {
    reflection.SetBool(&message, allow_missing, true);
  }
  if (const FieldDescriptor* const state = type.FindFieldByName("state")) {
    reflection.SetEnumValue(&message, state, v1::COMMENT_STATE_HIDDEN);
  }
  if (const FieldDescriptor* const level = type.FindFieldByName("level")) {
    reflection.SetEnumValue(&message, level, v1::LOG_LEVEL_INFO);
  }
  for (const char* const part : {"article", "comment", "comments", "author", "create_time"}) {
    const FieldDescriptor* const field = type.FindFieldByName(part);
    if (field == nullptr || field->message_type() == nullptr) continue;
    FillIn(target, about_comment,
           field->is_repeated() ? *reflection.AddMessage(&message, field)
                                : *reflection.MutableMessage(&message, field));
  }
}

// A small valid request, on the wire.
grpc::ByteBuffer RequestOf(const MethodDescriptor& method, const Target& target) {
  const std::unique_ptr<Message> request(google::protobuf::MessageFactory::generated_factory()
                                             ->GetPrototype(method.input_type())
                                             ->New());
  FillIn(target, absl::EndsWith(method.name(), "Comment"), *request);
  const grpc::Slice slice(request->SerializeAsString());
  return {&slice, 1};
}

// A call of any method, unary or streaming.
class AnyCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  AnyCall(const Client& client, const std::string& path, grpc::ByteBuffer request,
          std::chrono::nanoseconds timeout = seconds(60))
      : stub_(client.channel()), request_(std::move(request)) {
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
    stub_.PrepareBidiStreamingCall(&context_, path, {}, this);
    StartWriteLast(&request_, {});
    StartRead(&response_);
    StartCall();
  }

  ~AnyCall() override { Finish(); }

  void Cancel() { context_.TryCancel(); }

  // Blocks until a message has come, or the call is over without one.
  void AwaitMessage() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return has_message_ || is_done_; });
  }

  bool has_message() {
    const std::lock_guard lock(mutex_);
    return has_message_;
  }

  // Blocks until the call is over.
  grpc::Status Finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_done_; });
    return status_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      const std::lock_guard lock(mutex_);
      has_message_ = true;
      changed_.notify_all();
    }
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    is_done_ = true;
    changed_.notify_all();
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_message_ = false;  // Guarded by mutex_.
  bool is_done_ = false;      // Guarded by mutex_.
  grpc::Status status_;       // Guarded by mutex_.
};

class CancelTest : public ::testing::Test {
 protected:
  void SetUp() override { AwaitServing(client_); }

  // An article with a comment.
  Target NewSubject(const std::string& id) {
    const std::string author_id = "author-of-" + id;
    EXPECT_TRUE(client_.Publish(MakeArticle(id)).ok());
    v1::CreateCommentRequest request = MakeCommentRequest(id, "text");
    request.mutable_comment()->mutable_author()->set_id(author_id);
    v1::CreateCommentResponse response;
    EXPECT_TRUE(client_.Create(request, &response).ok());
    return {"articles/" + id, response.comment().name(), author_id};
  }

  Target NewSubject(const MethodDescriptor& method) {
    return NewSubject(absl::AsciiStrToLower(method.name()));
  }

  std::unique_ptr<AnyCall> Start(const MethodDescriptor& method, const Target& target) {
    return std::make_unique<AnyCall>(client_, PathOf(method), RequestOf(method, target));
  }

  // The server stops at once if every call was answered. Otherwise it waits forever, so it is
  // killed after its drain timeout.
  void ExpectStops() {
    server_.Signal(SIGTERM);
    std::future<int> status = std::async(std::launch::async, [this] { return server_.Wait(); });
    if (status.wait_for(kDrainTimeout) != std::future_status::ready) {
      ADD_FAILURE() << "the server did not stop within its drain timeout";
      server_.Signal(SIGKILL);
    }
    EXPECT_EQ(status.get(), 0);
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{
      {"--database-url", url_, "--drain-timeout", absl::StrCat(kDrainTimeout.count(), "s")}};
  const Client client_{server_.address()};
};

TEST_F(CancelTest, BeforeTheWork) {
  constexpr int kCallsPerMethod = 20;
  for (const MethodDescriptor* const method : AllMethods()) {
    const Target target = NewSubject(*method);
    std::vector<std::unique_ptr<AnyCall>> calls;
    for (int i = 0; i < kCallsPerMethod; ++i) {
      calls.push_back(Start(*method, target));
      calls.back()->Cancel();
    }
  }
  ExpectStops();
}

TEST_F(CancelTest, DuringTheWork) {
  std::vector<Target> subjects;
  for (const MethodDescriptor* const method : AllMethods()) subjects.push_back(NewSubject(*method));
  Session session(url_);
  session.Run("BEGIN");
  session.Run(absl::StrCat("LOCK TABLE ",
                           session.Run("SELECT string_agg(quote_ident(tablename), ', ') "
                                       "FROM pg_tables WHERE schemaname = 'public'"),
                           " IN ACCESS EXCLUSIVE MODE"));
  // One call at a time, so that the statement that waits is that of the call.
  for (size_t i = 0; i < subjects.size(); ++i) {
    const MethodDescriptor& method = *AllMethods()[i];
    if (!UsesDatabase(method)) continue;
    SCOPED_TRACE(method.full_name());
    const std::unique_ptr<AnyCall> call = Start(method, subjects[i]);
    ASSERT_NO_FATAL_FAILURE(AwaitWaitersForLocks(url_, 1));
    call->Cancel();
    EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::CANCELLED);
    CancelWaitersForLocks(url_);
  }
  session.Run("ROLLBACK");
  ExpectStops();
}

TEST_F(CancelTest, AfterTheWork) {
  for (const MethodDescriptor* const method : AllMethods()) {
    const std::unique_ptr<AnyCall> call = Start(*method, NewSubject(*method));
    call->AwaitMessage();
    call->Cancel();
    const grpc::Status status = call->Finish();
    EXPECT_TRUE(call->has_message())
        << method->full_name() << ": " << status.error_message()
        << ". If the request lacks a required field, FillIn must learn of it.";
  }
  ExpectStops();
}

TEST_F(CancelTest, WhenDeadlinesPassWhileABatchIsAnsweredFromMemory) {
  constexpr int kThreads = 4;
  constexpr int kCallsPerThread = 500;
  v1::BatchGetArticlesRequest request;
  for (int i = 0; i < 100; ++i) {
    const std::string id = absl::StrCat("a", i);
    ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok());
    request.add_names("articles/" + id);
  }
  v1::BatchGetArticlesResponse response;
  ASSERT_TRUE(Client::Call(&v1::ContentService::Stub::BatchGetArticles, client_.content(), request,
                           response)
                  .ok());
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kCallsPerThread; ++i) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() +
                             std::chrono::microseconds(1'000 + 4 * i));
        v1::BatchGetArticlesResponse ignored;
        client_.content().BatchGetArticles(&context, request, &ignored);
      }
    });
  }
  threads.clear();
  ExpectStops();
}

}  // namespace
}  // namespace content::testing
