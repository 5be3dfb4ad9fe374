#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// The words by which texts are searched. Articles and queries are cut into words by the same
// function, so the result of a search does not depend on the database's locale.
namespace content {

/// A word, or one character in a script that is written without spaces or, like Korean, joins
/// words: such a text is searched by pairs of characters.
struct SearchUnit {
  /// Its letters, digits and marks in one form for all that mean the same (NFKC_Casefold): without
  /// upper case, ligatures, full-width forms, soft hyphens and zero-width characters. At most 1,000
  /// bytes; the rest of a longer word does not count.
  std::string text;
  /// Its bytes in the original text.
  size_t begin = 0;
  size_t end = 0;
  /// Whether it is a character to be searched by pairs.
  bool is_character = false;
  /// Whether it forms a pair with the next unit.
  bool is_paired = false;
};

/// Cuts a text (UTF-8) into units. HTML tags, comments and character references are left out. What
/// an address, a compound or a number consists of are separate units. A word ends after 30
/// combining marks in a row. Takes linear time.
std::vector<SearchUnit> SplitForSearch(absl::string_view text);

/// Returns the word that an index has at the position of `units[i]`: the pair that begins there, or
/// the unit alone.
std::string IndexedWord(const std::vector<SearchUnit>& units, size_t i);

}  // namespace content
