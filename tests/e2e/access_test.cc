// Who calls, and what they may do: certificates, tokens and forwarded certificates, the policy, the
// listener of operators, and unix sockets.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/descriptor.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "support/certificates.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/tokens.h"

namespace content::testing {
namespace {

namespace fs = std::filesystem;

using grpc::reflection::v1::ServerReflection;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Metadata = std::multimap<std::string, std::string>;

constexpr char kGetArticle[] = "content.v1.ContentService/GetArticle";
constexpr char kGetServerInfo[] = "content.v1.AdminService/GetServerInfo";

// A directory that is removed with this object.
class Directory {
 public:
  Directory() : path_(::testing::TempDir() + "access-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~Directory() { fs::remove_all(path_); }

  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // Replaces the file, so that nobody sees a part of it.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name + ".new")) << text;
    fs::rename(Path(name + ".new"), Path(name));
    return Path(name);
  }

 private:
  std::string path_;
};

// Calls any method with an empty request, on a connection of its own.
grpc::Status Try(const std::string& address, const std::string& method,
                 const Metadata& metadata = {},
                 const std::shared_ptr<grpc::ChannelCredentials>& credentials =
                     grpc::InsecureChannelCredentials(),
                 std::chrono::seconds timeout = std::chrono::seconds(20)) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::GenericStub stub(grpc::CreateCustomChannel(address, credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
  const grpc::ByteBuffer request = [] {
    const grpc::Slice empty;
    return grpc::ByteBuffer(&empty, 1);
  }();
  grpc::ByteBuffer response;
  std::promise<grpc::Status> done;
  stub.UnaryCall(&context, "/" + method, {}, &request, &response,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  return done.get_future().get();
}

Metadata Bearer(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

// The names of the services that a server describes; empty if it describes none.
std::vector<std::string> ListServices(const std::string& address) {
  const auto stub =
      ServerReflection::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  ServerReflectionRequest request;
  request.set_list_services("");
  stream->Write(request);
  stream->WritesDone();
  ServerReflectionResponse response;
  std::vector<std::string> names;
  while (stream->Read(&response)) {
    for (const auto& service : response.list_services_response().service()) {
      names.push_back(service.name());
    }
  }
  stream->Finish();
  return names;
}

// Every method of these services.
std::vector<std::string> MethodsOf(const std::vector<std::string>& services) {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  std::vector<std::string> methods;
  for (const std::string& name : services) {
    // v1alpha differs from v1 only in its name.
    const auto* const service = pool->FindServiceByName(
        name == "grpc.reflection.v1alpha.ServerReflection" ? "grpc.reflection.v1.ServerReflection"
                                                           : name);
    if (service == nullptr) {
      ADD_FAILURE() << name << " is unknown";
      continue;
    }
    for (int i = 0; i < service->method_count(); ++i) {
      methods.push_back(name + "/" + service->method(i)->name());
    }
  }
  return methods;
}

// Whether the gate let a call pass.
bool Passed(const grpc::Status& status) {
  return status.error_code() != grpc::StatusCode::UNAUTHENTICATED &&
         status.error_code() != grpc::StatusCode::PERMISSION_DENIED;
}

class AccessTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database-url", url_});
    server_ = std::make_unique<ContentdServer>(std::move(arguments));
  }

  void ServePolicy(const std::string& policy, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"--policy-file", files_.Write("policy.yaml", policy)});
    Serve(std::move(arguments));
  }

  // Serves callers with tokens that key_ has signed.
  void ServeTokens(const std::string& policy, std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(),
                     {"--jwt-jwks-file", files_.Write("keys.json", KeySetOf({key_.PublicJwk()})),
                      "--jwt-issuer", "https://id.example.org", "--jwt-audience", "content"});
    ServePolicy(policy, std::move(arguments));
  }

  static std::string TokenOf(const std::string& subject, const SigningKey& key,
                             int64_t seconds_left = 600) {
    return key.Sign(absl::StrCat(R"({"iss":"https://id.example.org","aud":"content","sub":")",
                                 subject, R"(","exp":)",
                                 absl::ToUnixSeconds(absl::Now()) + seconds_left, "}"));
  }

  std::string TokenOf(const std::string& subject) const { return TokenOf(subject, key_); }

  const std::string& address() const { return server_->address(); }

  // Waits until the method's answer has this reason, or any other answer if it is empty.
  void AwaitReason(const std::string& method, const Metadata& metadata,
                   const std::string& reason) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::string last;
    do {
      last = ReasonOf(Try(address(), method, metadata));
    } while (last != reason && std::chrono::steady_clock::now() < end);
    EXPECT_EQ(last, reason);
  }

  const Directory files_;
  const SigningKey key_{SigningKey::Kind::kP256};
  const std::string url_ = NewDatabase();
  std::unique_ptr<ContentdServer> server_;
};

