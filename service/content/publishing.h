#pragma once

#include <cstdint>
#include <string>

#include "base/call.h"
#include "content/article.h"

namespace content {

/// Writes of articles, and articles as publishers see them. See content/store.h for what all
/// interfaces have in common.
class Publishing {
 public:
  virtual ~Publishing() = default;

  /// Creates or replaces `article`, which must be valid (CheckArticle). Completes it first
  /// (CompleteArticle), and fails with INVALID_ARGUMENT if that fails. If it has an etag, that must
  /// be the current one. New former names alone are a change too: they raise the revision, and the
  /// outcome is REPLACED, but nothing needs to be replaced for them.
  virtual void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                              Callback<PublishedArticle> done) = 0;

  /// Changes the fields that `edit` names. Answers with the article in FULL view.
  virtual void UpdateArticle(CallContext context, ArticleEdit edit, Callback<v1::Article> done) = 0;

  /// Answers with the article in BASIC view. ARTICLE_EXISTS if another article has or had the name.
  virtual void RenameArticle(CallContext context, ArticleRename renaming,
                             Callback<v1::Article> done) = 0;

  /// Answers with the article's revision after the call.
  virtual void RetractArticle(CallContext context, ArticleRetraction retraction,
                              Callback<int64_t> done) = 0;

  /// Answers with the article in FULL view, whether readers see it or not.
  virtual void InspectArticle(CallContext context, std::string id,
                              Callback<InspectedArticle> done) = 0;
};

}  // namespace content
