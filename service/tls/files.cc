#include "tls/files.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/small_file.h"

namespace content::tls {
namespace {

absl::StatusOr<std::map<std::string, std::string>> ReadDirectory(const std::string& path) {
  std::error_code error;
  std::map<std::string, std::string> files;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (absl::StartsWith(entry->path().filename().string(), ".")) continue;
    absl::StatusOr<std::string> text = ReadSmallFile(entry->path().string());
    if (!text.ok()) return text.status();
    files.emplace(entry->path().string(), *std::move(text));
  }
  if (error) return BadFile(path, absl::StrCat("cannot be read: ", error.message()));
  if (files.empty()) return BadFile(path, "contains no files, and so does not say who is revoked");
  return files;
}

}  // namespace

absl::Status BadFile(absl::string_view path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, " ", what));
}

absl::StatusOr<Files> ReadFiles(const Paths& paths) {
  Files files;
  for (const auto& [path, text] :
       {std::pair(&paths.cert_file, &files.chain), std::pair(&paths.key_file, &files.key),
        std::pair(&paths.client_ca_file, &files.client_cas)}) {
    if (path->empty()) continue;
    absl::StatusOr<std::string> read = ReadSmallFile(*path);
    if (!read.ok()) return read.status();
    *text = *std::move(read);
  }
  if (paths.crl_dir.empty()) return files;
  auto crls = ReadDirectory(paths.crl_dir);
  if (!crls.ok()) return crls.status();
  files.crls = *std::move(crls);
  return files;
}

}  // namespace content::tls
