#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "content/v1/article.pb.h"

namespace content::transfer {

/// Something that is wrong, for people.
struct Fault {
  int line;  ///< From 1; 0 if it is not a matter of a line.
  std::string problem;
};

/// Where a field of the article comes from.
struct Place {
  int line;          ///< From 1; 0 if it is not known, or if it is a flag.
  std::string name;  ///< Of the key, or of the flag.
};

/// What a reader found in a file.
struct ParsedFile {
  /// Fields that are missing or faulty are empty. A name is one that the file gives.
  v1::Article article;
  std::vector<Fault> faults;
  /// Keys of the front matter that were not read.
  std::vector<std::string> ignored_keys;
  /// By field of the article: where the file has it, even if it is faulty. Faults that are found
  /// later use these names.
  std::map<std::string, Place> places;
  /// Ids under which readers may look for the article too: those of pages that led to it.
  std::vector<std::string> former_names = {};
  /// When the text last changed, if the file says so.
  std::optional<absl::Time> update_time = {};
  /// What was done to the file, for people.
  std::vector<std::string> notes = {};
  /// Why the file is not meant for readers; empty if it is.
  std::string draft = {};
};

}  // namespace content::transfer