TEST_F(AccessTest, EveryMethodOfThePortIsCovered) {
  Serve({});
  const std::vector<std::string> methods = MethodsOf(ListServices(address()));
  EXPECT_GT(methods.size(), 30U);
  for (const std::string& method : methods) {
    // A watch goes on until its deadline.
    EXPECT_TRUE(Passed(
        Try(address(), method, {}, grpc::InsecureChannelCredentials(), std::chrono::seconds(1))))
        << method;
  }
  server_.reset();
  ServePolicy("callers: {anonymous: []}");
  for (const std::string& method : methods) {
    const grpc::Status status = Try(address(), method);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << method;
    EXPECT_EQ(ReasonOf(status), "CREDENTIALS_MISSING") << method;
  }
  EXPECT_THAT(ListServices(address()), IsEmpty());
}

TEST_F(AccessTest, ARoleOpensItsMethodsAndNoOthers) {
  ServeTokens(
      "callers:\n"
      "  jwt:reader: [reader]\n"
      "  jwt:commenter: [commenter]\n"
      "  jwt:moderator: [moderator]\n"
      "  jwt:publisher: [publisher]\n"
      "  jwt:operator: [operator]\n"
      "  anonymous: [health]\n");
  const std::map<std::string, std::string> first_role = {
      {"content.v1.ContentService/GetArticle", "reader"},
      {"content.v1.ContentService/CreateComment", "commenter"},
      {"content.v1.AdminService/ModerateComment", "moderator"},
      {"content.v1.AdminService/PublishArticle", "publisher"},
      {"content.v1.AdminService/EraseAuthor", "operator"},
      {"grpc.channelz.v1.Channelz/GetServers", "operator"},
  };
  for (const char* const role : {"reader", "commenter", "moderator", "publisher", "operator"}) {
    for (const auto& [method, needed] : first_role) {
      const grpc::Status status = Try(address(), method, Bearer(TokenOf(role)));
      const bool is_allowed =
          role == needed || role == std::string("operator") || needed == "reader";
      EXPECT_EQ(Passed(status), is_allowed) << role << " calls " << method;
      if (!is_allowed) {
        EXPECT_EQ(ReasonOf(status), "METHOD_NOT_ALLOWED");
      }
    }
  }
  EXPECT_TRUE(Try(address(), "grpc.health.v1.Health/Check").ok());
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "CREDENTIALS_MISSING");
}

TEST_F(AccessTest, ACertificateSaysWhoCalls) {
  const OperatorFiles operator_files;
  ServePolicy(
      "callers:\n"
      "  spiffe://example.org/web: [reader]\n"
      "  dns:cms.example.org: [publisher]\n"
      "  cn:on-call: [operator]\n",
      {"--tls-cert-file", operator_files.Path("cert.pem"), "--tls-key-file",
       operator_files.Path("key.pem"), "--tls-client-ca-file", operator_files.Path("clients.pem")});
  const auto reason = [&](const std::string& common_name, const std::string& names,
                          const std::string& method) {
    const Identity client = operator_files.NewClient(common_name, {.names = names});
    return ReasonOf(Try(address(), method, {},
                        grpc::SslCredentials({.pem_root_certs = operator_files.root.certificate,
                                              .pem_private_key = client.key,
                                              .pem_cert_chain = client.certificate})));
  };
  constexpr char kWeb[] = "URI:spiffe://example.org/web";
  constexpr char kPublish[] = "content.v1.AdminService/PublishArticle";
  EXPECT_EQ(reason("on-call-no-more", kWeb, kGetArticle), "INVALID_REQUEST");
  EXPECT_EQ(reason("on-call-no-more", kWeb, kPublish), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(reason("anything", "DNS:cms.example.org", kPublish), "INVALID_REQUEST");
  EXPECT_EQ(reason("anything", "DNS:cms.example.org", kGetServerInfo), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(reason("on-call", "", kPublish), "INVALID_REQUEST");
  EXPECT_EQ(reason("stranger", "URI:spiffe://example.org/other", kGetArticle),
            "METHOD_NOT_ALLOWED");
}

TEST_F(AccessTest, ATokenSaysWhoCallsAndItsKeysRotate) {
  ServeTokens("callers: {\"jwt:*\": [reader], jwt:mallory: []}");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "CREDENTIALS_MISSING");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada")))), "INVALID_REQUEST");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("mallory")))),
            "METHOD_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada", key_, -600)))),
            "TOKEN_EXPIRED");
  const grpc::Status broken = Try(address(), kGetArticle, Bearer(TokenOf("ada") + "x"));
  EXPECT_EQ(broken.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(broken), "TOKEN_INVALID");

  const SigningKey next(SigningKey::Kind::kRsa);
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada", next)))), "TOKEN_INVALID");
  files_.Write("keys.json", "{");
  server_->WaitForEvent("access file refused");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada")))), "INVALID_REQUEST");
  files_.Write("keys.json", KeySetOf({next.PublicJwk()}));
  AwaitReason(kGetArticle, Bearer(TokenOf("ada", next)), "INVALID_REQUEST");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada")))), "TOKEN_INVALID");
}

