#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "content/search_text.h"

namespace content::store {

/// A query in the syntax of SearchArticlesRequest.query, which accepts any text. An article matches
/// if it matches one of the alternatives: the i-th consists of wanted[i] and excluded[i]. These are
/// in PostgreSQL's notation (to_tsquery), which no query can break, because words consist of
/// letters, digits and marks.
struct ParsedQuery {
  /// Joined by `&`. Empty if the alternative has only words to exclude.
  std::vector<std::string> wanted = {};
  /// Joined by `|`. Empty if there are none.
  std::vector<std::string> excluded = {};

  /// The distinct wanted terms of all alternatives: single words, and words that follow one
  /// another.
  std::vector<std::vector<SearchUnit>> terms = {};
};

/// Without alternatives if the query has no word.
ParsedQuery ParseSearchQuery(absl::string_view query);

}  // namespace content::store
