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

/// Reads posts by their numbers from the content of a list, which may be any bytes. nullopt if it
/// is no list of Substack's.
std::optional<std::map<std::string, ListedPost>> ReadListOfPosts(absl::string_view csv);

/// Returns whether a file is such a list, by how it begins.
bool IsListOfPosts(absl::string_view head);

/// Finds posts in the lists of their archives, and keeps the last one that it has read.
class ListsOfPosts {
 public:
  /// Returns what the list in the folder above that of `path` says; nullptr if there is none, or if
  /// the file is not named as a post. A post that is not listed is a draft. The result is valid
  /// until the next call.
  const ListedPost* Find(const std::string& path);

 private:
  std::string path_;
  std::optional<std::map<std::string, ListedPost>> posts_;
  ListedPost unlisted_ = {.draft = "posts.csv does not have the post"};
};

}  // namespace content::transfer
