#pragma once

#include <string>

#include "content/export.h"

// Articles as files for Hugo, Jekyll and the like, which import takes, too.
namespace content::transfer {

/// Returns `2025-06-12-ID.md`: Jekyll wants the date, and no other article has the id. Nothing in
/// it needs to be quoted.
std::string MarkdownFileName(const StoredArticle& article);

/// Returns the text with YAML front matter. A retracted article is a draft. A scheduled one has its
/// date, before which generators leave it out.
std::string MarkdownFile(const StoredArticle& article);

}  // namespace content::transfer
