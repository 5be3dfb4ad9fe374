#pragma once

#include <cstddef>
#include <vector>

#include "content/search_text.h"
#include "store/articles/search_query.h"
#include "store/articles/snippet.h"

namespace content::store {

/// Returns where a body, cut into `units`, has what a query wants, in order. Marks may overlap, but
/// at most one ends with each unit: the longest.
///
/// Words are marked by the places in `found`, indexes of units, where PostgreSQL has found them in
/// any grammatical form. Nothing is found from the unit `first_unknown` on: there, only words that
/// are the same as in the query are marked. Of a term with characters that are searched by pairs,
/// only occurrences of the whole are marked. Takes linear time, however many terms the query has.
std::vector<Mark> FindMarks(const std::vector<SearchUnit>& units, const ParsedQuery& query,
                            const std::vector<size_t>& found, size_t first_unknown);

}  // namespace content::store
