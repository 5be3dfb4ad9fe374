#include "transfer/file_name.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "transfer/dates.h"

namespace content::transfer {
namespace {

// Other pairs of letters in names are rather extensions, as in "node.js.md".
constexpr absl::string_view kLanguages[] = {
    "ar", "bg", "bn", "ca", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gl", "he",
    "hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "nn", "no", "pl", "pt",
    "ro", "ru", "sk", "sl", "sr", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh"};

bool IsLanguage(absl::string_view text) {
  const absl::string_view primary = text.substr(0, text.find_first_of("-_"));
  return text.size() <= 5 &&
         std::find(std::begin(kLanguages), std::end(kLanguages), primary) != std::end(kLanguages);
}

// Removes the last part of a name, such as "md", with its dot, and returns it.
absl::string_view TakeExtension(absl::string_view& name) {
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || dot == 0) return "";
  const absl::string_view extension = name.substr(dot + 1);
  name = name.substr(0, dot);
  return extension;
}

std::string LowerCaseTag(absl::string_view language) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(language, {{"_", "-"}}));
}

}  // namespace

FileName ReadFileName(absl::string_view path) {
  FileName file;
  if (path == "-") return file;
  std::vector<absl::string_view> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (parts.empty()) return file;
  absl::string_view name = parts.back();
  parts.pop_back();
  TakeExtension(name);
  absl::string_view stem = name;
  if (const absl::string_view language = TakeExtension(stem); IsLanguage(language)) {
    file.language = std::string(language);
    name = stem;
  }
  file.is_section = name == "_index";
  file.is_draft = std::find(parts.begin(), parts.end(), "_drafts") != parts.end();
  if (name == "index" && !parts.empty()) {
    name = parts.back();
    parts.pop_back();
  }
  if (!parts.empty() && parts.back() != "." && parts.back() != "..") {
    file.folder = std::string(parts.back());
  }
  file.dated_stem = std::string(name);
  file.date = ConsumeDate(name);
  file.stem = std::string(name);
  if (!file.date) file.date = FindDateInPath(path);
  return file;
}

bool IsInFolderOfLanguage(absl::string_view path, absl::string_view language) {
  const std::string wanted = LowerCaseTag(language);
  std::vector<absl::string_view> folders = absl::StrSplit(path, '/');
  folders.pop_back();
  return !wanted.empty() && std::any_of(folders.begin(), folders.end(), [&](auto folder) {
    return LowerCaseTag(folder) == wanted;
  });
}

}  // namespace content::transfer
