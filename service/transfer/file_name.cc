#include "transfer/file_name.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "transfer/among.h"
#include "transfer/dates.h"

namespace content::transfer {
namespace {

// Other pairs of letters in names are rather extensions, as in "node.js.md".
constexpr absl::string_view kLanguages[] = {
    "ar", "bg", "bn", "ca", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gl", "he",
    "hi", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nb", "nl", "nn", "no", "pl", "pt",
    "ro", "ru", "sk", "sl", "sr", "sv", "ta", "te", "th", "tr", "uk", "ur", "vi", "zh"};

// These are English words or abbreviations, too, and may be the name of any folder.
constexpr absl::string_view kAlsoWords[] = {"ar", "ca", "da", "el", "et", "he", "hi", "hr", "id",
                                            "it", "ms", "no", "sr", "ta", "tr", "uk", "vi"};

// The folders in which Hugo, Docusaurus and others have one for each language.
constexpr absl::string_view kFoldersOfLanguages[] = {"content", "i18n",    "_i18n",       "lang",
                                                     "langs",   "locales", "translations"};

// Jekyll's and those of others.
constexpr absl::string_view kFoldersOfDrafts[] = {"_drafts", "drafts"};

template <class IsCharacter>
bool HasOnly(absl::string_view text, size_t length, IsCharacter is_character) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_character(static_cast<unsigned char>(c));
         });
}

// Those in which a language is written that has several.
constexpr absl::string_view kScripts[] = {"Arab", "Cyrl", "Deva", "Hans", "Hant", "Latn"};

// Returns whether a text is a language, perhaps with its script and its region: zh, pt-br, zh_Hans,
// es-419.
bool IsLanguage(absl::string_view text) {
  std::vector<absl::string_view> parts = absl::StrSplit(text, absl::ByAnyChar("-_"));
  if (!IsAmongIgnoringCase(kLanguages, parts.front())) return false;
  auto part = parts.begin() + 1;
  if (part != parts.end() && IsAmongIgnoringCase(kScripts, *part)) ++part;
  if (part != parts.end() &&
      (HasOnly(*part, 2, absl::ascii_isalpha) || HasOnly(*part, 3, absl::ascii_isdigit))) {
    ++part;
  }
  return part == parts.end();
}

// Returns whether a folder, which is in another one, has translations into the language of its
// name.
bool IsFolderOfLanguage(absl::string_view folder, absl::string_view outer) {
  return IsLanguage(folder) && (!IsAmongIgnoringCase(kAlsoWords, folder) ||
                                IsAmongIgnoringCase(kFoldersOfLanguages, outer));
}

// Removes the last part of a name, such as "md", with its dot, and returns it.
absl::string_view TakeExtension(absl::string_view& name) {
  const size_t dot = name.rfind('.');
  if (dot == absl::string_view::npos || dot == 0) return "";
  const absl::string_view extension = name.substr(dot + 1);
  name = name.substr(0, dot);
  return extension;
}

// Removes the folders of translations from those of a file, and returns the language of the inner
// one; empty if there is none.
std::string TakeLanguage(std::vector<absl::string_view>& folders) {
  std::string language;
  for (size_t i = folders.size(); i-- > 0;) {
    if (!IsFolderOfLanguage(folders[i], i == 0 ? "" : folders[i - 1])) continue;
    if (language.empty()) language = std::string(folders[i]);
    folders.erase(folders.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return language;
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
  file.is_draft = std::any_of(parts.begin(), parts.end(), [](absl::string_view folder) {
    return IsAmongIgnoringCase(kFoldersOfDrafts, folder);
  });
  const std::string language_of_folder = TakeLanguage(parts);
  if (file.language.empty()) file.language = language_of_folder;
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
