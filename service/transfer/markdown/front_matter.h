#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The front matter of a Markdown file: what it says about the text, before the text.
namespace content::transfer {

/// A value of front matter, in whatever language it is written.
struct Value {
  enum class Kind { kNull, kText, kList, kMap };

  Kind kind = Kind::kNull;
  int line = 0;           ///< From 1; 0 if it is not known.
  std::string text = {};  ///< A scalar, as it is written and without spaces around it.
  std::vector<Value> list = {};
  /// In the order of the file, which may have a key twice.
  std::vector<std::pair<std::string, Value>> map = {};

  /// Returns whether the value is as good as missing.
  bool is_empty() const { return kind == Kind::kNull || (kind == Kind::kText && text.empty()); }
};

struct FrontMatter {
  Value values;            ///< A map, or null if there are none.
  absl::string_view body;  ///< What follows.
};

/// Separates the front matter at the start of a file from the text. It is one of
///
///   --- YAML ---            also closed by `...`, and without the first line, as Hexo writes it
///   +++ TOML +++
///   { JSON }, ;;; JSON ;;;
///   ---json, ---toml        as Eleventy has it
///   Title: Words            lines of keys and values, up to a blank line, as Pelican and
///                           MultiMarkdown have them
///
/// `content`, which the result refers to, is UTF-8 with LF line ends.
///
/// INVALID_ARGUMENT if the front matter cannot be read, or if there seems to be some that marks a
/// draft, with a message that names the line.
absl::StatusOr<FrontMatter> ReadFrontMatter(absl::string_view content);

/// Returns whether a file that begins with `head` has front matter between delimiters, or lines of
/// keys or a comment that mark a draft.
bool BeginsWithFrontMatter(absl::string_view head);

/// The languages, each in a file of its own. `first_line` is the number of the first line of the
/// text in the file.
absl::StatusOr<Value> ReadYaml(const std::string& text, int first_line);
absl::StatusOr<Value> ReadToml(absl::string_view text, int first_line);
absl::StatusOr<Value> ReadJson(absl::string_view text, int first_line);

/// INVALID_ARGUMENT with a message that names the line.
absl::Status ErrorInLine(int line, absl::string_view problem);

/// Front matter that is longer, has more values, or nests them more deeply, is refused. Parsers
/// take more than linear time and memory for some texts, and recurse for others.
inline constexpr size_t kMaxFrontMatterBytes = 200'000;
inline constexpr int kMaxValues = 10'000;
inline constexpr int kMaxDepth = 50;

/// What is said about such values.
inline constexpr absl::string_view kTooManyValues =
    "the front matter has too many values, or nests them too deeply";

/// Removes the first line, with its LF, from `text` and returns it without trailing spaces.
absl::string_view TakeLine(absl::string_view& text);

}  // namespace content::transfer
