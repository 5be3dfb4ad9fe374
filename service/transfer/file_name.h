#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// What the name and the folders of a file say about the article in it.
namespace content::transfer {

struct FileName {
  /// The name without its extension, date and language. That of the folder for a file named
  /// `index`, as generators give an article a folder for its pictures. Empty if there is no name.
  std::string stem = {};
  /// The same with the date, if it has one.
  std::string dated_stem = {};
  /// From `2025-06-12-name`, or from folders `2025/06/12/`.
  std::optional<absl::Time> date = std::nullopt;
  /// From `name.fr.md`, or from a folder of translations: one whose name can only be a language, as
  /// in `fr/name.md`, or one in which generators have them, as in `content/it/name.md`. Otherwise
  /// empty.
  std::string language = {};
  /// The folder in which the file, or its own folder, is; empty if there is none.
  std::string folder = {};
  /// Whether the file is in a folder for drafts, such as Jekyll's `_drafts`.
  bool is_draft = false;
  /// Whether the file, `_index.md`, is about its folder, and no article.
  bool is_section = false;
};

/// Reads a path. That of standard input, `-`, says nothing.
FileName ReadFileName(absl::string_view path);

/// Returns whether a folder of the path is named as the language, such as `pt-BR` or `pt_br`.
bool IsInFolderOfLanguage(absl::string_view path, absl::string_view language);

}  // namespace content::transfer
