#include "tls/staging.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"

namespace content::tls {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Staging> NewStaging() {
  auto staging = Staging::Create();
  EXPECT_TRUE(staging.ok()) << staging.status();
  return *std::move(staging);
}

std::string KeyFileOf(const Staging& staging) { return staging.PathsLike({}).key_file; }

fs::path DirectoryOf(const Staging& staging) {
  return fs::path(KeyFileOf(staging)).parent_path().parent_path();
}

Certificates MakeCertificates() {
  return {.chain = "chain",
          .key = "key",
          .client_cas = "cas",
          .crls = {{"0.r0", "crl"}},
          .expired_issuers = {},
          .subject = {},
          .not_after = {},
          .fingerprint = {}};
}

TEST(StagingTest, RemovesWhatProcessesLeftThatHaveEnded) {
  const auto staging = NewStaging();
  const fs::path left = DirectoryOf(*staging).string() + "-left";
  fs::create_directories(left / "1");
  std::ofstream(left / "lock") << "";
  std::ofstream(left / "1" / "key.pem") << "secret";
  const auto other = NewStaging();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(DirectoryOf(*staging))) << "its process lives";
}

TEST(StagingTest, RemovesWhatProcessesLeftThatEndedBeforeTheyLockedIt) {
  const auto staging = NewStaging();
  const fs::path directory = DirectoryOf(*staging);
  const std::string prefix =
      directory.parent_path() / ("contentd-tls.new-" + directory.filename().string());
  const fs::path left = prefix + "-left";
  const fs::path young = prefix + "-young";
  fs::create_directory(young);
  fs::create_directory(left);
  std::ofstream(left / "lock") << "";
  fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(2));
  const auto other = NewStaging();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(young)) << "its process may live";
  fs::remove(young);
}

TEST(StagingTest, LeavesDirectoriesThatOthersMade) {
  const auto staging = NewStaging();
  const fs::path without_lock = DirectoryOf(*staging).string() + "-other";
  const fs::path link = DirectoryOf(*staging).string() + "-link";
  fs::create_directory(without_lock);
  fs::create_directory_symlink(without_lock, link);
  const auto other = NewStaging();
  EXPECT_TRUE(fs::exists(link));
  fs::remove(link);
  fs::remove(without_lock);
}

TEST(StagingTest, WritesAgainWhatSomebodyHasDamaged) {
  const auto staging = NewStaging();
  ASSERT_TRUE(staging->Replace(MakeCertificates()).ok());
  const Paths paths =
      staging->PathsLike({.cert_file = {}, .key_file = {}, .client_ca_file = "x", .crl_dir = "x"});
  const auto is_whole = [&] {
    return fs::file_size(paths.cert_file) == 5 && fs::file_size(paths.key_file) == 3 &&
           fs::file_size(paths.client_ca_file) > 3 && fs::file_size(paths.crl_dir + "/0.r0") == 3;
  };
  EXPECT_EQ(*staging->Repair(), false);
  for (const fs::path& removed : {fs::path(paths.key_file), fs::path(paths.crl_dir),
                                  fs::path(paths.key_file).parent_path(), DirectoryOf(*staging)}) {
    fs::remove_all(removed);
    EXPECT_EQ(*staging->Repair(), true) << removed;
    EXPECT_TRUE(is_whole()) << removed;
    EXPECT_EQ(*staging->Repair(), false) << removed;
  }
  std::ofstream(paths.cert_file) << "";
  EXPECT_EQ(*staging->Repair(), true);
  EXPECT_TRUE(is_whole());
  EXPECT_EQ(fs::status(DirectoryOf(*staging)).permissions(), fs::perms::owner_all);
}

// Whether the next process that starts leaves the directory, and one that starts after this has
// ended would not.
bool IsLocked(const Staging& staging) {
  const auto other = NewStaging();
  return fs::exists(KeyFileOf(staging)) && fs::exists(DirectoryOf(staging) / "lock");
}

TEST(StagingTest, StaysLockedWhenItIsWrittenAgain) {
  const auto staging = NewStaging();
  ASSERT_TRUE(staging->Replace(MakeCertificates()).ok());
  fs::remove_all(DirectoryOf(*staging));
  ASSERT_TRUE(staging->Repair().ok());
  EXPECT_TRUE(IsLocked(*staging));
}

TEST(StagingTest, IsLockedAgainIfSomebodyHasRemovedOrReplacedItsLock) {
  const auto staging = NewStaging();
  ASSERT_TRUE(staging->Replace(MakeCertificates()).ok());
  const fs::path lock = DirectoryOf(*staging) / "lock";
  fs::remove(lock);
  EXPECT_EQ(*staging->Repair(), true);
  EXPECT_TRUE(IsLocked(*staging));
  EXPECT_EQ(*staging->Repair(), false);
  fs::rename(lock, lock.string() + ".old");
  std::ofstream(lock) << "";
  EXPECT_EQ(*staging->Repair(), true);
  EXPECT_TRUE(IsLocked(*staging));
}

// While it lives, this process can open no more files.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none = {.rlim_cur = 0, .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoMoreFiles() { setrlimit(RLIMIT_NOFILE, &before_); }

  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_ = {};
};

TEST(StagingTest, HoldsNoKeyUntilItIsLockedAgain) {
  const auto staging = NewStaging();
  ASSERT_TRUE(staging->Replace(MakeCertificates()).ok());
  fs::remove_all(DirectoryOf(*staging));
  {
    const NoMoreFiles no_more_files;
    EXPECT_TRUE(absl::IsUnavailable(staging->Repair().status()));
  }
  EXPECT_FALSE(fs::exists(DirectoryOf(*staging))) << "nobody would remove it";
  EXPECT_EQ(*staging->Repair(), true);
  EXPECT_TRUE(IsLocked(*staging));
}

}  // namespace
}  // namespace content::tls
