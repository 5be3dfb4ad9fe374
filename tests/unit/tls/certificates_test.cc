#include "tls/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "support/certificates.h"
#include "tls/files.h"

namespace content::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::MatchesRegex;

class CertificatesTest : public ::testing::Test {
 protected:
  absl::StatusOr<Certificates> Read(absl::Time now = absl::Now()) const {
    const absl::StatusOr<Files> files = ReadFiles(paths_);
    if (!files.ok()) return files.status();
    return Validate(paths_, *files, now);
  }

  const testing::OperatorFiles operator_;
  Paths paths_ = {.cert_file = operator_.Path("cert.pem"),
                  .key_file = operator_.Path("key.pem"),
                  .client_ca_file = operator_.Path("clients.pem"),
                  .crl_dir = operator_.Path("crls")};
};

TEST_F(CertificatesTest, TakesAValidSet) {
  const auto certificates = Read();
  ASSERT_TRUE(certificates.ok()) << certificates.status();
  EXPECT_EQ(certificates->subject, "CN=server");
  EXPECT_THAT(certificates->fingerprint, MatchesRegex("[0-9a-f]{64}"));
  EXPECT_GT(certificates->not_after, absl::Now() + absl::Hours(24 * 364));
  EXPECT_THAT(certificates->client_cas, HasSubstr("BEGIN CERTIFICATE"));
}

TEST_F(CertificatesTest, NeedsNoClients) {
  paths_.client_ca_file.clear();
  paths_.crl_dir.clear();
  const auto certificates = Read();
  ASSERT_TRUE(certificates.ok()) << certificates.status();
  EXPECT_EQ(certificates->client_cas, "");
  EXPECT_THAT(certificates->crls, ElementsAre());
}

TEST_F(CertificatesTest, RefusesDamagedFilesByName) {
  for (const testing::Damage& damage : testing::Damages()) {
    operator_.Restore();
    ASSERT_TRUE(Read().ok()) << Read().status();
    damage.apply(operator_);
    const absl::Status status = Read().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << damage.name << ": " << status;
    EXPECT_THAT(status.message(), HasSubstr(damage.cause)) << damage.name;
  }
}

TEST_F(CertificatesTest, TellsDamagesApart) {
  for (const testing::Damage& damage : testing::Damages()) {
    operator_.Restore();
    damage.apply(operator_);
    const absl::Status status = Read().status();
    for (const testing::Damage& other : testing::Damages()) {
      if (other.name == damage.name) continue;
      EXPECT_THAT(status.message(), ::testing::Not(HasSubstr(other.cause))) << damage.name;
    }
  }
}

TEST_F(CertificatesTest, TakesCertificatesOnceTheirTimeHasCome) {
  const testing::Identity tomorrow =
      operator_.NewServer("tomorrow", {.begins = absl::Hours(24), .ends = absl::Hours(48)});
  operator_.Write("cert.pem", operator_.ChainOf(tomorrow));
  operator_.Write("key.pem", tomorrow.key);
  operator_.Write("crls/clients.crl",
                  testing::NewCrl(operator_.client_ca, {.ends = absl::Hours(48)}));
  EXPECT_FALSE(Read().ok());
  EXPECT_TRUE(Read(absl::Now() + absl::Hours(25)).ok());
  EXPECT_FALSE(Read(absl::Now() + absl::Hours(49)).ok());
}

TEST_F(CertificatesTest, TakesCasOfClientsThatChange) {
  const testing::Identity old =
      testing::NewIdentity({.common_name = "client-ca", .is_ca = true, .ends = -absl::Minutes(1)});
  operator_.Write("clients.pem", old.certificate + operator_.client_ca.certificate);
  EXPECT_TRUE(Read().ok()) << Read().status();
}

// Nobody issues a newer one, which must not keep new certificates out.
TEST_F(CertificatesTest, LeavesOutRevocationListsOfCasThatHaveExpired) {
  const testing::Identity old =
      testing::NewIdentity({.common_name = "old", .is_ca = true, .ends = -absl::Minutes(1)});
  operator_.Write("crls/old.crl", testing::NewCrl(old, {.ends = -absl::Minutes(1)}));
  EXPECT_FALSE(Read().ok()) << "it might be of a CA below one of the clients' CAs";
  operator_.Write("clients.pem", old.certificate + operator_.client_ca.certificate);
  const auto certificates = Read();
  ASSERT_TRUE(certificates.ok()) << certificates.status();
  EXPECT_EQ(certificates->crls.size(), 1);
  EXPECT_THAT(certificates->expired_issuers, ElementsAre("CN=old"));
}

TEST_F(CertificatesTest, NamesRevocationListsAsOpensslLooksForThem) {
  operator_.Write("crls/0.r0",
                  testing::NewCrl(operator_.client_ca) + testing::NewCrl(operator_.client_ca));
  operator_.Write("crls/..data", "not a revocation list, but what Kubernetes leaves there");
  const auto certificates = Read();
  ASSERT_TRUE(certificates.ok()) << certificates.status();
  EXPECT_THAT(certificates->crls, ElementsAre(Key(MatchesRegex("[0-9a-f]{8}[.]r0")),
                                              Key(MatchesRegex("[0-9a-f]{8}[.]r1")),
                                              Key(MatchesRegex("[0-9a-f]{8}[.]r2"))));
}

}  // namespace
}  // namespace content::tls
