// TLS: who is let in, and how certificates change while the server runs.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "support/certificates.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using grpc::health::v1::Health;
using HealthResponse = grpc::health::v1::HealthCheckResponse;
using ::testing::AllOf;
using ::testing::HasSubstr;

// A connection of its own.
class Connection {
 public:
  Connection(const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& with)
      : health_(Health::NewStub(NewChannel(address, with))) {}

  // Makes a call. Returns the common name of the server's certificate, "" in plaintext, or the code
  // of the error.
  std::string Call() const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    HealthResponse response;
    const grpc::Status status = health_->Check(&context, {}, &response);
    if (!status.ok()) return std::to_string(status.error_code());
    const auto names = context.auth_context()->FindPropertyValues("x509_common_name");
    return names.empty() ? "" : std::string(names.front().begin(), names.front().end());
  }

  Health::Stub& health() const { return *health_; }

 private:
  static std::shared_ptr<grpc::Channel> NewChannel(
      const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& with) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address, with, arguments);
  }

  std::unique_ptr<Health::Stub> health_;
};

const std::string kRefused = std::to_string(grpc::StatusCode::UNAVAILABLE);

// Whether a TLS handshake with the server succeeds in this version.
bool CanUse(int version, const std::string& address) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);  // otherwise the client refuses old versions
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new_ssl_connect(context.get()),
                                                          BIO_free_all);
  BIO_set_conn_hostname(bio.get(), address.c_str());
  return BIO_do_connect(bio.get()) == 1 && BIO_do_handshake(bio.get()) == 1;
}

class TlsTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(),
                     {"--database-url", url_, "--tls-cert-file", operator_.Path("cert.pem"),
                      "--tls-key-file", operator_.Path("key.pem")});
    server_ = std::make_unique<ContentdServer>(std::move(arguments));
  }

  void ServeClients(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"--tls-client-ca-file", operator_.Path("clients.pem"),
                                       "--tls-crl-dir", operator_.Path("crls")});
    Serve(std::move(arguments));
  }

  Connection Connect() const { return ConnectAs({}); }

  Connection ConnectAs(const Identity& client) const {
    return {server_->address(), grpc::SslCredentials({.pem_root_certs = operator_.root.certificate,
                                                      .pem_private_key = client.key,
                                                      .pem_cert_chain = client.certificate})};
  }

  // Waits until a new connection of the client gets this answer.
  void AwaitAnswer(const std::string& wanted, const Identity& client = {}) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    std::string answer;
    while (answer != wanted && std::chrono::steady_clock::now() < end) {
      answer = ConnectAs(client).Call();
    }
    EXPECT_EQ(answer, wanted);
  }

  void Write(const Identity& server) const {
    operator_.Write("cert.pem", operator_.ChainOf(server));
    operator_.Write("key.pem", server.key);
  }

  // Waits until the server has refused files for this reason.
  void AwaitRefusal(const std::string& cause) const {
    std::string line;
    do {
      line = server_->WaitForEvent("certificates refused");
    } while (!line.empty() && !absl::StrContains(line, cause));
  }

  const OperatorFiles operator_;
  const std::string url_ = NewDatabase();
  std::unique_ptr<ContentdServer> server_;
};

TEST_F(TlsTest, ServesWithTlsAndNotWithout) {
  Serve();
  EXPECT_EQ(Connect().Call(), "server");
  EXPECT_EQ(Connection(server_->address(), grpc::InsecureChannelCredentials()).Call(), kRefused);
  EXPECT_EQ(ConnectAs(operator_.NewClient("unasked")).Call(), "server");
}

TEST_F(TlsTest, SpeaksOnlyVersionsThatAreSafe) {
  Serve();
  EXPECT_TRUE(CanUse(TLS1_3_VERSION, server_->address()));
  EXPECT_TRUE(CanUse(TLS1_2_VERSION, server_->address()));
  EXPECT_FALSE(CanUse(TLS1_1_VERSION, server_->address()));
}

TEST_F(TlsTest, LetsOnlyClientsInThatItsCaKnows) {
  ServeClients();
  EXPECT_EQ(ConnectAs(operator_.NewClient("client")).Call(), "server");
  EXPECT_EQ(Connect().Call(), kRefused);
  EXPECT_EQ(ConnectAs(NewIdentity({.common_name = "client"}, &operator_.foreign_ca)).Call(),
            kRefused);
  EXPECT_EQ(ConnectAs(operator_.NewClient("client", {.ends = -absl::Minutes(1)})).Call(), kRefused);
  EXPECT_EQ(ConnectAs(operator_.NewServer("server-of-ours")).Call(), kRefused);
  EXPECT_EQ(Connection(server_->address(), grpc::InsecureChannelCredentials()).Call(), kRefused);
}

TEST_F(TlsTest, LetsClientsInWithoutACertificateIfItIsOptional) {
  ServeClients({"--tls-client-cert", "optional"});
  EXPECT_EQ(Connect().Call(), "server");
  EXPECT_EQ(ConnectAs(operator_.NewClient("client")).Call(), "server");
  EXPECT_EQ(ConnectAs(operator_.NewClient("client", {.ends = -absl::Minutes(1)})).Call(), kRefused);
}