TEST_F(AccessTest, TokensCanBeRequiredAndHealthNeedsNone) {
  ServeTokens("callers: {anonymous: [reader], \"jwt:*\": [reader]}", {"--jwt", "required"});
  const grpc::Status status = Try(address(), kGetArticle);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, Bearer(TokenOf("ada")))), "INVALID_REQUEST");
  EXPECT_TRUE(Try(address(), "grpc.health.v1.Health/Check").ok());
}

TEST_F(AccessTest, APolicyIsFollowedAndABrokenOneIsNot) {
  ServePolicy("callers: {anonymous: [health]}");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "CREDENTIALS_MISSING");
  files_.Write("policy.yaml", "callers: {anonymous: [reader]}");
  AwaitReason(kGetArticle, {}, "INVALID_REQUEST");
  files_.Write("policy.yaml", "callers: {anonymous: [raeder]}");
  EXPECT_TRUE(absl::StrContains(server_->WaitForEvent("access file refused"), "raeder"));
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "INVALID_REQUEST");
  files_.Write("policy.yaml", "callers: {anonymous: []}");
  AwaitReason(kGetArticle, {}, "CREDENTIALS_MISSING");
}

TEST_F(AccessTest, ABrokenPolicyKeepsTheServerFromStarting) {
  const Finished run =
      RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", url_, "--policy-file",
                   files_.Write("policy.yaml", "callers: {ada: [reader]}")});
  EXPECT_EQ(run.status, 1);
  EXPECT_TRUE(absl::StrContains(run.err, "policy.yaml:1")) << run.err;
}

TEST_F(AccessTest, CallsASecondAreLimited) {
  ServeTokens(
      "roles:\n"
      "  crawler: {methods: [content.v1.ContentService/GetArticle], calls_per_second: 1}\n"
      "callers: {jwt:crawler: [crawler], jwt:reader: [reader]}\n");
  const auto call = [&](const std::string& subject) {
    return Try(address(), kGetArticle, Bearer(TokenOf(subject)));
  };
  // The second call may come more than a second after the first, but not each of them.
  grpc::Status status;
  for (int i = 0; i < 100 && ReasonOf(status) != "CALL_RATE_EXCEEDED"; ++i) {
    status = call("crawler");
  }
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "CALL_RATE_EXCEEDED");
  EXPECT_TRUE(absl::StrContains(status.error_details(), "google.rpc.RetryInfo"));
  EXPECT_EQ(ReasonOf(call("reader")), "INVALID_REQUEST");
}

TEST_F(AccessTest, CommentsOfAnAuthorAreLimited) {
  ServePolicy(
      "roles:\n"
      "  slow: {methods: [\"content.v1.ContentService/*\"], comments_per_minute: 2}\n"
      "callers: {anonymous: [slow, publisher]}\n");
  const Client client(address());
  ASSERT_TRUE(client.Publish(MakeArticle("a")).ok());
  v1::CreateCommentRequest request = MakeCommentRequest("a", "Hello.");
  request.set_validate_only(true);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client.Create(request).ok());
  request.set_validate_only(false);
  EXPECT_TRUE(client.Create(request).ok());
  EXPECT_TRUE(client.Create(request).ok());
  const grpc::Status status = client.Create(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "AUTHOR_RATE_EXCEEDED");
  request.mutable_comment()->mutable_author()->set_id("user-2");
  EXPECT_TRUE(client.Create(request).ok());
}

