#pragma once

#include "content/article_reads.h"
#include "content/article_source.h"
#include "content/audit.h"
#include "content/author_blocks.h"
#include "content/change_feed.h"
#include "content/comment_import.h"
#include "content/comment_reads.h"
#include "content/comment_writes.h"
#include "content/export.h"
#include "content/publishing.h"
#include "content/upkeep.h"

namespace content {

/// The store of articles and comments. It has one interface per role, so that callers depend only
/// on what they use.
///
/// All methods are thread-safe and return without blocking. Methods that take a Callback answer
/// through it, on a thread of the store or, if the call is refused at once, on the calling thread.
/// Errors are those of content/errors.h and base/errors.h.
///
/// Arguments are valid ids (names.h), never resource names; an article's id may be a former one.
/// Answers contain full resource names with the article's current id. In every read of
/// ContentService, anything that readers may not see (a retracted or scheduled article, a comment
/// that is not shown) is NOT_FOUND, and placeholders have neither author nor text.
class Store : public ArticleSource,
              public ArticleReads,
              public CommentReads,
              public CommentWrites,
              public CommentImports,
              public AuthorBlocks,
              public AuditTrail,
              public Publishing,
              public ChangeFeed,
              public Exporting,
              public Upkeep {};

}  // namespace content
