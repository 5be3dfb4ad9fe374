// The real binary, over real gRPC.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor_database.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/locks.h"
#include "support/raw_connection.h"

namespace content::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using Stub = v1::ContentService::Stub;

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;

std::string HealthOf(const Client& client, const std::string& service = "") {
  const auto stub = grpc::health::v1::Health::NewStub(client.channel());
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status =
      Client::Call(&grpc::health::v1::Health::Stub::Check, *stub, request, response);
  if (!status.ok()) return status.error_message();
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status());
}

v1::GetServerInfoResponse Info(const Client& client) {
  v1::GetServerInfoResponse info;
  const grpc::Status status = Client::Call(&v1::AdminService::Stub::GetServerInfo, client.admin(),
                                           v1::GetServerInfoRequest(), info);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return info;
}

// The settings with which the server at HOST:PORT begins an HTTP/2 connection (RFC 9113, 6.5).
std::map<int, uint32_t> Http2Settings(const std::string& address) {
  const RawConnection connection(address);
  connection.SendPreface();
  const auto [type, payload] = connection.ReceiveFrame();
  EXPECT_EQ(type, 4) << "the first frame has to be SETTINGS";
  std::map<int, uint32_t> settings;
  for (size_t i = 0; i + 6 <= payload.size(); i += 6) {
    uint32_t value = 0;
    for (size_t byte = 2; byte < 6; ++byte) value = value << 8 | payload[i + byte];
    settings[payload[i] * 256 + payload[i + 1]] = value;
  }
  return settings;
}

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override { AwaitServing(client_); }

  v1::GetArticleResponse Get(const std::string& id) {
    v1::GetArticleRequest request;
    request.set_name("articles/" + id);
    v1::GetArticleResponse response;
    const grpc::Status status =
        Client::Call(&Stub::GetArticle, client_.content(), request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  v1::ListCommentsResponse List(const v1::ListCommentsRequest& request) {
    v1::ListCommentsResponse response;
    const grpc::Status status =
        Client::Call(&Stub::ListComments, client_.content(), request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  const std::string url_ = NewDatabase();
  ContentdServer server_{{"--database-url", url_, "--drain-timeout", "60s"}};
  Client client_{server_.address()};
};

TEST_F(ServerTest, AnArticleIsPublishedReadAndCommentedOn) {
  v1::PublishArticleResponse published;
  ASSERT_TRUE(client_.Publish(MakeArticle("story"), &published).ok());
  EXPECT_EQ(published.outcome(), v1::PUBLISH_OUTCOME_CREATED);
  EXPECT_EQ(Get("story").article().body(), "Some text.");

  v1::CreateCommentResponse first;
  ASSERT_TRUE(client_.Create(MakeCommentRequest("story", "first"), &first).ok());
  v1::CreateCommentRequest reply = MakeCommentRequest("story", "reply");
  reply.mutable_comment()->set_reply_to(first.comment().name());
  v1::CreateCommentResponse second;
  ASSERT_TRUE(client_.Create(reply, &second).ok());
  EXPECT_EQ(second.comment().depth(), 1);

  v1::ListCommentsRequest list;
  list.set_parent("articles/story");
  list.set_min_revision(second.comment().article_revision());
  const v1::ListCommentsResponse comments = List(list);
  ASSERT_EQ(comments.comments_size(), 2);
  EXPECT_EQ(comments.comments(0).body(), "reply");
  EXPECT_EQ(comments.comment_count(), 2);
  EXPECT_EQ(Get("story").article().comment_count(), 2);

  v1::GetCommentRequest get;
  get.set_name(first.comment().name());
  v1::GetCommentResponse comment;
  ASSERT_TRUE(Client::Call(&Stub::GetComment, client_.content(), get, comment).ok());
  EXPECT_EQ(comment.comment().reply_count(), 1);

  v1::RetractArticleRequest retract;
  retract.set_name("articles/story");
  v1::RetractArticleResponse retracted;
  ASSERT_TRUE(
      Client::Call(&v1::AdminService::Stub::RetractArticle, client_.admin(), retract, retracted)
          .ok());
  v1::GetCommentResponse gone;
  EXPECT_EQ(Client::Call(&Stub::GetComment, client_.content(), get, gone).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, ABatchKeepsItsOrderAndListsMissingNames) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok());
  v1::BatchGetArticlesRequest request;
  for (const char* id : {"b", "x", "a"}) request.add_names(std::string("articles/") + id);
  v1::BatchGetArticlesResponse response;
  const grpc::Status refused =
      Client::Call(&Stub::BatchGetArticles, client_.content(), request, response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(refused.error_message(), HasSubstr("articles/x"));
  request.set_allow_missing(true);
  ASSERT_TRUE(Client::Call(&Stub::BatchGetArticles, client_.content(), request, response).ok());
  ASSERT_EQ(response.articles_size(), 2);
  EXPECT_EQ(response.articles(0).name(), "articles/b");
  EXPECT_EQ(response.articles(0).body(), "");
  EXPECT_THAT(response.missing_names(), ElementsAre("articles/x"));
}

TEST_F(ServerTest, APageTokenLeadsToTheNextPage) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok());
  v1::ListArticlesRequest request;
  request.set_page_size(2);
  v1::ListArticlesResponse first;
  ASSERT_TRUE(Client::Call(&Stub::ListArticles, client_.content(), request, first).ok());
  EXPECT_EQ(first.articles_size(), 2);
  request.set_page_token(first.next_page_token());
  v1::ListArticlesResponse second;
  ASSERT_TRUE(Client::Call(&Stub::ListArticles, client_.content(), request, second).ok());
  ASSERT_EQ(second.articles_size(), 1);
  EXPECT_EQ(second.articles(0).name(), "articles/a");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ServerTest, BadInputsAreRefusedWithCodeReasonAndFields) {
  for (const char* id : {"story", "other"}) ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok());
  v1::CreateCommentResponse elsewhere;
  ASSERT_TRUE(client_.Create(MakeCommentRequest("other", "text"), &elsewhere).ok());
  v1::ListArticlesRequest first_page;
  first_page.set_page_size(1);
  v1::ListArticlesResponse page;
  ASSERT_TRUE(Client::Call(&Stub::ListArticles, client_.content(), first_page, page).ok());
  const std::string token = page.next_page_token();
  ASSERT_NE(token, "");
  std::string damaged_token = token;
  damaged_token.front() = token.front() == 'A' ? 'B' : 'A';

  const auto get = [this](const std::string& name) {
    v1::GetArticleRequest request;
    request.set_name(name);
    v1::GetArticleResponse response;
    return Client::Call(&Stub::GetArticle, client_.content(), request, response);
  };
  const auto list = [this](int page_size, const std::string& page_token, const std::string& tag) {
    v1::ListArticlesRequest request;
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    request.set_tag(tag);
    v1::ListArticlesResponse response;
    return Client::Call(&Stub::ListArticles, client_.content(), request, response);
  };
  const auto comment = [this](const std::string& body, const std::string& reply_to = "") {
    v1::CreateCommentRequest request = MakeCommentRequest("story", body);
    request.mutable_comment()->set_reply_to(reply_to);
    return client_.Create(request);
  };

  const struct {
    const char* input;
    grpc::Status answer;
    grpc::StatusCode code;
    const char* reason;
    std::vector<std::string> fields;
  } cases[] = {
      {"NUL", comment({"a\0b", 3}), kInvalid, "INVALID_REQUEST", {"comment.body"}},
      {"ESC", comment("a\x1B[2J"), kInvalid, "INVALID_REQUEST", {"comment.body"}},
      {"10,001 characters",
       comment(std::string(10'001, 'x')),
       kInvalid,
       "INVALID_REQUEST",
       {"comment.body"}},
      {"a reply to a comment of another article",
       comment("text", elsewhere.comment().name()),
       grpc::StatusCode::NOT_FOUND,
       "COMMENT_NOT_FOUND",
       {}},
      {"a reply to a comment that does not exist",
       comment("text", "articles/story/comments/01890a5d-ac96-774b-bcce-b302099a8057"),
       grpc::StatusCode::NOT_FOUND,
       "COMMENT_NOT_FOUND",
       {}},
      {"a path traversal", get("articles/../x"), kInvalid, "INVALID_REQUEST", {"name"}},
      {"page_size -1", list(-1, "", ""), kInvalid, "INVALID_REQUEST", {"page_size"}},
      {"a damaged token", list(1, damaged_token, ""), kInvalid, "INVALID_REQUEST", {"page_token"}},
      {"another query's token", list(1, token, "x"), kInvalid, "INVALID_REQUEST", {"page_token"}},
      {"two bad fields",
       list(-1, damaged_token, ""),
       kInvalid,
       "INVALID_REQUEST",
       {"page_size", "page_token"}},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.input);
    EXPECT_EQ(bad.answer.error_code(), bad.code);
    EXPECT_EQ(ReasonOf(bad.answer), bad.reason);
    EXPECT_EQ(BadFields(bad.answer), bad.fields);
  }
  EXPECT_EQ(Get("story").article().comment_count(), 0);
}

TEST_F(ServerTest, KeepsUnusualText) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  for (const std::string text : {
           "\U0001F389\U0001F469\u200D\U0001F680",                           // emoji only
           "\u05E9\u05DC\u05D5\u05DD \u200F\u0645\u0631\u062D\u0628\u0627",  // right to left
           "tab\tand\r\nanother line",
       }) {
    v1::CreateCommentResponse response;
    const grpc::Status status = client_.Create(MakeCommentRequest("story", text), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    v1::GetCommentRequest request;
    request.set_name(response.comment().name());
    v1::GetCommentResponse kept;
    EXPECT_TRUE(Client::Call(&Stub::GetComment, client_.content(), request, kept).ok());
    EXPECT_EQ(kept.comment().body(), text);
  }
}

TEST_F(ServerTest, AHugePageSizeIsReducedToTheMaximum) {
  for (int i = 0; i < 101; ++i) {
    ASSERT_TRUE(client_.Publish(MakeArticle(absl::StrCat("article-", i))).ok());
  }
  v1::ListArticlesRequest request;
  request.set_page_size(1'000'000);
  v1::ListArticlesResponse page;
  ASSERT_TRUE(Client::Call(&Stub::ListArticles, client_.content(), request, page).ok());
  EXPECT_EQ(page.articles_size(), 100);
  EXPECT_NE(page.next_page_token(), "");
}

TEST_F(ServerTest, ValidateOnlyAddsNothing) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  v1::CreateCommentRequest request = MakeCommentRequest("story", "text");
  request.set_validate_only(true);
  v1::CreateCommentResponse response;
  ASSERT_TRUE(client_.Create(request, &response).ok());
  EXPECT_EQ(response.comment().name(), "");
  EXPECT_EQ(response.comment().body(), "text");
  EXPECT_EQ(Get("story").article().comment_count(), 0);
  request.mutable_comment()->clear_body();
  EXPECT_THAT(BadFields(client_.Create(request)), ElementsAre("comment.body"));
}

