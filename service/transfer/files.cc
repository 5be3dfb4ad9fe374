#include "transfer/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content::transfer {
namespace {

namespace fs = std::filesystem;

using VisitFile = absl::FunctionRef<bool(const FoundFile&)>;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

// Returns what a path leads to; nullopt, and errno, if it cannot be examined.
std::optional<struct stat> Examine(const std::string& path) {
  struct stat found = {};
  const int failed =
      path == kStandardInput ? fstat(STDIN_FILENO, &found) : stat(path.c_str(), &found);
  return failed == 0 ? std::optional(found) : std::nullopt;
}

FileId IdOf(const struct stat& found) { return {found.st_dev, found.st_ino}; }

// Returns the path as it is from the root, and without a slash at its end.
fs::path Absolute(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

bool IsDayOrMonth(const std::string& name) {
  return !name.empty() && name.size() <= 2 && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// Returns the name of a folder, after those of the month and the year that it is of.
fs::path TellingFolder(const fs::path& folder) {
  fs::path telling = folder.filename();
  for (fs::path top = folder; IsDayOrMonth(top.filename().string());) {
    top = top.parent_path();
    telling = top.filename() / telling;
  }
  return telling;
}

// See FoundFile::telling_path. An article `index.md` has its folder's name.
std::string TellingPathOfFile(const std::string& path) {
  if (path == kStandardInput) return path;
  const fs::path file = Absolute(path);
  const fs::path folder = file.parent_path();
  const std::string name = file.filename().string();
  const bool has_folders_name = absl::StartsWith(name, "index.");
  const fs::path telling = has_folders_name
                               ? TellingFolder(folder.parent_path()) / folder.filename()
                               : TellingFolder(folder);
  return (telling / name).string();
}

// Returns whether a file is what editors and other programs leave beside a file that they change.
bool IsLeftover(absl::string_view name) {
  static constexpr std::array<absl::string_view, 7> kEndings = {"~",    ".bak", ".old", ".orig",
                                                                ".swo", ".swp", ".tmp"};
  const bool is_autosave = name.size() > 1 && name.front() == '#' && name.back() == '#';
  return is_autosave || std::any_of(kEndings.begin(), kEndings.end(), [name](auto ending) {
           return absl::EndsWithIgnoreCase(name, ending);
         });
}

bool HasAny(const fs::path& folder, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&folder](const char* name) {
    std::error_code ignored;
    return fs::exists(folder / name, ignored);
  });
}

// Returns whether a folder has the settings and the texts of a site of Hugo, Zola or Hexo.
bool IsSite(const fs::path& folder) {
  return HasAny(folder, {"content", "source"}) &&
         HasAny(folder, {"_config.yml", "config/_default", "config.json", "config.toml",
                         "config.yaml", "config.yml", "hugo.json", "hugo.toml", "hugo.yaml"});
}

// Returns whether a folder is in the texts of a site of Hugo's. Others have such folders, too.
bool IsInContentOfHugo(const fs::path& folder) {
  for (fs::path below = folder; below.has_relative_path(); below = below.parent_path()) {
    const fs::path above = below.parent_path();
    if (above.filename() == "content" &&
        HasAny(above.parent_path(),
               {"archetypes", "config/_default", "hugo.json", "hugo.toml", "hugo.yaml"})) {
      return true;
    }
  }
  return false;
}

// Of a page whose folder has files that are shown as parts of it, or not at all: its bundle.
bool IsIndex(absl::string_view name) { return absl::StartsWith(name, "index."); }

// Returns why a folder of a site has no texts that are not elsewhere, too; empty if it may have
// some.
std::string WhyNoTexts(const fs::path& folder) {
  struct Entry {
    absl::string_view name;
    absl::string_view reason;
    bool is_of_site = false;  // Otherwise, the name alone tells.
  };
  static constexpr std::array<Entry, 10> kEntries = {{
      {"node_modules", "packages of programs"},
      {"_site", "a site that was built"},
      {"_includes", "templates"},
      {"_layouts", "templates"},
      {"public", "a site that was built", true},
      {"archetypes", "templates", true},
      {"layouts", "templates", true},
      {"scaffolds", "templates", true},
      {"templates", "templates", true},
      {"themes", "templates", true},
  }};
  const std::string name = folder.filename().string();
  // Those of Bundler and of Composer.
  if (name == "vendor" && HasAny(folder, {"autoload.php", "bundle"})) return "packages of programs";
  for (const Entry& entry : kEntries) {
    if (entry.name != name) continue;
    return !entry.is_of_site || IsSite(folder.parent_path()) ? std::string(entry.reason) : "";
  }
  return "";
}

class Walk {
 public:
  explicit Walk(VisitFile visit) : visit_(visit) {}

  // Each returns whether to go on.

