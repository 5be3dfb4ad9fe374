#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "content/v1/article.pb.h"

// The repeated fields of an article, which are JSON in the database.
namespace content::store {

/// Authors, sections and tags as one JSON object.
std::string ArticleStructure(const v1::Article& article);

// What these read is a column that holds one of them, a JSON array; they add it to `article`. They
// throw std::exception if it is something else.

void ReadAuthors(absl::string_view json, v1::Article& article);
void ReadSections(absl::string_view json, v1::Article& article);
void ReadTags(absl::string_view json, v1::Article& article);

}  // namespace content::store
