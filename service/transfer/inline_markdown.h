#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Running text as a row of pieces, and as CommonMark.
namespace content::transfer {

/// A piece of running text.
struct Run {
  /// kStrike: a strike stands before and after what is struck out.
  enum class Kind { kText, kCode, kImage, kBreak, kStrike };

  Kind kind = Kind::kText;
  std::string text = {};   ///< Of an image, what stands in for it.
  std::string image = {};  ///< The address of an image.
  std::string link = {};   ///< Where it leads; empty if it is no link.
  bool is_strong = false;
  bool is_emphasized = false;

  friend bool operator==(const Run&, const Run&) = default;
};

using Runs = std::vector<Run>;

/// Adds a piece. Text and code that differ in nothing from the piece before become part of it. What
/// is struck out goes on where it would only end to begin again.
void Append(Run run, Runs& runs);

/// Returns `runs`, which contain no strikes, struck out line by line. The strikes are marked as
/// `style` is. Blanks at the ends of a line stay outside: renderers ignore a strike with a blank
/// inside it.
Runs Struck(const Runs& runs, const Run& style);

/// Returns the paragraphs that `runs` consist of: two breaks in a row end one. Runs of ASCII spaces
/// become one space; there are none at the ends of a paragraph, of a line and of what is marked.
/// Paragraphs that nobody would see are left out.
std::vector<Runs> Paragraphs(const Runs& runs);

/// Returns the number of backticks in the longest row of them. A fence of code must be longer.
size_t LongestRowOfBackticks(absl::string_view text);

/// Returns the text on one line, without marks, strikes and images.
std::string PlainText(const Runs& runs);

/// Returns a paragraph, as Paragraphs returns it, as CommonMark. A parser reads the same from it,
/// with two exceptions. CommonMark has no way to mark punctuation within a word, as in
/// `a<b>(b)</b>c`; such marks are made shorter, or left out. Nor does it have strikes: they become
/// `~~`, which many renderers know, and other tildes are escaped. Never contains HTML.
std::string InlineMarkdown(Runs runs);

}  // namespace content::transfer
