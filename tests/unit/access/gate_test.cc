#include "access/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "base/errors.h"
#include "google/rpc/error_details.pb.h"
#include "support/fake_clock.h"
#include "support/tokens.h"
#include "unit/access/method_names.h"

namespace content::access {
namespace {

using ::testing::HasSubstr;
using testing::KeySetOf;
using ::testing::Not;
using testing::SigningKey;

constexpr char kGatePolicy[] = R"(
roles:
  own-comments: {methods: ["content.v1.ContentService/*"], writes_as: person, comments_per_minute: 2}
  slow-reader: {methods: [content.v1.ContentService/GetArticle, "grpc.health.v1.Health/*"], calls_per_second: 2}
callers:
  spiffe://example.org/web: [commenter]
  dns:desk.example.org: [publisher]
  "jwt:*": [own-comments]
  cn:slow: [slow-reader]
  anonymous: [health]
)";

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    std::string directory = ::testing::TempDir() + "gate-XXXXXX";
    EXPECT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    Write("policy.yaml", kGatePolicy);
    Write("keys.json", KeySetOf({key_.PublicJwk()}));
  }

  ~GateTest() override {
    gate_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name) + ".new") << text;
    std::filesystem::rename(Path(name) + ".new", Path(name));
  }

  GateOptions Options() const {
    return {.tokens = TokenOptions{.jwks_file = Path("keys.json"),
                                   .issuer = "https://id.example.org",
                                   .audience = "content"},
            .policy_file = Path("policy.yaml")};
  }

  void Start(const GateOptions& options) {
    auto gate = Gate::Start(options, clock_, [this] { return now_.load(); });
    ASSERT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
    if (options.tokens || !options.policy_file.empty()) clock_.AwaitWaiters(1);
  }

  // Returns when the gate has looked at its files.
  void Look() {
    clock_.Advance(absl::Seconds(1));
    clock_.AwaitWaiters(1);
  }

  std::string Bearer(const std::string& subject) const { return BearerOf(key_, subject); }

  static std::string BearerOf(const SigningKey& key, const std::string& subject) {
    return "Bearer " + key.Sign(absl::StrCat(
                           R"({"iss":"https://id.example.org","aud":"content","exp":2000,"sub":")",
                           subject, "\"}"));
  }

  // The caller as IDENTITY|PERSON and, if it may write only as this person, an exclamation mark; or
  // the reason why it is refused.
  std::string Admit(const Credentials& credentials, const char* method) {
    const auto caller = gate_->Admit(credentials, method);
    if (!caller.ok()) return ReasonOf(caller.status());
    return absl::StrCat((*caller)->identity, "|", (*caller)->person,
                        (*caller)->writes_only_as_person ? "!" : "");
  }

  const SigningKey key_{SigningKey::Kind::kEd25519};
  testing::FakeClock clock_;
  std::atomic<absl::Time> now_ = absl::FromUnixSeconds(1000);
  std::string directory_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, WithoutAPolicyEverybodyMayDoEverything) {
  Start({});
  EXPECT_EQ(Admit({}, kPublish), "|");
  EXPECT_EQ(Admit({.dns_names = {"a", "b"}, .subject = "CN=c"}, kPublish), "dns:a|");
  EXPECT_EQ(Admit({.authorization = "Bearer nonsense"}, kPublish), "|");
  const Caller caller{.identity = "cn:a", .person = ""};
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(gate_->AdmitComment(caller, "alice").ok());
}

TEST_F(GateTest, KnowsPersonsWithoutAPolicyToo) {
  GateOptions options = Options();
  options.policy_file = "";
  Start(options);
  EXPECT_EQ(Admit({.authorization = Bearer("alice")}, kPublish), "jwt:alice|alice");
  EXPECT_EQ(Admit({.subject = "CN=c", .authorization = Bearer("alice")}, kPublish), "cn:c|alice");
  EXPECT_EQ(Admit({.authorization = "Bearer nonsense"}, kPublish), "TOKEN_INVALID");
}

TEST_F(GateTest, AdmitsWhomThePolicyNames) {
  Start(Options());
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, kCreateComment),
            "spiffe://example.org/web|");
  EXPECT_EQ(Admit({.dns_names = {"desk.example.org"}}, kPublish), "dns:desk.example.org|");
  EXPECT_EQ(Admit({.authorization = Bearer("alice")}, kCreateComment), "jwt:alice|alice!");
  EXPECT_EQ(Admit({}, kCheckHealth), "|");
}

TEST_F(GateTest, RefusesEverybodyElse) {
  Start(Options());
  EXPECT_EQ(Admit({}, kGetArticle), "CREDENTIALS_MISSING");
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, kPublish), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(Admit({.subject = "CN=unknown"}, kGetArticle), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(Admit({.subject = "CN=unknown"}, kCheckHealth), "METHOD_NOT_ALLOWED");
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, "no.such.Service/Method"),
            "METHOD_NOT_ALLOWED");
}

