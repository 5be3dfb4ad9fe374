#pragma once

#include "content/article_reads.h"
#include "content/article_source.h"
#include "content/change_feed.h"
#include "content/comment_reads.h"
#include "content/comment_writes.h"
#include "content/publishing.h"
#include "content/upkeep.h"

namespace content {

/// The store of articles and comments. It has an interface for each role, so that callers depend on
/// no more than they use.
///
/// All methods are thread-safe and return without blocking. Those that take a Callback answer
/// through it, on a thread of the store or, if the call is refused at once, on the caller's. Errors
/// are those of errors.h.
///
/// Ids are valid ids (names.h), never resource names; an article's id may be a former one. Answers
/// hold full resource names with the article's current id. What readers may not see (a retracted or
/// scheduled article, a comment that is not shown) is NOT_FOUND in every read of ContentService,
/// and placeholders have neither author nor text.
class Store : public ArticleSource,
              public ArticleReads,
              public CommentReads,
              public CommentWrites,
              public Publishing,
              public ChangeFeed,
              public Upkeep {};

}  // namespace content
