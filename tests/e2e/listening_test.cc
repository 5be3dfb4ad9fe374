// What clients can do to the server by their connections alone, and how it survives that.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "support/await_that.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"
#include "support/raw_connection.h"

namespace content::testing {
namespace {

using Clock = std::chrono::steady_clock;
using Stub = v1::ContentService::Stub;

constexpr char kListArticles[] = "/content.v1.ContentService/ListArticles";
constexpr size_t kMiB = size_t{1} << 20;

rlim_t CountOpenFiles(int pid) {
  const std::filesystem::directory_iterator files(absl::StrCat("/proc/", pid, "/fd"));
  return static_cast<rlim_t>(std::distance(begin(files), end(files)));
}

std::string FileOf(int pid, int number) {
  std::error_code error;
  return std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/fd/", number), error);
}

void SetOpenFilesLimit(int pid, rlim_t soft, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

// The largest memory that the process had since ForgetPeak.
size_t PeakMemory(int pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, "VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  ADD_FAILURE() << "the process has no VmHWM";
  return 0;
}

void ForgetPeak(int pid) { std::ofstream(absl::StrCat("/proc/", pid, "/clear_refs")) << "5\n"; }

grpc::Status CallCompressed(const Client& client, const std::string& bytes) {
  grpc::GenericStub stub(client.channel());
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  const grpc::ByteBuffer request(&slice, 1);
  const auto call =
      stub.PrepareUnaryCall(&context, "/content.v1.ContentService/GetArticle", request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  return status;
}

// A connection whose calls are answered, but whose answers are never read.
class UnreadCalls {
 public:
  UnreadCalls(const std::string& address, const std::string& method,
              const google::protobuf::Message& request, int count)
      : connection_(address) {
    connection_.SendPreface();
    for (int i = 0; i < count; ++i) {
      connection_.SendCall(2 * i + 1, method, request.SerializeAsString());
    }
  }

  // Waits until the server has ended this many more calls.
  void AwaitEnds(int count) const {
    constexpr int kRstStream = 3;
    while (count > 0) {
      const int type = connection_.ReceiveFrame().type;
      ASSERT_NE(type, -1) << "the server closed the connection";
      if (type == kRstStream) --count;
    }
  }

 private:
  const RawConnection connection_;
};

class ListeningTest : public ::testing::Test {
 protected:
  explicit ListeningTest(std::vector<std::string> arguments = {})
      : server_(WithDatabase(std::move(arguments))), client_(server_.address()) {
    AwaitServing(client_);
  }

  std::vector<std::string> WithDatabase(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database-url", url_});
    return arguments;
  }

  // Whether a client that has just connected is served.
  bool ServesNewClient() const {
    const Client client(server_.address(), OwnConnection());
    v1::GetServerInfoResponse info;
    return Client::Call(&v1::AdminService::Stub::GetServerInfo, client.admin(),
                        v1::GetServerInfoRequest(), info)
        .ok();
  }

  // Publishes articles, all of which ListArticles answers with 2.7 MiB.
  void PublishLargeArticles() const {
    for (int i = 0; i < 3; ++i) {
      v1::Article article = MakeArticle(absl::StrCat("large-", i));
      std::string body;
      while (body.size() < 900 << 10) body += "Some text. ";
      article.set_body(body);
      const grpc::Status status = client_.Publish(article);
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  }

  static v1::ListArticlesRequest ListAll() {
    v1::ListArticlesRequest request;
    request.set_view(v1::ARTICLE_VIEW_FULL);
    return request;
  }

  std::string url_ = NewDatabase();
  ContentdServer server_;
  Client client_;
};

TEST_F(ListeningTest, RefusesCompressedRequestsBeforeItUnpacksThem) {
  EXPECT_EQ(CallCompressed(client_, std::string(1000, 'x')).error_code(),
            grpc::StatusCode::UNIMPLEMENTED);
  const std::string bomb(300 * kMiB, '\0');
  ForgetPeak(server_.pid());
  const size_t before = PeakMemory(server_.pid());
  EXPECT_EQ(CallCompressed(client_, bomb).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_LT(PeakMemory(server_.pid()), before + 100 * kMiB);
  EXPECT_TRUE(ServesNewClient());
}

TEST_F(ListeningTest, ServesNewClientsOnceThereAreDescriptorsAgain) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP()
      << "UndefinedBehaviorSanitizer needs a descriptor to look at a type, or ends the process";
#endif
  ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok()) << "opens its database connection";
  rlimit before{};
  prlimit(server_.pid(), RLIMIT_NOFILE, nullptr, &before);
  SetOpenFilesLimit(server_.pid(), CountOpenFiles(server_.pid()) + 20, before.rlim_max);
  {
    std::vector<std::unique_ptr<RawConnection>> connections;
    for (int i = 0; i < 300; ++i) {
      connections.push_back(std::make_unique<RawConnection>(server_.address()));
    }
    server_.WaitForEvent("connections refused");
    EXPECT_TRUE(client_.Publish(MakeArticle("other")).ok());
  }
  AwaitThat([this] { return ServesNewClient(); });
}

TEST_F(ListeningTest, EndsConnectionsThatStaySilent) {
  const RawConnection connection(server_.address());
  const auto begin = Clock::now();
  connection.AwaitEnd();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(50)) << "pings end it after 80 s";
}

TEST_F(ListeningTest, RaisesTheLimitOfOpenFiles) {
  rlimit ours{};
  getrlimit(RLIMIT_NOFILE, &ours);
  SetOpenFilesLimit(0, 500, ours.rlim_max);
  const ContentdServer server(WithDatabase({}));
  SetOpenFilesLimit(0, ours.rlim_cur, ours.rlim_max);
  rlimit limit{};
  prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &limit);
  EXPECT_EQ(limit.rlim_cur, ours.rlim_max);
}

TEST_F(ListeningTest, ReplacesStandardFilesThatAreMissing) {
  const std::string program =
      std::filesystem::read_symlink(absl::StrCat("/proc/", server_.pid(), "/exe"));
  std::vector<std::string> arguments = {
      "/usr/bin/setpriv", "--pdeathsig", "KILL",           "--", program,         "serve",
      "--listen",         "127.0.0.1:0", "--database-url", url_, "--http-listen", "off"};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int file = 0; file < 3; ++file) posix_spawn_file_actions_addclose(&actions, file);
  int pid = -1;
  ASSERT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  const auto has_all = [pid] {
    for (int file = 0; file < 3; ++file) {
      if (FileOf(pid, file) != "/dev/null") return false;
    }
    return true;
  };
  AwaitThat(has_all);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

class AgeTest : public ListeningTest {
 protected:
  AgeTest() : ListeningTest({"--max-connection-age", "1s"}) {}
};

TEST_F(AgeTest, AsksOldConnectionsToEnd) {
  constexpr int kGoaway = 7;
  const RawConnection connection(server_.address());
  connection.SendPreface();
  std::set<int> types;
  while (types.insert(connection.ReceiveFrame().type), !types.contains(-1)) {
    if (types.contains(kGoaway)) return;
  }
  FAIL() << "closed without a GOAWAY";
}

class WriteTimeoutTest : public ListeningTest {
 protected:
  WriteTimeoutTest() : ListeningTest({"--watch-write-timeout", "1s"}) {}
};

TEST_F(WriteTimeoutTest, EndsCallsWhoseAnswersAreNotRead) {
  PublishLargeArticles();
  const UnreadCalls calls(server_.address(), kListArticles, ListAll(), 3);
  calls.AwaitEnds(3);
}

class UnreadAnswersTest : public ListeningTest {
 protected:
  UnreadAnswersTest() : ListeningTest({"--watch-write-timeout", "24h"}) {}
};

TEST_F(UnreadAnswersTest, EndsTheOldestBeyondABoundOfMemory) {
  PublishLargeArticles();
  const UnreadCalls calls(server_.address(), kListArticles, ListAll(), 150);
  calls.AwaitEnds(50);  // Together they would take 400 MiB, and at most 256 MiB may stay.
  v1::ListArticlesResponse response;
  EXPECT_TRUE(Client::Call(&Stub::ListArticles, client_.content(), ListAll(), response).ok());
}

}  // namespace
}  // namespace content::testing
