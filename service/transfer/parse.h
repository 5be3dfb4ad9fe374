#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "content/article.h"
#include "content/rules.h"
#include "content/v1/article.pb.h"
#include "transfer/parsed_file.h"
#include "transfer/substack.h"

// Turns files into articles. A format is one function in a file of its own and one entry in the
// table of parse.cc. Rules and ids are the same for all.
namespace content::transfer {

/// The size of the largest file of one article that is read: more than any valid article needs, and
/// small enough for every parser to be fast.
inline constexpr size_t kMaxFileBytes = size_t{2} * kMaxBodyBytes;

enum class Format { kText, kMarkdown, kHtml };

/// Returns the format of a file by its name and, if that does not tell, by how it begins: `head`
/// may be any bytes, in any encoding that Parse reads. nullopt if neither tells.
std::optional<Format> RecognizeFormat(absl::string_view path, absl::string_view head);

/// Returns whether a file of this name has one of the formats, whatever it contains.
bool HasFormatByName(absl::string_view path);

/// Fields given on the command line, which override those of the file. Empty fields override
/// nothing.
struct Overrides {
  std::string title = {};
  std::string id = {};
  std::string author = {};  ///< As in a byline: "Ada Byron and John Doe".
  std::string date = {};    ///< As ParseWrittenDate reads it.
};

struct ParsedArticle {
  /// Valid and complete (CompleteArticle). Its name is the one that the file or the overrides give,
  /// or else is made from the file's name or, without one, from the title.
  v1::Article article;
  /// Whether the name was made. Then it may be that of another article.
  bool is_name_made = false;
  /// Another name for it in that case. Empty if there is none.
  std::string other_name = {};
  /// Whether the file, its name, or the export says when the article was published. An article of
  /// another day may be another one then, even if it has the same title.
  bool is_dated = false;
  /// Whether that may be corrected, as people do in files. Otherwise one of another day is another
  /// one.
  bool may_be_redated = false;
  /// The day in the file's name. A file of another day is another one, whatever dates are in them.
  std::optional<absl::CivilDay> day_in_name = {};
  /// Whether the name was made of the file's, and no other file of the import has that.
  bool is_named_after_file = false;
  /// Where the article comes from, and by which it is known there: both tell it from all others of
  /// a run. Empty if nothing does.
  std::string source = {};
  std::string key = {};
  /// Ids under which readers may look for the article too. At most kMaxFormerNames.
  std::vector<std::string> former_names = {};
  /// Set if the article comes from this service, or if its file says when it last changed.
  std::optional<ArticleRestoration> restoration = {};
  /// Keys of the front matter that were not read.
  std::vector<std::string> ignored_keys = {};
  /// What was done to the file, for people.
  std::vector<std::string> notes = {};
};

/// Reads an article from the content of a file, which may be any bytes. `path` says more about it
/// (file_name.h); see FoundFile::telling_path. `listed` is what the archive that the file is of
/// says about it, which counts more than what the file says; nullptr if it is of none.
///
/// A refusal (refusal.h) if that is not possible, or if the article is a draft. The message has a
/// line for each fault, and names the line of the file, or the flag, where it can.
absl::StatusOr<ParsedArticle> Parse(absl::string_view content, Format format,
                                    const Overrides& overrides, absl::string_view path = "",
                                    const ListedPost* listed = nullptr);

/// Completes an article of an export in the same way. Its name is that of `exported` or, if that
/// has none, is made from the title; the other name ends with the number in `key`, by which the
/// export knows the article.
absl::StatusOr<ParsedArticle> CompleteExported(ParsedFile exported, absl::string_view key,
                                               const Overrides& overrides);

}  // namespace content::transfer