TEST_F(ServerTest, ARequestIdCreatesOneComment) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  v1::CreateCommentRequest request = MakeCommentRequest("story", "text");
  request.set_request_id("6d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b");
  v1::CreateCommentResponse first;
  ASSERT_TRUE(client_.Create(request, &first).ok());
  v1::CreateCommentResponse repeated;
  ASSERT_TRUE(client_.Create(request, &repeated).ok());
  EXPECT_EQ(repeated.comment().name(), first.comment().name());
  request.mutable_comment()->set_body("other text");
  const grpc::Status reused = client_.Create(request);
  EXPECT_EQ(reused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(reused), "REQUEST_ID_REUSED");
  EXPECT_EQ(Get("story").article().comment_count(), 1);
}

TEST_F(ServerTest, InvalidUtf8IsAnInvalidArgument) {
  const grpc::Status status = CallWithBytes(client_, "/content.v1.ContentService/GetArticle",
                                            std::string("\x0a\x04\xff\xfe\xfd\xfc"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(BadFields(status), ElementsAre("name"));
}

TEST_F(ServerTest, ACallPastItsDeadlineHasNoEffect) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  auto call = std::async(std::launch::async, [this] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(3));
    v1::CreateCommentResponse response;
    return client_.content().CreateComment(&context, MakeCommentRequest("story", "late"),
                                           &response);
  });
  AwaitWaitersForLocks(url_, 1);
  EXPECT_EQ(call.get().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The statement ends although the lock is still held.
  AwaitThat([&] { return WaitersForLocks(url_) == 0; });
  session.Run("ROLLBACK");
  EXPECT_EQ(Get("story").article().comment_count(), 0);
}