  bool VisitGiven(const std::string& path) {
    const std::optional<struct stat> found = Examine(path);
    if (found && S_ISDIR(found->st_mode)) {
      given_size_ = path.find_last_not_of('/') + 1;
      telling_folder_ = TellingFolder(Absolute(path)).string();
      return VisitFolder(path.substr(0, std::max(given_size_, size_t{1})));
    }
    FoundFile file{.path = path, .telling_path = TellingPathOfFile(path)};
    if (found) file.id = IdOf(*found);
    return VisitOnce(file);
  }

  bool VisitLinks() {
    return std::all_of(links_.begin(), links_.end(),
                       [this](FoundFile& file) { return VisitOnce(file); });
  }

 private:
  bool VisitFolder(const fs::path& folder) {
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator(); entry.increment(error)) {
      entries.push_back(*entry);
    }
    // It counts as a file that cannot be read: its articles must not be missed without a word.
    if (error) return visit_(FileIn(folder));
    std::sort(entries.begin(), entries.end());
    const bool is_bundle = IsBundle(folder, entries);
    const bool is_in_bundle = std::exchange(is_in_bundle_, is_in_bundle_ || is_bundle);
    const bool goes_on =
        std::all_of(entries.begin(), entries.end(),
                    [this](const fs::directory_entry& entry) { return VisitEntry(entry); });
    is_in_bundle_ = is_in_bundle;
    return goes_on;
  }

  static bool IsBundle(const fs::path& folder, const std::vector<fs::directory_entry>& entries) {
    return std::any_of(entries.begin(), entries.end(),
                       [](const fs::directory_entry& entry) {
                         return IsIndex(entry.path().filename().string());
                       }) &&
           IsInContentOfHugo(Absolute(folder.string()));
  }

  bool VisitEntry(const fs::directory_entry& entry) {
    FoundFile file = FileIn(entry.path());
    const std::string name = entry.path().filename().string();
    if (absl::StartsWith(name, ".")) {
      file.left_out = "hidden";
      return visit_(file);
    }
    std::error_code ignored;
    const bool is_link = entry.is_symlink(ignored);
    const std::optional<struct stat> found = Examine(file.path);
    if (!found) {
      if (is_link && (errno == ENOENT || errno == ELOOP)) file.left_out = "a link to nothing";
    } else if (S_ISDIR(found->st_mode)) {
      file.left_out = is_link ? "a link to a folder" : WhyNoTexts(entry.path());
      if (file.left_out.empty()) return VisitFolder(entry.path());
    } else if (!S_ISREG(found->st_mode)) {
      file.left_out = "no regular file";
    } else if (IsLeftover(name)) {
      file.left_out = "a leftover of an editor";
    } else if (name == "404.html") {
      file.left_out = "an error page";
    } else if (is_in_bundle_ && !IsIndex(name)) {
      file.left_out = "part of a page";
    } else {
      file.id = IdOf(*found);
      if (!is_link) return VisitOnce(file);
      links_.push_back(std::move(file));
      return true;
    }
    return visit_(file);
  }

  bool VisitOnce(FoundFile& file) {
    if (file.id && !visited_.insert(*file.id).second) file.left_out = "the same file again";
    return visit_(file);
  }

  // A file below the folder that was given.
  FoundFile FileIn(const fs::path& path) const {
    std::string text = path.string();
    std::string telling = absl::StrCat(telling_folder_, text.substr(given_size_));
    return {.path = std::move(text), .telling_path = std::move(telling), .is_given = false};
  }

  const VisitFile visit_;
  // Of the folder that was given.
  size_t given_size_ = 0;
  std::string telling_folder_;
  // Whether the folder that is visited is, or is in, a bundle of Hugo's.
  bool is_in_bundle_ = false;

  absl::flat_hash_set<FileId> visited_;
  // Whether they lead to a file that is visited anyway is only known at the end.
  std::vector<FoundFile> links_;
};

}  // namespace

void VisitFiles(const std::vector<std::string>& paths, VisitFile visit) {
  Walk walk(visit);
  const bool goes_on = std::all_of(paths.begin(), paths.end(), [&walk](const std::string& path) {
    return walk.VisitGiven(path);
  });
  if (goes_on) walk.VisitLinks();
}

std::optional<FileId> IdOfFile(const std::string& path) {
  const std::optional<struct stat> found = Examine(path);
  return found ? std::optional(IdOf(*found)) : std::nullopt;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<std::FILE, CloseFile> file(
      path == kStandardInput ? stdin : std::fopen(path.c_str(), "rb"));
  if (file != nullptr) {
    // What follows in a pipe is left for others (ExportFile).
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    std::string content;
    std::array<char, 1 << 14> piece;
    size_t count = 0;
    do {
      count = std::fread(piece.data(), 1, std::min(piece.size(), max_bytes - content.size()),
                         file.get());
      content.append(piece.data(), count);
    } while (count > 0);
    if (std::ferror(file.get()) == 0) return content;
  }
  const std::string reason = std::generic_category().message(errno);
  return absl::NotFoundError(absl::StrCat("cannot be read: ", reason));
}

}  // namespace content::transfer
