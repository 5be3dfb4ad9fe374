#include "tls/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace content::tls {
namespace {

namespace fs = std::filesystem;

constexpr char kCurrent[] = "/current";
constexpr char kChain[] = "/chain.pem";
constexpr char kKey[] = "/key.pem";
constexpr char kClientCas[] = "/client-cas.pem";
constexpr char kCrls[] = "/crls";

absl::Status CannotStage(absl::string_view path, int error) {
  return absl::UnavailableError(absl::StrCat(
      "cannot keep the certificates that were validated: ", path, ": ", std::strerror(error)));
}

bool WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0) return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

// Each generation has a time of modification of its own, in whole seconds: by it gRPC recognises
// that it has read the key of one set and the certificate of another, and reads them again.
absl::Status WriteFile(const std::string& path, absl::string_view text, int generation) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) return CannotStage(path, errno);
  const absl::Cleanup close_it = [fd] { close(fd); };
  const timespec time = {.tv_sec = generation, .tv_nsec = 0};
  const std::array<timespec, 2> times = {time, time};
  if (WriteAll(fd, text) && futimens(fd, times.data()) == 0) return absl::OkStatus();
  return CannotStage(path, errno);
}

absl::Status WriteSet(const std::string& directory, const Certificates& certificates,
                      int generation) {
  // OpenSSL keeps the revocation lists that it has read for as long as gRPC keeps the CAs. With the
  // text before its first certificate, every generation has other CAs.
  const std::string client_cas =
      absl::StrCat("generation ", generation, "\n", certificates.client_cas);
  std::error_code error;
  fs::create_directories(directory + kCrls, error);
  if (error) return CannotStage(directory, error.value());
  absl::Status status = WriteFile(directory + kChain, certificates.chain, generation);
  status.Update(WriteFile(directory + kKey, certificates.key, generation));
  status.Update(WriteFile(directory + kClientCas, client_cas, generation));
  for (const auto& [name, crl] : certificates.crls) {
    status.Update(WriteFile(absl::StrCat(directory, kCrls, "/", name), crl, generation));
  }
  return status;
}

// Makes the link `path` lead to `target`, at once.
absl::Status Relink(const std::string& path, const std::string& target) {
  const std::string next = path + ".next";
  unlink(next.c_str());
  if (symlink(target.c_str(), next.c_str()) != 0) return CannotStage(next, errno);
  if (rename(next.c_str(), path.c_str()) != 0) return CannotStage(path, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Staging>> Staging::Create() {
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  std::string path;
  for (const fs::path& parent : {fs::path("/dev/shm"), error ? fs::path("/tmp") : temporary}) {
    path = parent / "contentd-tls-XXXXXX";
    if (mkdtemp(path.data()) != nullptr) return absl::WrapUnique(new Staging(path));
  }
  return CannotStage(path, errno);
}

Staging::~Staging() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

absl::Status Staging::Replace(const Certificates& certificates) {
  ++generation_;
  const std::string name = absl::StrCat(generation_);
  std::string unused = absl::StrCat(directory_, "/", name);
  absl::Status status = WriteSet(unused, certificates, generation_);
  if (status.ok()) status = Relink(directory_ + kCurrent, name);
  if (status.ok()) std::swap(unused, current_);
  std::error_code ignored;
  fs::remove_all(unused, ignored);
  return status;
}

Paths Staging::PathsLike(const Paths& operators) const {
  const std::string current = directory_ + kCurrent;
  return {.cert_file = current + kChain,
          .key_file = current + kKey,
          .client_ca_file = operators.client_ca_file.empty() ? "" : current + kClientCas,
          .crl_dir = operators.crl_dir.empty() ? "" : current + kCrls};
}

}  // namespace content::tls
