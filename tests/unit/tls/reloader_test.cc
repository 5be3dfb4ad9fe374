#include "tls/reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "support/certificates.h"
#include "support/fake_clock.h"

namespace content::tls {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ReloaderTest : public ::testing::Test {
 protected:
  ReloaderTest() {
    auto started = Reloader::Start(paths_, clock_, [this] { return absl::Now() + ahead_; });
    EXPECT_TRUE(started.ok()) << started.status();
    if (started.ok()) reloader_ = *std::move(started);
    clock_.AwaitWaiters(1);
  }

  // Returns when the reloader has looked at the files `count` times.
  void Look(int count = 1) {
    for (; count > 0; --count) {
      clock_.Advance(absl::Seconds(1));
      clock_.AwaitWaiters(1);
    }
  }

  void Write(const testing::Identity& server) {
    operator_.Write("cert.pem", operator_.ChainOf(server));
    operator_.Write("key.pem", server.key);
  }

  testing::FakeClock clock_;
  const testing::OperatorFiles operator_;
  const Paths paths_ = {.cert_file = operator_.Path("cert.pem"),
                        .key_file = operator_.Path("key.pem"),
                        .client_ca_file = operator_.Path("clients.pem"),
                        .crl_dir = operator_.Path("crls")};
  absl::Duration ahead_;  // Changed only while the reloader waits.
  std::unique_ptr<Reloader> reloader_;
};

TEST_F(ReloaderTest, StagesWhatItStartsWith) {
  const Paths staged = reloader_->staged();
  EXPECT_EQ(Contents(staged.cert_file), Contents(paths_.cert_file));
  EXPECT_EQ(Contents(staged.key_file), Contents(paths_.key_file));
  EXPECT_THAT(Contents(staged.client_ca_file), HasSubstr(Contents(paths_.client_ca_file)));
  EXPECT_FALSE(fs::is_empty(staged.crl_dir));
}

TEST_F(ReloaderTest, KeepsStagedFilesPrivateAndRemovesThem) {
  const fs::path directory = fs::path(reloader_->staged().key_file).parent_path().parent_path();
  EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
  reloader_.reset();
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(ReloaderTest, DoesNotStartWithDamagedFiles) {
  operator_.Write("cert.pem", "");
  EXPECT_THAT(Reloader::Start(paths_, clock_).status().message(),
              HasSubstr(paths_.cert_file + " contains no certificate"));
}

TEST_F(ReloaderTest, ReplacesTheSetAsAWhole) {
  const testing::Identity next = operator_.NewServer("next");
  const std::string old_chain = Contents(paths_.cert_file);
  const std::string old_key = Contents(paths_.key_file);
  operator_.Write("cert.pem", operator_.ChainOf(next));
  Look();
  EXPECT_EQ(Contents(reloader_->staged().cert_file), old_chain);
  EXPECT_EQ(Contents(reloader_->staged().key_file), old_key);
  operator_.Write("key.pem", next.key);
  Look();
  EXPECT_EQ(Contents(reloader_->staged().cert_file), operator_.ChainOf(next));
  EXPECT_EQ(Contents(reloader_->staged().key_file), next.key);
}

// By these, gRPC knows that it must read the files again (staging.cc).
TEST_F(ReloaderTest, GivesEverySetItsOwnTimesAndCas) {
  const std::string chain = reloader_->staged().cert_file;
  const std::string client_cas = reloader_->staged().client_ca_file;
  struct stat before {};
  ASSERT_EQ(stat(chain.c_str(), &before), 0);
  const std::string cas_before = Contents(client_cas);
  operator_.Write("crls/clients.crl", testing::NewCrl(operator_.client_ca));
  Write(operator_.NewServer("next"));
  Look();
  struct stat after {};
  ASSERT_EQ(stat(chain.c_str(), &after), 0);
  EXPECT_NE(before.st_mtime, after.st_mtime);
  EXPECT_NE(cas_before, Contents(client_cas));
}

TEST_F(ReloaderTest, KeepsTheOldSetWhateverIsDamaged) {
  const std::string chain = Contents(paths_.cert_file);
  for (const testing::Damage& damage : testing::Damages()) {
    damage.apply(operator_);
    Look();
    EXPECT_EQ(Contents(reloader_->staged().cert_file), chain) << damage.name;
    EXPECT_FALSE(fs::is_empty(reloader_->staged().crl_dir)) << damage.name;
    operator_.Restore();
    Look();
  }
}

TEST_F(ReloaderTest, StagesTheLastGoodSetAgainIfSomebodyRemovesIt) {
  const std::string key = Contents(paths_.key_file);
  operator_.Write("key.pem", "");
  Look();
  ::testing::internal::CaptureStderr();
  fs::remove_all(fs::path(reloader_->staged().key_file).parent_path().parent_path());
  Look();
  EXPECT_EQ(Contents(reloader_->staged().key_file), key);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("certificates staged again"));
}

TEST_F(ReloaderTest, TakesCertificatesOnceTheirTimeHasCome) {
  const testing::Identity tomorrow = operator_.NewServer("tomorrow", {.begins = absl::Hours(1)});
  Write(tomorrow);
  Look(20);
  EXPECT_NE(Contents(reloader_->staged().key_file), tomorrow.key);
  ahead_ = absl::Hours(2);
  Look(10);
  EXPECT_EQ(Contents(reloader_->staged().key_file), tomorrow.key);
}

TEST_F(ReloaderTest, ReportsARefusalOnceAnHour) {
  ::testing::internal::CaptureStderr();
  operator_.Write("cert.pem", "");
  Look();
  EXPECT_THAT(
      ::testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("certificates refused"), HasSubstr("cert.pem contains no certificate")));
  ::testing::internal::CaptureStderr();
  Look(30);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(reloader_->refused_count(), 31) << "one for each look";
  ::testing::internal::CaptureStderr();
  clock_.Advance(absl::Hours(1));
  clock_.AwaitWaiters(1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("certificates refused"));
}

TEST_F(ReloaderTest, WarnsOnceOfARevocationListThatIsIgnored) {
  const testing::Identity old =
      testing::NewIdentity({.common_name = "old", .is_ca = true, .ends = -absl::Minutes(1)});
  ::testing::internal::CaptureStderr();
  operator_.Write("clients.pem", operator_.client_ca.certificate + old.certificate);
  operator_.Write("crls/old.crl", testing::NewCrl(old, {.ends = -absl::Minutes(1)}));
  Look();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("revocation list ignored"), HasSubstr("CN=old")));
  ::testing::internal::CaptureStderr();
  Look(30);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(ReloaderTest, WarnsOnceADayOfACertificateThatSoonExpires) {
  ::testing::internal::CaptureStderr();
  Write(operator_.NewServer("brief", {.ends = absl::Hours(24 * 13)}));
  Look(30);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("certificate expires soon"));
  ::testing::internal::CaptureStderr();
  Look(30);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ::testing::internal::CaptureStderr();
  clock_.Advance(absl::Hours(24));
  clock_.AwaitWaiters(1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("certificate expires soon"));
}

}  // namespace
}  // namespace content::tls
