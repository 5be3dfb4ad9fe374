#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// The repeated fields of an article, which are stored as JSON.
namespace content::store {

/// Returns authors, sections and tags as one JSON object.
std::string ArticleStructure(const v1::Article& article);

// These add the elements of a column to `article`. They throw a std::exception if the column is not
// a JSON array of the expected form.

void ReadAuthors(absl::string_view json, v1::Article& article);
void ReadSections(absl::string_view json, v1::Article& article);
void ReadTags(absl::string_view json, v1::Article& article);

}  // namespace content::store
