#include "transfer/medium.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "transfer/among.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

constexpr char kReadme[] = "README.html";

constexpr std::array<absl::string_view, 14> kFolders = {
    "blocks",         "bookmarks",      "claps",
    "highlights",     "interests",      "ips",
    "lists",          "profile",        "partner-program",
    "pubs-following", "sessions",       "topics-following",
    "twitter",        "users-following"};

// Returns whether a name is that of one of the pages on which a folder goes on:
// sessions-0001.html. Years begin with other digits.
bool IsNumbered(absl::string_view name) {
  constexpr size_t kLengthOfNumber = 4;
  if (!absl::ConsumeSuffix(&name, ".html")) return false;
  const size_t hyphen = name.rfind('-');
  if (hyphen == absl::string_view::npos) return false;
  const absl::string_view number = name.substr(hyphen + 1);
  return number.size() == kLengthOfNumber && absl::StartsWith(number, "0") &&
         number.find_first_not_of("0123456789") == absl::string_view::npos &&
         IsAmongIgnoringCase(kFolders, name.substr(0, hyphen));
}

bool IsArchive(const fs::path& folder) {
  std::error_code ignored;
  const auto has_folder = [&](absl::string_view name) {
    return fs::is_directory(folder / std::string(name), ignored);
  };
  return fs::exists(folder / kReadme, ignored) && has_folder("posts") &&
         std::any_of(kFolders.begin(), kFolders.end(), has_folder);
}

}  // namespace

bool IsBesidePostsOfMedium(const std::string& path) {
  if (!absl::EndsWith(path, ".html")) return false;
  std::error_code ignored;
  const fs::path file = fs::absolute(path, ignored).lexically_normal();
  const fs::path folder = file.parent_path();
  const std::string name = file.filename().string();
  if (name == kReadme) return IsArchive(folder);
  return IsNumbered(name) || (IsAmongIgnoringCase(kFolders, folder.filename().string()) &&
                              IsArchive(folder.parent_path()));
}

}  // namespace content::transfer
