#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "content/v1/comment.pb.h"
#include "transfer/parsed_file.h"

// What an export of a blog or of a comment system contains. A format is a reader: a function that
// streams a file and hands each item to an ExportSink. Rules, ids, batches and the report are the
// same for all (transfer/importer.h).
namespace content::transfer {

/// An article of an export.
struct ExportedArticle {
  /// What people call it in a report: "post 17", or its address.
  std::string label;
  /// As a reader of single files leaves it: fields that are missing are empty, a draft says why.
  /// The body is CommonMark.
  ParsedFile file;
  /// By which comments of the same file name it; empty if none do.
  std::string key;
  /// The addresses that it has or had, absolute or from the root of the site. Comments of other
  /// files name it by one of them.
  std::vector<std::string> addresses;
};

/// A comment of an export.
struct ExportedComment {
  /// Its id in the source, unique there and the same in every export.
  std::string source_id;
  /// That of the comment it replies to; empty if it replies to none.
  std::string parent_source_id;
  /// The key of an article of the same file; empty if `address` says which one it is.
  std::string article_key;
  /// The address of the article's page.
  std::string address;
  std::string author_name;
  /// What the source knows the author by: the same for all comments of one author. It may be an
  /// e-mail address: it goes no further than into a digest. Empty if the source knows nothing; then
  /// the name stands for the author.
  std::string author_key;
  absl::Time create_time;
  /// As plain text.
  std::string body;
  /// VISIBLE if it was public, PENDING if it waited for a moderator or if the state is not known,
  /// DELETED if only its place in the thread is left.
  v1::CommentState state;
  /// What was done to it, for people.
  std::vector<std::string> notes;
};

/// Takes the items of an export.
class ExportSink {
 public:
  virtual ~ExportSink() = default;

  /// Each returns whether to go on reading.
  virtual bool Take(ExportedArticle article) = 0;
  virtual bool Take(ExportedComment comment) = 0;

  /// An item that is not meant for readers, such as spam or a menu. `reason` is one of few, by
  /// which such items are counted. `label` is as in ExportedArticle.
  virtual bool LeaveOut(absl::string_view label, absl::string_view reason) = 0;

  /// An item, or the rest of the file, that cannot be read.
  virtual bool Refuse(absl::string_view label, absl::string_view problem) = 0;
};

}  // namespace content::transfer