TEST_F(GateTest, SaysWhatIsDenied) {
  Start(Options());
  const absl::Status denied = gate_->Admit({.subject = "CN=unknown"}, kGetArticle).status();
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(denied.message(), "cn:unknown may not call content.v1.ContentService/GetArticle");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(
      std::string(*denied.GetPayload("type.googleapis.com/google.rpc.ErrorInfo"))));
  EXPECT_EQ(info.metadata().at("method"), kGetArticle);
  EXPECT_EQ(info.metadata().at("caller"), "cn:unknown");
  EXPECT_EQ(gate_->Admit({}, kGetArticle).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(GateTest, TakesTheFirstNameThatThePolicyHas) {
  Start(Options());
  EXPECT_EQ(
      Admit({.uris = {"spiffe://example.org/web"}, .dns_names = {"desk.example.org"}}, kPublish),
      "METHOD_NOT_ALLOWED")
      << "only the roles of the first count";
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/other"},
                   .dns_names = {"a", "Desk.example.org"},
                   .subject = "CN=slow"},
                  kPublish),
            "dns:desk.example.org|");
}

TEST_F(GateTest, TheCertificateSaysWhoCallsAndTheTokenForWhom) {
  Start(Options());
  const std::string bearer = Bearer("alice");
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}, .authorization = bearer}, kCreateComment),
            "spiffe://example.org/web|alice");
  EXPECT_EQ(Admit({.subject = "CN=unknown", .authorization = bearer}, kCreateComment),
            "METHOD_NOT_ALLOWED")
      << "the token's roles are not the certificate's";
}

TEST_F(GateTest, RefusesWrongTokensWhateverTheCertificate) {
  Start(Options());
  const SigningKey other(SigningKey::Kind::kEd25519);
  const std::string forged = BearerOf(other, "alice");
  for (const std::string& authorization :
       {forged, std::string("Bearer "), std::string("Bearer x"), std::string("Basic YTpi")}) {
    for (const char* const method : {kGetArticle, kCheckHealth}) {
      EXPECT_EQ(
          Admit({.uris = {"spiffe://example.org/web"}, .authorization = authorization}, method),
          "TOKEN_INVALID");
    }
  }
  const absl::Status refused = gate_->Admit({.authorization = forged}, kGetArticle).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(refused.message()), Not(HasSubstr(forged.substr(20, 20))));
}

TEST_F(GateTest, MayRequireATokenOfEveryCall) {
  GateOptions options = Options();
  options.tokens->are_required = true;
  Start(options);
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, kGetArticle), "CREDENTIALS_MISSING");
  EXPECT_EQ(Admit({}, kCheckHealth), "|");
  const std::string bearer = Bearer("alice");
  EXPECT_EQ(Admit({.authorization = bearer}, kGetArticle), "jwt:alice|alice!");
}

TEST_F(GateTest, ATokenThatWasGoodExpires) {
  Start(Options());
  const std::string bearer = Bearer("alice");
  EXPECT_EQ(Admit({.authorization = bearer}, kGetArticle), "jwt:alice|alice!");
  now_ = absl::FromUnixSeconds(2059);
  EXPECT_EQ(Admit({.authorization = bearer}, kGetArticle), "jwt:alice|alice!");
  now_ = absl::FromUnixSeconds(2060);
  EXPECT_EQ(Admit({.authorization = bearer}, kGetArticle), "TOKEN_EXPIRED");
}

TEST_F(GateTest, BelievesAForwardedCertificateOnlyOfLocalPeersAndOnDemand) {
  const Credentials forwarded = {.dns_names = {"desk.example.org"},
                                 .forwarded_certificate = "URI=spiffe://example.org/web",
                                 .peer_is_local = true};
  Credentials remote = forwarded;
  remote.peer_is_local = false;
  Start(Options());
  EXPECT_EQ(Admit(forwarded, kPublish), "dns:desk.example.org|");
  GateOptions options = Options();
  options.forwarded_certificates = true;
  gate_.reset();
  Start(options);
  EXPECT_EQ(Admit(forwarded, kGetArticle), "spiffe://example.org/web|");
  EXPECT_EQ(Admit(forwarded, kPublish), "METHOD_NOT_ALLOWED") << "that is the proxy's";
  EXPECT_EQ(Admit(remote, kPublish), "dns:desk.example.org|");
  EXPECT_EQ(Admit({.forwarded_certificate = "nonsense", .peer_is_local = true}, kGetArticle),
            "CREDENTIALS_MISSING");
}

