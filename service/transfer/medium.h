#pragma once

#include <string>

// The archive that Medium gives writers: a folder of posts and, beside it, folders of pages about
// the writer, which are nobody else's business: where they logged in, what they read.
namespace content::transfer {

/// Returns whether a file is such a page, or the archive's README.html, by its name and by what is
/// beside it.
bool IsBesidePostsOfMedium(const std::string& path);

}  // namespace content::transfer
