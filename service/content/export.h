#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/call.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"

namespace content {

/// Which articles an export has. An empty string or an infinite time matches every article.
struct ExportQuery {
  /// Of a single article.
  std::string article_id = {};
  /// As in ArticleQuery, but articles that readers do not see match, too.
  std::string author = {};
  std::string tag = {};
  absl::Time published_after = absl::InfinitePast();
  absl::Time published_before = absl::InfiniteFuture();
};

/// An article, with what the store has of it besides its fields.
struct StoredArticle {
  /// In FULL view.
  v1::Article article;
  /// See ArticleRestoration. Articles that were created later have larger ones.
  int64_t key;
  bool retracted;
  /// Ids, sorted.
  std::vector<std::string> former_names;
};

/// Takes what is exported, one after the other, on a thread of the store, which may wait here.
class ExportVisitor {
 public:
  virtual ~ExportVisitor() = default;

  /// Each returns whether to go on. Comments belong to the article before them.
  virtual bool Visit(StoredArticle article) = 0;
  virtual bool Visit(v1::Comment comment) = 0;
};

/// Reads everything. See content/store.h for what all interfaces have in common.
class Exporting {
 public:
  virtual ~Exporting() = default;

  /// Passes the articles, retracted and scheduled ones too, in the order in which they were
  /// created, each with its comments in the order of their ids, as moderators see them. Everything
  /// is as of one moment. (Where tables are distributed, as of one moment on each node.) Holds a
  /// few articles in memory at a time. Meanwhile the database keeps the rows that others delete or
  /// change, so visitors should not wait for long.
  ///
  /// Answers with OK if a visit ends it, too; with ARTICLE_NOT_FOUND if there is no such article.
  /// An export that has begun is not tried again. `visitor` outlives the call.
  virtual void Export(CallContext context, ExportQuery query, ExportVisitor& visitor,
                      Callback<void> done) = 0;
};

}  // namespace content