TEST_F(GateTest, AProxyIsNotItsClients) {
  const Credentials proxy = {.dns_names = {"desk.example.org"}, .peer_is_local = true};
  Start(Options());
  EXPECT_FALSE(gate_->believes_local_peers());
  EXPECT_EQ(Admit(proxy, kPublish), "dns:desk.example.org|");
  GateOptions options = Options();
  options.forwarded_certificates = true;
  gate_.reset();
  Start(options);
  EXPECT_TRUE(gate_->believes_local_peers());
  EXPECT_EQ(Admit(proxy, kPublish), "CREDENTIALS_MISSING") << "its client had no certificate";
  EXPECT_EQ(Admit({.dns_names = {"desk.example.org"}}, kPublish), "dns:desk.example.org|");
}

TEST_F(GateTest, LimitsCallsASecond) {
  Start(Options());
  const Credentials slow = {.subject = "CN=slow"};
  EXPECT_EQ(Admit(slow, kGetArticle), "cn:slow|");
  EXPECT_EQ(Admit(slow, kGetArticle), "cn:slow|");
  const absl::Status refused = gate_->Admit(slow, kGetArticle).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "CALL_RATE_EXCEEDED");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(
      std::string(*refused.GetPayload("type.googleapis.com/google.rpc.ErrorInfo"))));
  EXPECT_EQ(info.metadata().at("limit"), "calls_per_second");
  EXPECT_EQ(info.metadata().at("value"), "2");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(retry.ParseFromString(
      std::string(*refused.GetPayload("type.googleapis.com/google.rpc.RetryInfo"))));
  EXPECT_EQ(retry.retry_delay().nanos(), 500'000'000);
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, kGetArticle),
            "spiffe://example.org/web|");
  EXPECT_EQ(Admit(slow, kCheckHealth), "cn:slow|") << "health is never limited";
  Look();
  EXPECT_EQ(Admit(slow, kGetArticle), "cn:slow|");
}

TEST_F(GateTest, LimitsCommentsAMinute) {
  Start(Options());
  const Caller alice{.identity = "jwt:alice", .person = "alice", .writes_only_as_person = true};
  const Caller web{.identity = "spiffe://example.org/web", .person = ""};
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
  const absl::Status refused = gate_->AdmitComment(alice, "alice");
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "AUTHOR_RATE_EXCEEDED");
  EXPECT_TRUE(gate_->AdmitComment(alice, "bob").ok());
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(gate_->AdmitComment(web, "alice").ok());
  for (int i = 0; i < 30; ++i) Look();
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
  EXPECT_FALSE(gate_->AdmitComment(alice, "alice").ok());
}

TEST_F(GateTest, ACallerUsesUpWhatAnAuthorMayWriteThroughItAlone) {
  Write("policy.yaml", R"(
roles:
  any-comments: {methods: ["content.v1.ContentService/*"], comments_per_minute: 1}
  own-comments: {methods: ["content.v1.ContentService/*"], comments_per_minute: 1, writes_as: person}
callers:
  cn:web: [any-comments]
  cn:app: [any-comments]
  anonymous: [any-comments]
  cn:proxy: [own-comments]
  "jwt:*": [own-comments]
)");
  Start(Options());
  const auto admit = [this](const std::string& identity) {
    return gate_->AdmitComment({.identity = identity, .person = "alice"}, "alice").ok();
  };
  for (const char* const identity : {"cn:web", "cn:app", "", "jwt:alice"}) {
    EXPECT_TRUE(admit(identity)) << identity;
    EXPECT_FALSE(admit(identity)) << identity;
  }
  EXPECT_FALSE(admit("cn:proxy")) << "alice has written as herself";
}

TEST_F(GateTest, FollowsThePolicy) {
  Start(Options());
  EXPECT_EQ(Admit({.subject = "CN=new"}, kPublish), "METHOD_NOT_ALLOWED");
  Write("policy.yaml", "callers: {cn:new: [publisher]}");
  Look();
  EXPECT_EQ(Admit({.subject = "CN=new"}, kPublish), "cn:new|");
  EXPECT_EQ(Admit({.uris = {"spiffe://example.org/web"}}, kGetArticle), "METHOD_NOT_ALLOWED");
}

TEST_F(GateTest, FollowsLimits) {
  Start(Options());
  const Caller alice{.identity = "jwt:alice", .person = ""};
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
  EXPECT_FALSE(gate_->AdmitComment(alice, "alice").ok());
  Write("policy.yaml", absl::StrReplaceAll(kGatePolicy, {{"minute: 2", "minute: 60"}}));
  Look();
  EXPECT_TRUE(gate_->AdmitComment(alice, "alice").ok());
}