TEST_F(AccessTest, AProxyOnThisMachineSaysWhoCalls) {
  const std::string policy = "callers: {spiffe://example.org/web: [reader]}";
  const Metadata forwarded = {
      {"x-forwarded-client-cert", "By=spiffe://x;Hash=1;URI=spiffe://example.org/web"}};
  ServePolicy(policy);
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, forwarded)), "CREDENTIALS_MISSING");
  server_.reset();
  ServePolicy(policy, {"--forwarded-client-cert"});
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, forwarded)), "INVALID_REQUEST");
  server_.reset();
  ServePolicy(policy, {"--forwarded-client-cert", "--listen", "unix:" + files_.Path("socket")});
  EXPECT_EQ(address(), "unix:" + files_.Path("socket"));
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle, forwarded)), "INVALID_REQUEST");
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "CREDENTIALS_MISSING");
}

TEST_F(AccessTest, AUnixSocketOutlivesNeitherItsServerNorABadEnd) {
  const std::string socket = files_.Path("socket");
  Serve({"--listen", "unix:" + socket});
  const Finished second = RunContentd(
      {"serve", "--listen", "unix:" + socket, "--database-url", url_, "--log-format", "json"});
  EXPECT_EQ(second.status, 1);
  EXPECT_TRUE(absl::StrContains(second.err, "another server listens there")) << second.err;
  EXPECT_TRUE(Try(address(), "grpc.health.v1.Health/Check").ok());
  server_->Signal(SIGKILL);
  server_->Wait();
  EXPECT_TRUE(fs::exists(socket));
  Serve({"--listen", "unix:" + socket});
  EXPECT_TRUE(Try(address(), "grpc.health.v1.Health/Check").ok());
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
  EXPECT_FALSE(fs::exists(socket));
}

TEST_F(AccessTest, OperatorsCanHaveAListenerOfTheirOwn) {
  const std::string admin = "unix:" + files_.Path("admin");
  Serve({"--admin-listen", admin});
  EXPECT_EQ(ReasonOf(Try(address(), kGetArticle)), "INVALID_REQUEST");
  EXPECT_TRUE(Try(address(), "grpc.health.v1.Health/Check").ok());
  EXPECT_EQ(Try(address(), kGetServerInfo).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(Try(address(), "grpc.channelz.v1.Channelz/GetServers").error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(ListServices(address()), IsEmpty());
  EXPECT_EQ(ReasonOf(Try(admin, kGetArticle)), "INVALID_REQUEST");
  EXPECT_TRUE(Try(admin, kGetServerInfo).ok());
  EXPECT_TRUE(Try(admin, "grpc.health.v1.Health/Check").ok());
  EXPECT_THAT(ListServices(admin),
              UnorderedElementsAre("content.v1.AdminService", "content.v1.ContentService",
                                   "grpc.channelz.v1.Channelz", "grpc.health.v1.Health",
                                   "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection"));
  server_->Signal(SIGTERM);
  EXPECT_EQ(server_->Wait(), 0);
}

TEST_F(AccessTest, ChannelzShowsTheConnections) {
  namespace channelz = grpc::channelz::v1;
  Serve({});
  const Client client(address());
  const auto stub = channelz::Channelz::NewStub(client.channel());
  channelz::GetServersResponse servers;
  ASSERT_TRUE(Client::Call(&channelz::Channelz::Stub::GetServers, *stub, {}, servers).ok());
  ASSERT_EQ(servers.server_size(), 1);
  EXPECT_GT(servers.server(0).data().calls_started(), 0);
  channelz::GetServerSocketsRequest request;
  request.set_server_id(servers.server(0).ref().server_id());
  channelz::GetServerSocketsResponse sockets;
  ASSERT_TRUE(
      Client::Call(&channelz::Channelz::Stub::GetServerSockets, *stub, request, sockets).ok());
  ASSERT_GT(sockets.socket_ref_size(), 0);
  channelz::GetSocketRequest socket_request;
  socket_request.set_socket_id(sockets.socket_ref(0).socket_id());
  channelz::GetSocketResponse socket;
  ASSERT_TRUE(
      Client::Call(&channelz::Channelz::Stub::GetSocket, *stub, socket_request, socket).ok());
  EXPECT_GT(socket.socket().data().streams_started(), 0);
  socket_request.set_socket_id(999'999);
  EXPECT_EQ(Client::Call(&channelz::Channelz::Stub::GetSocket, *stub, socket_request, socket)
                .error_code(),
            grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace content::testing
