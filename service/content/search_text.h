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
  /// upper case, ligatures, full-width forms, soft hyphens and zero-width characters. A letter of
  /// its own marks words of digits and letters (see search_text.cc). At most 1,000 bytes and that
  /// letter; the rest of a longer word does not count.
  std::string text;
  /// Its bytes in the original text.
  size_t begin = 0;
  size_t end = 0;
  /// Whether it is a character to be searched by pairs.
  bool is_character = false;
  /// Whether it forms a pair with the next unit.
  bool is_paired = false;
};

/// Cuts a plain text (UTF-8) into units. What an address, a compound or a number consists of are
/// separate units. A word ends after 30 combining marks in a row. Takes linear time.
std::vector<SearchUnit> SplitForSearch(absl::string_view text);

/// Cuts the body of an article, which is CommonMark, into units in the same way. HTML tags,
/// comments, scripts and styles outside code are left out, and character references count as their
/// characters.
std::vector<SearchUnit> SplitBodyForSearch(absl::string_view body);

/// Returns the word that an index has at the position of `units[i]`: the pair that begins there, or
/// the unit alone.
std::string IndexedWord(const std::vector<SearchUnit>& units, size_t i);

}  // namespace content
