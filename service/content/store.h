#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"

namespace content {

/// What a caller is still waiting for. Every step asks before it starts work.
struct CallContext {
  absl::Time deadline = absl::InfiniteFuture();
  /// True once nobody waits for the answer. May be empty. Called from any thread, only until the
  /// answer is given.
  std::function<bool()> cancelled = {};
};

/// Receives the answer of a Store method: called exactly once, on a thread of the store or, if the
/// call is refused at once, on the caller's. Must not block.
template <class T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;

/// One page of a list.
template <class T>
struct Page {
  std::vector<T> items;
  /// Key of the last item if more follow, otherwise empty. Opaque to all but the store.
  std::string next_key;
};

// (Members are initialised with {} where designated initialisers would otherwise be warned about.)

struct ArticleQuery {
  v1::ArticleOrder order = v1::ARTICLE_ORDER_NEWEST;
  v1::ArticleView view = v1::ARTICLE_VIEW_BASIC;
  /// Filters; empty or infinite: none.
  std::string author = {};
  std::string tag = {};
  absl::Time published_after = absl::InfinitePast();
  absl::Time published_before = absl::InfiniteFuture();
  int page_size = 0;
  /// `next_key` of the page before; empty for the first page.
  std::string after_key = {};
};

struct CommentQuery {
  std::string article_id = {};
  v1::CommentOrder order = v1::COMMENT_ORDER_NEWEST;
  /// Id of the comment whose thread is wanted; empty: all comments.
  std::string reply_to_id = {};
  int page_size = 0;
  std::string after_key = {};
  int64_t min_revision = 0;
};

struct CommentPage {
  Page<v1::Comment> page;
  int64_t article_revision = 0;
  int64_t comment_count = 0;
};

/// A comment to be added, valid by the rules of rules.h.
struct NewComment {
  std::string article_id = {};
  /// Made by the server; the key by which a commit of unknown outcome is found again.
  std::string comment_id = {};
  std::string reply_to_id = {};
  v1::CommentAuthor author;
  std::string body = {};
  /// Empty: the caller gave none.
  std::string request_id = {};
  absl::Time create_time;
  bool validate_only = false;
};

struct PublishOptions {
  /// If not, an existing article with other content is ALREADY_EXISTS.
  bool may_replace = true;
  /// Change nothing; the answer is the article as it would be, without an outcome.
  bool validate_only = false;
};

struct PublishedArticle {
  v1::Article article;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

/// Where articles and comments are kept.
///
/// Every method returns without waiting and answers through its callback. All are thread-safe.
/// Errors are those of errors.h. Ids are valid ids (names.h), never names; answers hold full
/// resource names. What an article's readers may not see (retracted, not yet due, a comment not
/// VISIBLE) is NOT_FOUND here already.
class Store {
 public:
  virtual ~Store() = default;

  /// For each of these ids, of which there is at least one, its article or nothing. More than
  /// kMaxReplyBytes of them: OUT_OF_RANGE.
  virtual void GetArticles(CallContext context, std::vector<std::string> ids, v1::ArticleView view,
                           Callback<std::vector<std::optional<v1::Article>>> done) = 0;

  virtual void ListArticles(CallContext context, ArticleQuery query,
                            Callback<Page<v1::Article>> done) = 0;

  virtual void GetComment(CallContext context, std::string article_id, std::string comment_id,
                          int64_t min_revision, Callback<v1::Comment> done) = 0;

  virtual void ListComments(CallContext context, CommentQuery query,
                            Callback<CommentPage> done) = 0;

  /// Adds the comment, or answers with the one that the same request_id added before.
  virtual void CreateComment(CallContext context, NewComment comment,
                             Callback<v1::Comment> done) = 0;

  /// Creates or replaces `article` (complete: name, sections and word count filled in).
  /// Its etag, if there is one, must be the current one.
  virtual void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                              Callback<PublishedArticle> done) = 0;

  /// Answers with the article's revision. `etag` empty: whatever the version.
  virtual void RetractArticle(CallContext context, std::string id, std::string etag,
                              Callback<int64_t> done) = 0;

  /// OK if the database answers and takes writes.
  virtual void Check(CallContext context, absl::AnyInvocable<void(absl::Status) &&> done) = 0;
};

}  // namespace content
