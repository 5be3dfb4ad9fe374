#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/article.h"
#include "content/v1/admin_service.pb.h"

namespace content {

/// An article in one view, ready to be sent.
struct ArticleAnswer {
  /// The first `size` bytes are all its fields except `comment_count` and `revision`.
  SharedBytes text;
  size_t size = 0;
  int64_t revision = 0;
  int64_t comment_count = 0;
  /// The answer's age if it may be older than promised, because the database cannot be queried;
  /// otherwise nullopt.
  std::optional<absl::Duration> stale_age = {};
};

/// A page of an article's comments, as returned by a LoadPage.
struct LoadedPage {
  ArticleState state;
  SharedBytes bytes;
  /// The article at the same moment, if it was asked for.
  std::optional<EncodedArticle> article = {};
};

/// Reads a page from the store and encodes it.
using LoadPage = std::function<void(CallContext, Callback<LoadedPage>)>;

struct PageRequest {
  /// Any name of the article.
  std::string article_id = {};
  /// Identifies the page among the pages of the article. Pages with the same key and article
  /// revision have the same bytes.
  std::string key = {};
  /// The answer must show at least this revision of the article. 0: any.
  int64_t min_revision = 0;
  /// If set, the answer also has the article, in this view and as of the moment of the page.
  std::optional<v1::ArticleView> view = {};
};

struct PageAnswer {
  SharedBytes bytes;
  /// The article, if it was asked for.
  std::optional<ArticleAnswer> article = {};
  std::optional<absl::Duration> stale_age = {};
};

/// Answers reads from memory while the cached data is fresh enough, and from the store otherwise.
///
/// An answer is never older than the configuration promises, except while the database cannot be
/// queried; `stale_age` is then set. An answer is never older than one that was given before its
/// call began. All methods are thread-safe and do not block. Each answers through its callback: at
/// once, on the calling thread, if the answer is in memory.
class ReadCache {
 public:
  virtual ~ReadCache() = default;

  /// Answers with the article, which may be requested under any of its names. Fails with
  /// ARTICLE_NOT_FOUND, or with REVISION_NOT_REACHED if the article has not reached `min_revision`.
  virtual void GetArticle(CallContext context, std::string id, v1::ArticleView view,
                          int64_t min_revision, Callback<ArticleAnswer> done) = 0;

  /// Answers with a page, which `load` makes if it is not in memory. Errors are those of `load`.
  virtual void GetPage(CallContext context, PageRequest request, LoadPage load,
                       Callback<PageAnswer> done) = 0;

  /// Returns how the memory is used.
  virtual v1::CacheInfo GetInfo() = 0;
};

}  // namespace content