// Both versions of the service have the same messages on the wire.
class ReflectionTest : public ServerTest, public ::testing::WithParamInterface<const char*> {
 protected:
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  void SetUp() override {
    ServerTest::SetUp();
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    stream_ = grpc::TemplatedGenericStub<Request, Response>(client_.channel())
                  .PrepareCall(&context_, absl::StrCat("/", GetParam(), "/ServerReflectionInfo"),
                               &queue_);
    stream_->StartCall(nullptr);
    EXPECT_TRUE(AwaitStep());
  }

  void TearDown() override {
    stream_->WritesDone(nullptr);
    EXPECT_TRUE(AwaitStep());
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    EXPECT_TRUE(AwaitStep());
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  Response Ask(const Request& request) {
    Response response;
    stream_->Write(request, nullptr);
    EXPECT_TRUE(AwaitStep());
    stream_->Read(&response, nullptr);
    EXPECT_TRUE(AwaitStep());
    return response;
  }

 private:
  bool AwaitStep() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<Request, Response>> stream_;
};

INSTANTIATE_TEST_SUITE_P(Versions, ReflectionTest,
                         ::testing::Values("grpc.reflection.v1.ServerReflection",
                                           "grpc.reflection.v1alpha.ServerReflection"),
                         [](const auto& version) { return version.index == 0 ? "v1" : "v1alpha"; });

TEST_P(ReflectionTest, DescribesEveryService) {
  Request request;
  request.set_list_services("*");
  std::vector<std::string> names;
  const Response list = Ask(request);
  for (const auto& service : list.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, UnorderedElementsAre("content.v1.ContentService", "content.v1.AdminService",
                                          "grpc.channelz.v1.Channelz", "grpc.health.v1.Health",
                                          "grpc.reflection.v1.ServerReflection",
                                          "grpc.reflection.v1alpha.ServerReflection"));
  for (const std::string& name : names) {
    request.set_file_containing_symbol(name);
    EXPECT_GT(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 0) << name;
  }
  request.set_file_by_filename("content/v1/comment.proto");
  EXPECT_GE(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 2);
  request.set_file_containing_symbol("google.rpc.BadRequest");
  EXPECT_GT(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 0);
  request.set_file_containing_symbol("content.v1.Nothing");
  EXPECT_EQ(Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_all_extension_numbers_of_type("content.v1.Article");
  EXPECT_EQ(Ask(request).all_extension_numbers_response().extension_number_size(), 0);
  request.clear_message_request();
  EXPECT_TRUE(Ask(request).has_error_response());
}

// Does what a client without the proto files does: it asks for the files that it still lacks.
TEST_P(ReflectionTest, DescribesTheTypesOfEveryRpc) {
  google::protobuf::SimpleDescriptorDatabase files;
  std::set<std::string> known;
  std::vector<std::string> wanted;
  const auto take = [&](const Response& answer) {
    for (const std::string& bytes : answer.file_descriptor_response().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      if (!known.insert(file.name()).second) continue;
      files.Add(file);
      wanted.insert(wanted.end(), file.dependency().begin(), file.dependency().end());
    }
  };
  Request request;
  for (const char* service : {"content.v1.ContentService", "content.v1.AdminService"}) {
    request.set_file_containing_symbol(service);
    take(Ask(request));
  }
  while (!wanted.empty()) {
    request.set_file_by_filename(wanted.back());
    wanted.pop_back();
    if (!known.contains(request.file_by_filename())) take(Ask(request));
  }
  google::protobuf::DescriptorPool pool(&files);
  const google::protobuf::DescriptorPool& ours =
      *google::protobuf::DescriptorPool::generated_pool();
  for (const char* name : {"content.v1.ContentService", "content.v1.AdminService"}) {
    const google::protobuf::ServiceDescriptor* const service = pool.FindServiceByName(name);
    ASSERT_NE(service, nullptr) << name;
    EXPECT_EQ(service->DebugString(), ours.FindServiceByName(name)->DebugString());
    for (int i = 0; i < service->method_count(); ++i) {
      for (const auto* type :
           {service->method(i)->input_type(), service->method(i)->output_type()}) {
        EXPECT_EQ(type->file()->DebugString(),
                  ours.FindMessageTypeByName(type->full_name())->file()->DebugString());
      }
    }
  }
}

TEST_P(ReflectionTest, SaysWhatTheContractSays) {
  Request request;
  request.set_file_containing_symbol("content.v1.ContentService.CreateComment");
  google::protobuf::SimpleDescriptorDatabase files;
  const Response answer = Ask(request);
  for (const std::string& bytes : answer.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    // With a json_name, grpcurl would print names that are not those of the contract.
    EXPECT_THAT(file.DebugString(), Not(HasSubstr("json_name: ")));
    files.Add(file);
  }
  google::protobuf::DescriptorPool pool(&files);
  google::protobuf::SourceLocation method;
  ASSERT_TRUE(
      pool.FindMethodByName("content.v1.ContentService.CreateComment")->GetSourceLocation(&method));
  EXPECT_THAT(method.leading_comments, HasSubstr("Adds a comment."));
  google::protobuf::SourceLocation field;
  ASSERT_TRUE(pool.FindFieldByName("content.v1.Article.body")->GetSourceLocation(&field));
  EXPECT_THAT(field.leading_comments, HasSubstr("CommonMark"));
}

// A reflection stream that has had an answer, and is idle. Its end is the server's.
class IdleReflection {
 public:
  explicit IdleReflection(const Client& client)
      : stub_(grpc::reflection::v1::ServerReflection::NewStub(client.channel())),
        stream_(stub_->ServerReflectionInfo(&context_)) {
    grpc::reflection::v1::ServerReflectionRequest request;
    request.set_list_services("*");
    grpc::reflection::v1::ServerReflectionResponse response;
    is_open_ = stream_->Write(request) && stream_->Read(&response);
  }

  bool is_open() const { return is_open_; }

  grpc::Status Finish() {
    stream_->WritesDone();
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::reflection::v1::ServerReflection::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<grpc::reflection::v1::ServerReflectionRequest,
                                           grpc::reflection::v1::ServerReflectionResponse>>
      stream_;
  bool is_open_ = false;
};

int CountThreads(int pid) {
  const std::filesystem::directory_iterator tasks(absl::StrCat("/proc/", pid, "/task"));
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

TEST_F(ServerTest, BoundsReflectionStreamsWhichTakeNoThreads) {
  constexpr int kMaxStreamsOfOne = 50;  // half of all
  const int threads = CountThreads(server_.pid());
  std::vector<std::unique_ptr<IdleReflection>> streams;
  for (int i = 0; i < kMaxStreamsOfOne; ++i) {
    streams.push_back(std::make_unique<IdleReflection>(client_));
    EXPECT_TRUE(streams.back()->is_open());
  }
  EXPECT_LT(CountThreads(server_.pid()), threads + 20);
  IdleReflection refused(client_);
  EXPECT_FALSE(refused.is_open());
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(IdleReflection(Client(server_.address(), OwnConnection())).is_open())
      << "there is room for others";
  EXPECT_TRUE(streams.back()->Finish().ok());
  streams.pop_back();
  // The server counts a stream until it has sent its status.
  AwaitThat([&] { return IdleReflection(client_).is_open(); });
}

TEST_F(ServerTest, HealthCoversTheServerAndEachService) {
  EXPECT_EQ(HealthOf(client_), "SERVING");
  EXPECT_EQ(HealthOf(client_, "content.v1.ContentService"), "SERVING");
  EXPECT_EQ(HealthOf(client_, "content.v1.AdminService"), "SERVING");
  EXPECT_NE(HealthOf(client_, "content.v1.Nothing"), "SERVING");
}

TEST_F(ServerTest, HealthFollowsTheDatabase) {
  {
    const Outage outage(url_);
    AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    v1::GetArticleRequest request;
    request.set_name("articles/x");
    v1::GetArticleResponse response;
    const grpc::Status status =
        Client::Call(&Stub::GetArticle, client_.content(), request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "the database cannot be reached");
  }
  AwaitServing(client_);
}

TEST_F(ServerTest, KeepsServingWhenNobodyReadsItsLog) {
  server_.HangUp();
  {
    const Outage outage(url_);  // is logged
    AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  }
  AwaitServing(client_);
  EXPECT_TRUE(client_.Publish(MakeArticle("story")).ok());
  server_.Signal(SIGTERM);
  EXPECT_EQ(server_.Wait(), 0);
}

TEST_F(ServerTest, KeepsServingWhileNobodyReadsItsLogAndClientsFillIt) {
  const RawConnection connection(server_.address());
  connection.SendPreface();
  connection.SendBadCall(1);
  server_.WaitForEvent("grpc");
  server_.StopReadingLog();
  for (int stream = 3; stream < 400; stream += 2) connection.SendBadCall(stream);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(client_.Publish(MakeArticle(absl::StrCat("story-", i))).ok());
  }
  EXPECT_EQ(HealthOf(Client(server_.address())), "SERVING");
  server_.Signal(SIGTERM);
  EXPECT_EQ(server_.Wait(), 0);
}

TEST_F(ServerTest, LogsFewOfTheErrorsThatClientsCauseAndCountsTheRest) {
  constexpr int kErrors = 500;
  const RawConnection connection(server_.address());
  connection.SendPreface();
  for (int i = 0; i < kErrors; ++i) connection.SendBadCall(2 * i + 1);
  int lines = 0;
  for (int counted = 0; counted < kErrors; ++lines) {
    const auto event = nlohmann::json::parse(server_.WaitForEvent("grpc"), nullptr, false);
    ASSERT_TRUE(event.is_object());
    counted += event.value("suppressed", 0) + (event.contains("message") ? 1 : 0);
  }
  EXPECT_LT(lines, kErrors / 5);
}

TEST_F(ServerTest, DescribesItselfEvenDuringAnOutage) {
  v1::GetServerInfoResponse info = Info(client_);
  EXPECT_NE(info.version(), "");
  EXPECT_LE(info.start_time().seconds(), std::time(nullptr));
  EXPECT_EQ(info.request_retention().seconds(), 24 * 60 * 60);
  EXPECT_EQ(info.settings().at("drain-timeout"), "60s");
  EXPECT_EQ(info.settings().at("queue-limit"), "1000");
  EXPECT_EQ(info.store().database_version(), Query(url_, "SHOW server_version"));
  std::vector<std::string> pools;
  for (const v1::PoolInfo& pool : info.store().pools()) pools.push_back(pool.name());
  EXPECT_THAT(pools, ElementsAre("reads", "writes", "publishing", "checks"));

  const Outage outage(url_);
  AwaitHealth(client_, grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  info = Info(client_);
  EXPECT_EQ(info.store().database_version(), "");
  EXPECT_EQ(info.store().pools(3).open_connections(), 0);
}

TEST_F(ServerTest, DoesNotRevealItsDatabaseUrl) {
  const std::string name = Query(url_, "SELECT current_database()");
  const std::string socket =
      Query(url_, "SELECT trim('\"' FROM current_setting('unix_socket_directories'))");
  const std::string user = Query(url_, "SELECT current_user");
  const std::string uri = absl::StrCat("postgresql://", user, ":sekret@/", name, "?host=", socket);
  for (const std::string& url :
       {url_ + " password=sekret sslpassword=sekret passfile=/sekret",
        uri + "&password=sekret&sslpassword=sekret&passfile=/sekret", uri}) {
    ContentdServer server({"--database-url", url, "--direct-database-url", url});
    const v1::GetServerInfoResponse info = Info(Client(server.address()));
    EXPECT_EQ(info.settings().at("database-url"), "(not shown)");
    EXPECT_EQ(info.settings().at("direct-database-url"), "(not shown)");
    for (const std::string& part : {std::string("sekret"), name, socket}) {
      EXPECT_THAT(info.DebugString(), Not(HasSubstr(part)));
    }
  }
}

TEST_F(ServerTest, LimitsTheStreamsOfAConnection) {
  constexpr int kMaxConcurrentStreams = 3;
  EXPECT_EQ(Http2Settings(server_.address())[kMaxConcurrentStreams], 1000);
}

TEST_F(ServerTest, StopsGracefullyWhileACallIsInFlight) {
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  Session session(url_);
  session.Run("BEGIN; " + LockArticles(url_));
  // Stays open: a watch of health never ends by itself, and must not delay the stop.
  const auto health = grpc::health::v1::Health::NewStub(client_.channel());
  grpc::ClientContext watch_context;
  const auto watch = health->Watch(&watch_context, {});
  grpc::health::v1::HealthCheckResponse state;
  ASSERT_TRUE(watch->Read(&state));
  EXPECT_EQ(state.status(), grpc::health::v1::HealthCheckResponse::SERVING);

  auto call = std::async(std::launch::async, [this] {
    return client_.Create(MakeCommentRequest("story", "in flight"));
  });
  AwaitWaitersForLocks(url_, 1);
  server_.Signal(SIGTERM);
  ASSERT_TRUE(watch->Read(&state));
  EXPECT_EQ(state.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  session.Run("ROLLBACK");
  const auto last_answer = std::chrono::steady_clock::now();
  const grpc::Status status = call.get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(server_.Wait(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - last_answer, std::chrono::seconds(20));
  EXPECT_EQ(Query(url_, "SELECT count(*) FROM comment"), "1");
}

TEST_F(ServerTest, ASecondServerCannotTakeTheSamePort) {
  const Finished second = RunContentd(
      {"serve", "--listen", server_.address(), "--http-listen", "off", "--database-url", url_});
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(second.err,
            "contentd: cannot listen on " + server_.address() + ": Address already in use\n");
  const Finished third = RunContentd({"serve", "--listen", "no-such-host.invalid:1",
                                      "--http-listen", "off", "--database-url", url_});
  EXPECT_EQ(third.status, 1);
  EXPECT_THAT(third.err, StartsWith("contentd: cannot listen on no-such-host.invalid:1: "));
  EXPECT_THAT(third.err, Not(HasSubstr("in use")));
}

TEST(Serve, RefusesASchemaItDoesNotKnow) {
  const Finished finished =
      RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", NewDatabase(false)});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("needs version"));
}

TEST(Serve, NamesTheSettingThatIsWrong) {
  EXPECT_THAT(RunContentd({"serve"}, {"CONTENT_LISTEN=here"}).err,
              HasSubstr("contentd: CONTENT_LISTEN: "));
  EXPECT_THAT(RunContentd({"serve", "--database-url", "postgres://user:secret@[::1/x"}).err,
              HasSubstr("database URL is not a valid connection string"));
}

TEST(Serve, RunsAnEmbeddedDatabaseAndKeepsItsData) {
  const std::string data_dir = ScratchDirectory() + "/embedded";
  {
    ContentdServer server({"--data-dir", data_dir});
    Client client(server.address());
    ASSERT_TRUE(client.Publish(MakeArticle("kept")).ok());

    const Finished second =
        RunContentd({"serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir});
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.err, HasSubstr(data_dir));

    server.Signal(SIGINT);
    EXPECT_EQ(server.Wait(), 0);
  }
  ContentdServer server({"--data-dir", data_dir});
  Client client(server.address());
  v1::GetArticleRequest request;
  request.set_name("articles/kept");
  v1::GetArticleResponse response;
  EXPECT_TRUE(Client::Call(&Stub::GetArticle, client.content(), request, response).ok());
}

TEST(Serve, LogsThatItMigratesItsDatabase) {
  ContentdServer server({"--data-dir", ScratchDirectory() + "/migrating"}, {},
                        ContentdServer::Until::kStarted);
  EXPECT_THAT(server.WaitForEvent("migrating"), HasSubstr("0001_articles_and_comments"));
  server.WaitForEvent("serving");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

TEST(Serve, ForgetsRequestsAfterTheirRetention) {
  const std::string url = NewDatabase();
  v1::CreateCommentRequest request = MakeCommentRequest("story", "text");
  request.set_request_id("6d5d1c9e-9a5b-4b2a-8f3e-0c1d2e3f4a5b");
  v1::CreateCommentResponse first;
  {
    ContentdServer server({"--database-url", url});
    Client client(server.address());
    ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
    ASSERT_TRUE(client.Create(request, &first).ok());
    v1::CreateCommentResponse repeated;
    ASSERT_TRUE(client.Create(request, &repeated).ok());
    EXPECT_EQ(repeated.comment().name(), first.comment().name());
  }
  // Days later.
  Query(url,
        "UPDATE request SET create_day = create_day - 2; UPDATE request_retention SET used_time = "
        "used_time - interval '2 days'");
  ContentdServer server({"--database-url", url, "--request-retention", "1s"});
  // The event may have been logged before the one that the constructor waits for.
  AwaitThat([&] { return Query(url, "SELECT count(*) FROM request") == "0"; });
  Client client(server.address());
  v1::CreateCommentResponse second;
  ASSERT_TRUE(client.Create(request, &second).ok());
  EXPECT_NE(second.comment().name(), first.comment().name());
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), 0);
}

// The end of systemd that a server reports to, at an abstract address: @NAME in NOTIFY_SOCKET.
class ServiceManagerSocket {
 public:
  ServiceManagerSocket() {
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    name_.copy(address.sun_path, sizeof address.sun_path);
    address.sun_path[0] = '\0';
    const size_t length = offsetof(sockaddr_un, sun_path) + name_.size();
    EXPECT_EQ(
        bind(socket_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)),
        0);
  }

  ~ServiceManagerSocket() { close(socket_); }

  ServiceManagerSocket(const ServiceManagerSocket&) = delete;
  ServiceManagerSocket& operator=(const ServiceManagerSocket&) = delete;

  std::string variable() const { return "NOTIFY_SOCKET=" + name_; }

  // Waits for the next message.
  std::string Receive() const {
    std::string message(100, '\0');
    const ssize_t length = recv(socket_, message.data(), message.size(), 0);
    EXPECT_GT(length, 0);
    message.resize(length > 0 ? static_cast<size_t>(length) : 0);
    return message;
  }

 private:
  const std::string name_ = absl::StrCat("@contentd-test-", getpid());
  const int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST(ServiceManagerTest, IsToldWhenTheServerServesAndWhenItStops) {
  const ServiceManagerSocket manager;
  ContentdServer server({"--database-url", NewDatabase()}, {manager.variable()});
  EXPECT_EQ(manager.Receive(), "READY=1");
  server.Signal(SIGTERM);
  EXPECT_EQ(manager.Receive(), "STOPPING=1");
  EXPECT_EQ(server.Wait(), 0);
}

TEST(Migrate, ReportsWhatItApplied) {
  const std::string url = NewDatabase(/*migrated=*/false);
  const Finished first = RunContentd({"migrate", "--database-url", url});
  EXPECT_EQ(first.status, 0);
  EXPECT_THAT(first.out, HasSubstr("applied 0001_articles_and_comments"));
  const Finished second = RunContentd({"migrate"}, {"CONTENT_DATABASE_URL=" + url});
  EXPECT_EQ(second.status, 0);
  EXPECT_THAT(second.out, HasSubstr("the schema suits this contentd, which needs version"));
  EXPECT_EQ(RunContentd({"migrate", "--database-url", "host=/nowhere"}).status, 1);
}

}  // namespace
}  // namespace content::testing