TEST_F(GateTest, KeepsThePolicyWhateverBecomesOfTheFile) {
  Start(Options());
  for (const char* const text : {"", "callers: {}", "callers: {cn:a: [redaer]}", "{", "\xff"}) {
    Write("policy.yaml", text);
    Look();
    EXPECT_EQ(Admit({.dns_names = {"desk.example.org"}}, kPublish), "dns:desk.example.org|")
        << text;
    EXPECT_EQ(Admit({.subject = "CN=a"}, kGetArticle), "METHOD_NOT_ALLOWED") << text;
  }
  std::filesystem::remove(Path("policy.yaml"));
  Look();
  EXPECT_EQ(Admit({.dns_names = {"desk.example.org"}}, kPublish), "dns:desk.example.org|");
}

TEST_F(GateTest, SaysOnceThatAFileIsRefused) {
  Start(Options());
  Write("policy.yaml", "callers: {cn:a: [redaer]}");
  ::testing::internal::CaptureStderr();
  Look();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr(absl::StrCat(R"("event":"access file refused","cause":")",
                                     Path("policy.yaml"), ":1: there is no role redaer")));
  ::testing::internal::CaptureStderr();
  Look();
  Look();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(gate_->refused_files(), 3) << "one for each look";
  ::testing::internal::CaptureStderr();
  Write("policy.yaml", kGatePolicy);
  Look();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("access file loaded"));
  ::testing::internal::CaptureStderr();
  Write("policy.yaml", "callers: {cn:a: [redaer]}");
  Look();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("access file refused"));
  ::testing::internal::CaptureStderr();
  clock_.Advance(absl::Hours(1));
  clock_.AwaitWaiters(1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("access file refused"));
}

TEST_F(GateTest, FollowsTheKeysAndForgetsWhatTheOldOnesSigned) {
  Start(Options());
  const SigningKey next(SigningKey::Kind::kP256);
  const std::string old_bearer = Bearer("alice");
  const std::string new_bearer = BearerOf(next, "bob");
  EXPECT_EQ(Admit({.authorization = old_bearer}, kGetArticle), "jwt:alice|alice!");
  EXPECT_EQ(Admit({.authorization = new_bearer}, kGetArticle), "TOKEN_INVALID");
  Write("keys.json", KeySetOf({key_.PublicJwk(), next.PublicJwk()}));
  Look();
  EXPECT_EQ(Admit({.authorization = old_bearer}, kGetArticle), "jwt:alice|alice!");
  EXPECT_EQ(Admit({.authorization = new_bearer}, kGetArticle), "jwt:bob|bob!");
  Write("keys.json", KeySetOf({next.PublicJwk()}));
  Look();
  EXPECT_EQ(Admit({.authorization = old_bearer}, kGetArticle), "TOKEN_INVALID");
  EXPECT_EQ(Admit({.authorization = new_bearer}, kGetArticle), "jwt:bob|bob!");
}

TEST_F(GateTest, KeepsTheKeysWhateverBecomesOfTheFile) {
  Start(Options());
  const std::string bearer = Bearer("alice");
  for (const char* const text : {"", "{}", R"({"keys":[]})", R"({"keys":[{"kty":"RSA"}]})"}) {
    Write("keys.json", text);
    Look();
    EXPECT_EQ(Admit({.authorization = bearer}, kGetArticle), "jwt:alice|alice!") << text;
  }
}

TEST_F(GateTest, DoesNotStartWithWrongFiles) {
  const auto problem = [this] {
    return std::string(Gate::Start(Options(), clock_).status().message());
  };
  Write("policy.yaml", "callers: {}");
  EXPECT_EQ(problem(), Path("policy.yaml") + ":1: callers names nobody");
  Write("policy.yaml", kGatePolicy);
  Write("keys.json", "");
  EXPECT_THAT(problem(), HasSubstr(Path("keys.json") + ": this is no JSON Web Key Set"));
  std::filesystem::remove(Path("keys.json"));
  EXPECT_EQ(problem(), Path("keys.json") + " cannot be read: No such file or directory");
  GateOptions options = Options();
  options.tokens->issuer = "";
  EXPECT_EQ(Gate::Start(options, clock_).status().message(),
            "tokens need an issuer and an audience");
}

TEST_F(GateTest, AdmitsWhileItsFilesChange) {
  Start(Options());
  const std::string bearer = Bearer("alice");
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 300; ++j) {
          if (!gate_->Admit({.authorization = bearer}, kGetArticle).ok()) ++refused;
        }
      });
    }
    for (int i = 0; i < 10; ++i) {
      Write("policy.yaml", absl::StrCat(kGatePolicy, "# ", i, "\n"));
      Write("keys.json", KeySetOf({key_.PublicJwk(absl::StrCat(R"(,"x5t":")", i, "\""))}));
      Look();
    }
  }
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace content::access
