#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "content/article.h"
#include "content/v1/comment.pb.h"
#include "transfer/parsed_file.h"

// What an export of a blog or of a comment system contains. A format is a reader: a function that
// streams a file and hands each item to an ExportSink, and an entry in the table of
// exports/formats.cc. Rules, ids, batches and the report are the same for all: exports/run.h.
namespace content::transfer {

/// An article of an export.
struct ExportedArticle {
  /// What people call it in a report: "post 17", or its address.
  std::string label;
  /// As a reader of single files leaves it: fields that are missing are empty, a draft says why.
  /// The body is CommonMark.
  ParsedFile file = {};
  /// By which comments of the same file name it; empty if none do. Comments of other files of one
  /// run may name it too, if their origin is the same.
  std::string key;
  /// If the article comes from this service: it is published as it is, with these options.
  std::optional<ArticleRestoration> restoration = {};
  /// The addresses that it has or had, absolute or from the root of the site. Comments of other
  /// files name it by one of them.
  std::vector<std::string> addresses = {};
  /// If the item is not for readers at all, such as a menu, or what is in the trash: why, as in
  /// ExportSink::LeaveOut. It and the comments on it are left out. Key and addresses keep these
  /// from other articles.
  std::string left_out = {};
};

/// A comment of an export.
struct ExportedComment {
  /// Its id in the source, unique there and the same in every export.
  std::string source_id = {};
  /// That of the comment it replies to; empty if it replies to none.
  std::string parent_source_id = {};
  /// In the place of these two, if the comment comes from this service: the ids that it and its
  /// parent have.
  std::string comment_id = {};
  std::string parent_comment_id = {};
  /// The key of an article, if there is one for it; otherwise `address` says which one it is.
  std::string article_key = {};
  /// The address of the article's page.
  std::string address = {};
  std::string author_name = {};
  /// What the source knows the author by: the same for all comments of one author. Never an e-mail
  /// or IP address, nor what is made of one: who knows the address could tell that it is theirs.
  /// Empty if the source knows nothing else; then the name stands for the author.
  std::string author_key = {};
  /// In the place of `author_key`, if the comment comes from this service.
  std::string author_id = {};
  absl::Time create_time = absl::InfinitePast();
  /// InfinitePast: as `create_time`.
  absl::Time update_time = absl::InfinitePast();
  int edit_count = 0;
  /// As plain text, unless `to_text` makes that of it.
  std::string body = {};
  /// Called on another thread, while the reader goes on; nullptr: the body is plain text.
  std::string (*to_text)(absl::string_view body) = nullptr;
  /// VISIBLE if it was public, PENDING if it waited for a moderator or if the state is not known,
  /// DELETED if only its place in the thread is left.
  v1::CommentState state = v1::COMMENT_STATE_PENDING;
  /// What was done to it, for people.
  std::vector<std::string> notes = {};
};

enum class ItemKind { kArticle, kComment };

/// Takes the items of an export, in any order.
class ExportSink {
 public:
  virtual ~ExportSink() = default;

  /// Says what tells this blog or forum from others of the same system: its id, or the address of
  /// its home page. It should be the same in every export, because the ids of comments are made of
  /// it. Call it before the first comment. Not needed if the ids of items are unique in the world.
  virtual void SetOrigin(absl::string_view origin) = 0;

  /// Each returns whether to go on reading. A reader that is told to stop returns OK.
  virtual bool Take(ExportedArticle article) = 0;
  virtual bool Take(ExportedComment comment) = 0;

  /// An item that is not meant for readers, such as spam. `reason` is one of few, by which such
  /// items are counted. `label` is as in ExportedArticle. See ExportedArticle::left_out for items
  /// that have comments.
  virtual bool LeaveOut(ItemKind kind, absl::string_view label, absl::string_view reason) = 0;

  /// An item that cannot be read.
  virtual bool Refuse(ItemKind kind, absl::string_view label, absl::string_view problem) = 0;

  /// Returns whether to stop reading, for readers that work long without an item.
  virtual bool is_stopped() const { return false; }
};

class ExportFile;

/// Reads an export from its beginning to its end, in bounded memory. An error if the file is
/// broken, which says where if it can; items before that were handed over.
using ExportReader = absl::Status (*)(ExportFile& file, ExportSink& sink);

}  // namespace content::transfer