TEST_F(TlsTest, TakesNewCertificatesWhileItServes) {
  Serve();
  const Connection connection = Connect();
  grpc::ClientContext context;
  const auto watch = connection.health().Watch(&context, {});
  HealthResponse state;
  ASSERT_TRUE(watch->Read(&state));
  for (const char* name : {"second", "third"}) {
    Write(operator_.NewServer(name));
    AwaitAnswer(name);
    EXPECT_THAT(server_->WaitForEvent("certificates loaded"),
                AllOf(HasSubstr(name), HasSubstr("not_after"), HasSubstr("sha256")));
  }
  // What was open goes on.
  EXPECT_EQ(connection.Call(), "server");
  server_->Signal(SIGTERM);
  while (state.status() != HealthResponse::NOT_SERVING) ASSERT_TRUE(watch->Read(&state));
  context.TryCancel();
  EXPECT_EQ(server_->Wait(), 0);
}

// As Kubernetes replaces the files of a volume.
TEST_F(TlsTest, FollowsLinks) {
  for (const char* name : {"first", "second"}) {
    const Identity server = operator_.NewServer(name);
    std::filesystem::create_directory(operator_.Path(name));
    operator_.Write(std::string(name) + "/cert.pem", operator_.ChainOf(server));
    operator_.Write(std::string(name) + "/key.pem", server.key);
  }
  std::filesystem::create_symlink("first", operator_.Path("..data"));
  for (const std::string name : {"cert.pem", "key.pem"}) {
    std::filesystem::remove(operator_.Path(name));
    std::filesystem::create_symlink("..data/" + name, operator_.Path(name));
  }
  Serve();
  EXPECT_EQ(Connect().Call(), "first");
  std::filesystem::create_symlink("second", operator_.Path("..next"));
  std::filesystem::rename(operator_.Path("..next"), operator_.Path("..data"));
  AwaitAnswer("second");
}

TEST_F(TlsTest, KeepsTheOldFilesWhateverIsDamaged) {
  ServeClients();
  const Identity client = operator_.NewClient("client");
  for (const Damage& damage : Damages()) {
    damage.apply(operator_);
    AwaitRefusal(damage.cause);
    EXPECT_EQ(ConnectAs(client).Call(), "server") << damage.name;
    EXPECT_EQ(Connect().Call(), kRefused) << damage.name;
    operator_.Restore();
  }
  Write(operator_.NewServer("next"));
  AwaitAnswer("next", client);
}

TEST_F(TlsTest, RefusesClientsOnceTheyAreRevoked) {
  ServeClients();
  const Identity good = operator_.NewClient("good");
  const Identity bad = operator_.NewClient("bad");
  EXPECT_EQ(ConnectAs(bad).Call(), "server");
  // In the same file, in another one, and no more.
  operator_.Write("crls/clients.crl", NewCrl(operator_.client_ca, {.revoked = {bad}}));
  AwaitAnswer(kRefused, bad);
  EXPECT_EQ(ConnectAs(good).Call(), "server");
  operator_.Write("crls/clients.crl", NewCrl(operator_.client_ca));
  AwaitAnswer("server", bad);
  operator_.Write("crls/more.crl",
                  NewCrl(operator_.client_ca, {.revoked = {bad}, .begins = -absl::Minutes(1)}));
  AwaitAnswer(kRefused, bad);
  EXPECT_EQ(ConnectAs(good).Call(), "server");
}

TEST_F(TlsTest, RefusesClientsThatAnIntermediateCaHasRevoked) {
  operator_.Write("clients.pem", operator_.root.certificate + operator_.intermediate.certificate);
  operator_.Write("crls/clients.crl", NewCrl(operator_.root) + NewCrl(operator_.intermediate));
  ServeClients();
  const Identity good = NewIdentity({.common_name = "good"}, &operator_.intermediate);
  const Identity bad = NewIdentity({.common_name = "bad"}, &operator_.intermediate);
  EXPECT_EQ(ConnectAs(good).Call(), "server");
  EXPECT_EQ(ConnectAs(bad).Call(), "server");
  operator_.Write("crls/clients.crl",
                  NewCrl(operator_.root) + NewCrl(operator_.intermediate, {.revoked = {bad}}));
  AwaitAnswer(kRefused, bad);
  EXPECT_EQ(ConnectAs(good).Call(), "server");
}

TEST_F(TlsTest, DoesNotStartWithDamagedFiles) {
  for (const Damage& damage : Damages()) {
    operator_.Restore();
    damage.apply(operator_);
    const Finished finished =
        RunContentd({"serve", "--listen", "127.0.0.1:0", "--database-url", url_, "--tls-cert-file",
                     operator_.Path("cert.pem"), "--tls-key-file", operator_.Path("key.pem"),
                     "--tls-client-ca-file", operator_.Path("clients.pem"), "--tls-crl-dir",
                     operator_.Path("crls")});
    EXPECT_EQ(finished.status, 1) << damage.name;
    EXPECT_THAT(finished.err,
                AllOf(HasSubstr("contentd: " + operator_.Path("")), HasSubstr(damage.cause)));
  }
}

TEST_F(TlsTest, ServesOtherMachinesOnlyWithTlsOrOnRequest) {
  for (const char* listen : {"0.0.0.0:0", "[::]:0"}) {
    const Finished refused = RunContentd({"serve", "--listen", listen, "--database-url", url_});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr(listen), HasSubstr("--tls-cert-file"),
                                   HasSubstr("--tls-key-file"), HasSubstr("--insecure")));
  }
  const ContentdServer plaintext({"--listen", "0.0.0.0:0", "--insecure", "--database-url", url_});
  EXPECT_EQ(Connection(plaintext.address(), grpc::InsecureChannelCredentials()).Call(), "");
  Serve({"--listen", "0.0.0.0:0"});
  EXPECT_EQ(CanUse(TLS1_3_VERSION, server_->address()), true);
}

}  // namespace
}  // namespace content::testing
