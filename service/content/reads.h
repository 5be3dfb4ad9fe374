#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "content/encoded.h"
#include "content/store.h"

// Reads that are worth keeping in memory, and the answers as they go over the wire.
namespace content {

/// An article in one view.
struct ArticleAnswer {
  /// Its fields but `comment_count` and `revision` are the first `size` bytes of this.
  SharedBytes text;
  size_t size = 0;
  int64_t revision = 0;
  int64_t comment_count = 0;
  /// How old it may be, if that is more than was promised: the database cannot be asked.
  std::optional<absl::Duration> stale_age = {};
};

/// What is shown of an article's comments, made by a LoadPage.
struct LoadedPage {
  ArticleState state;
  SharedBytes bytes;
  /// The article at the same moment, if that was asked for.
  std::optional<EncodedArticle> article = {};
};

/// Gets a page from the store and encodes it.
using LoadPage = std::function<void(CallContext, Callback<LoadedPage>)>;

struct PageRequest {
  /// Any name of the article.
  std::string article_id = {};
  /// Says which page of that article; two of the same key have the same bytes as long as the
  /// article has the same revision.
  std::string key = {};
  int64_t min_revision = 0;
  /// Set: the article is wanted too, in this view and as of the page's moment.
  std::optional<v1::ArticleView> view = {};
};

struct PageAnswer {
  SharedBytes bytes;
  /// If it was asked for.
  std::optional<ArticleAnswer> article = {};
  std::optional<absl::Duration> stale_age = {};
};

/// Answers from memory what is fresh enough, and asks the store for the rest.
///
/// Nothing answered OK is older than a time that the configuration promises, except while the
/// database cannot be asked, and then it says so (`stale_age`). No answer is older than one that
/// was given before it was asked for. All methods are thread-safe, do not block, and answer through
/// their callback: at once, on the calling thread, if the answer is in memory.
class Reads {
 public:
  virtual ~Reads() = default;

  /// The article by any of its names. NOT_FOUND; REVISION_NOT_REACHED if the article itself has not
  /// come to `min_revision`.
  virtual void GetArticle(CallContext context, std::string id, v1::ArticleView view,
                          int64_t min_revision, Callback<ArticleAnswer> done) = 0;

  /// A page that `load` makes if it is not in memory. Errors are those of `load`.
  virtual void GetPage(CallContext context, PageRequest request, LoadPage load,
                       Callback<PageAnswer> done) = 0;

  /// How the memory is used.
  virtual v1::CacheInfo GetInfo() = 0;
};

}  // namespace content
