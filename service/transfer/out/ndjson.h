#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "content/export.h"
#include "content/v1/comment.pb.h"

// An export as lines of JSON (ndjson): kNdjsonHead, then each article, followed by its comments,
// and at the end how many there are, so that a file that was cut off is seen. The lines are the
// contract's JSON: of InspectArticleResponse, with the article's `key` in the store
// (ArticleRestoration), and of InspectCommentResponse. They lack what an import makes anew:
// revisions, etags, counts, the table of contents, and depths. exports/ndjson.h reads them.
namespace content::transfer {

/// The first line, without its end. A reader refuses versions that it does not know.
inline constexpr absl::string_view kNdjsonHead = R"({"format":"contentd-export","version":1})";

/// How many lines of each kind an export has.
struct ExportCounts {
  int64_t articles = 0;
  int64_t comments = 0;
};

/// Returns the line of an article or of a comment, with its end. What is the same makes the same
/// bytes.
std::string NdjsonLine(StoredArticle article);
std::string NdjsonLine(v1::Comment comment);

/// Returns the last line, with its end.
std::string NdjsonEnd(const ExportCounts& counts);

}  // namespace content::transfer
