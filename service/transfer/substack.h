#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// The archive that Substack gives writers: a list, posts.csv, and a folder of posts,
// posts/123401.low-water.html, which do not say their titles, nor whether they are public.
namespace content::transfer {

/// What the list says about a post.
struct ListedPost {
  std::string title = {};
  std::string summary = {};
  std::optional<absl::Time> time = {};
  std::string slug = {};
  std::string draft = {};  ///< Why the post is not meant for all readers; empty if it is.
};

/// Reads posts by their numbers from the list in a file, which is UTF-8, or UTF-16 with a byte
/// order mark. nullopt if it cannot be read, or is no list of Substack's.
std::optional<std::map<std::string, ListedPost>> ReadListOfPosts(const std::string& path);

/// Returns whether a file is such a list, by how it begins.
bool IsListOfPosts(absl::string_view head);

/// Finds posts in the lists of their archives, and keeps the last one that it has read.
class ListsOfPosts {
 public:
  /// Returns what the list in the folder above that of `path` says; nullptr if there is none, or if
  /// the file is not named as a post. A post that is not listed is a draft, and so are all if the
  /// list cannot be read: nothing else tells whether they are public. The result is valid until the
  /// next call.
  const ListedPost* Find(const std::string& path);

 private:
  std::string path_;
  std::optional<std::map<std::string, ListedPost>> posts_;
  const ListedPost unlisted_ = {.draft = "posts.csv does not have the post"};
  const ListedPost of_unread_list_ = {.draft = "posts.csv cannot be read"};
};

}  // namespace content::transfer
