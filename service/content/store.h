#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "content/encoded.h"
#include "content/names.h"
#include "content/rules.h"
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
  /// A page ends before it is larger.
  int max_bytes = kMaxReplyBytes;
};

struct CommentPage {
  Page<v1::Comment> page;
  /// The article's, at the moment of the page.
  ArticleState article;
};

/// An article and the first of its comments, as they were at one moment.
struct ArticlePage {
  EncodedArticle article;
  Page<v1::Comment> comments;
};

struct SearchQuery {
  /// In the syntax of websearch_to_tsquery, which takes any text:
  /// https://www.postgresql.org/docs/current/textsearch-controls.html
  std::string text = {};
  /// First part of a BCP 47 tag in lower case; empty: every language.
  std::string language = {};
  int page_size = 0;
  std::string after_key = {};
};

/// What makes a write repeatable (AIP-155, https://google.aip.dev/155).
struct RequestKey {
  /// A UUID in lower case; empty: the caller gave none, and the write is done each time.
  std::string id = {};
  /// Digest of what is asked for, if the caller gave the id. The same id with another one is
  /// REQUEST_ID_REUSED.
  std::string fingerprint = {};
};

/// A comment to be added, valid by the rules of rules.h.
struct NewComment {
  std::string article_id = {};
  /// Made by the server; the key by which a commit of unknown outcome is found again.
  std::string comment_id = {};
  std::string reply_to_id = {};
  v1::CommentAuthor author;
  std::string body = {};
  RequestKey request = {};
  absl::Time create_time;
  bool validate_only = false;
};

/// What becomes of a comment that is there. What is unset stays.
struct CommentEdit {
  CommentRef comment;
  std::optional<std::string> body = {};
  std::optional<std::string> author_display_name = {};
  /// The one that must be current; empty: whichever. The same below.
  std::string etag = {};
  RequestKey request = {};
  bool validate_only = false;
};

struct CommentDeletion {
  CommentRef comment;
  std::string etag = {};
  bool allow_missing = false;
  RequestKey request = {};
};

struct CommentModeration {
  CommentRef comment;
  v1::CommentState state = v1::COMMENT_STATE_UNSPECIFIED;
  std::string etag = {};
  RequestKey request = {};
};

/// Changes of an article's comments, in the order of revisions; all those of one revision are
/// there, or none.
struct CommentChanges {
  std::vector<v1::Comment> comments;
  /// All changes up to here are among them.
  int64_t article_revision = 0;
  int64_t comment_count = 0;
  /// Whether this was everything; otherwise more follow after article_revision.
  bool complete = true;
};

/// How far a watcher of articles has come.
struct ArticleCursor {
  /// What changed up to this position of the feed has been sent,
  int64_t position = 0;
  /// and of that, the articles whose time came up to this time; of those whose time is just this,
  /// the ones up to this id (empty: all).
  absl::Time time = absl::InfinitePast();
  std::string article_id = {};
  /// Position and time at which nothing was left to be sent. What readers did not see by then is
  /// PUBLISHED to this watcher, even if it has changed since.
  int64_t known_position = 0;
  absl::Time known_time = absl::InfinitePast();
};

struct ArticleChangeRecord {
  v1::ArticleChange change = v1::ARTICLE_CHANGE_UNSPECIFIED;
  /// In BASIC view; of a retracted one only name and revision.
  v1::Article article;
  std::vector<std::string> former_names = {};
  /// Of a watcher that has got this change and those before.
  ArticleCursor cursor;
};

struct ArticleChanges {
  std::vector<ArticleChangeRecord> changes;
  /// Of a watcher that has got all of these.
  ArticleCursor cursor;
  /// Whether this was everything; otherwise more follow after `cursor`.
  bool complete = true;
};

struct PublishOptions {
  /// If not, an existing article with other content is ALREADY_EXISTS.
  bool may_replace = true;
  /// Change nothing; the answer is the article as it would be, without an outcome.
  bool validate_only = false;
  RequestKey request = {};
};

struct PublishedArticle {
  v1::Article article;
  v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
};

struct ArticleEdit {
  std::string id = {};
  /// The fields that `paths` name are copied from here (MergeArticle in rules.h).
  v1::Article article;
  std::vector<std::string> paths = {};
  RequestKey request = {};
  bool validate_only = false;
};

struct ArticleRenaming {
  std::string id = {};
  std::string new_id = {};
  std::string etag = {};
  RequestKey request = {};
};

struct ArticleRetraction {
  std::string id = {};
  std::string etag = {};
  RequestKey request = {};
};

struct InspectedArticle {
  v1::Article article;
  bool retracted = false;
  std::vector<std::string> former_names = {};
};

struct ModerationQuery {
  /// PENDING or HIDDEN.
  v1::CommentState state = v1::COMMENT_STATE_PENDING;
  int page_size = 0;
  std::string after_key = {};
};

struct ErasedComments {
  int64_t comment_count = 0;
  /// Storage keys of the articles they were on, each once: to be counted, not shown.
  std::vector<std::string> articles = {};
  /// Whether the author has none left.
  bool complete = true;
};

struct VerifyQuery {
  /// Only this article; empty: all.
  std::string article_id = {};
  bool repair = false;
  std::string after_key = {};
};

struct VerifiedCounters {
  std::vector<v1::CounterDrift> drifts;
  int64_t article_count = 0;
  /// Where to go on; empty: everything has been looked at.
  std::string next_key = {};
};

/// Somebody who hears of changes; ends with its destruction.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

/// What a cache of articles is filled from and kept fresh by. Its methods are as those of Store.
class ArticleSource {
 public:
  virtual ~ArticleSource() = default;

  /// The article that readers see under this id, or nothing. Calls that wait at the same time are
  /// answered by one statement.
  virtual void ReadArticle(CallContext context, std::string id, v1::ArticleView view,
                           Callback<std::optional<EncodedArticle>> done) = 0;

  /// The same without the text.
  virtual void ReadArticleState(CallContext context, std::string id,
                                Callback<std::optional<ArticleState>> done) = 0;

  /// The same of many by one statement: an answer for each of `ids`, in their order.
  virtual void ReadArticleStates(CallContext context, std::vector<std::string> ids,
                                 Callback<std::vector<std::optional<ArticleState>>> done) = 0;

  using NewsSink = std::function<void(const ArticleNews&)>;

  /// As long as the subscription lives `sink` hears of changes of articles and their comments: of
  /// those committed through this store before their writer has its answer, of those by others
  /// soon, if all goes well; some are never told. It is called on any thread, must not block, and
  /// must not end a subscription. Once that has ended it is not called any more.
  [[nodiscard]] virtual std::unique_ptr<Subscription> Subscribe(NewsSink sink) = 0;
};

/// Where articles and comments are kept.
///
/// Every method returns without waiting and, but for GetInfo, answers through its callback. All are
/// thread-safe.
/// Errors are those of errors.h. Ids are valid ids (names.h), never names; an article's may be a
/// former one. Answers hold full resource names, with the article's current id. For the methods of
/// ContentService, what an article's readers may not see (retracted, not yet due, a comment that is
/// not shown) is NOT_FOUND here already, and placeholders have no author and no text.
class Store : public ArticleSource {
 public:
  // ---- Articles ----

  virtual void ListArticles(CallContext context, ArticleQuery query,
                            Callback<Page<v1::Article>> done) = 0;

  /// INVALID_ARGUMENT on `query` if it holds no word.
  virtual void SearchArticles(CallContext context, SearchQuery query,
                              Callback<Page<v1::SearchResult>> done) = 0;

  /// The article of `comments.article_id` with the first page of its comments.
  virtual void GetArticlePage(CallContext context, v1::ArticleView view, CommentQuery comments,
                              Callback<ArticlePage> done) = 0;

  // ---- Comments ----

  virtual void GetComment(CallContext context, CommentRef comment, int64_t min_revision,
                          Callback<v1::Comment> done) = 0;

  virtual void ListComments(CallContext context, CommentQuery query,
                            Callback<CommentPage> done) = 0;

  /// Adds the comment, or answers with the one that the same request added before.
  virtual void CreateComment(CallContext context, NewComment comment,
                             Callback<v1::Comment> done) = 0;

  virtual void UpdateComment(CallContext context, CommentEdit edit, Callback<v1::Comment> done) = 0;

  /// Answers with the article's revision.
  virtual void DeleteComment(CallContext context, CommentDeletion deletion,
                             Callback<int64_t> done) = 0;

  // ---- Watching ----

  /// Changes of this article's comments after a revision, as many as fit. REVISION_NOT_REACHED if
  /// the article has not come that far.
  virtual void ReadCommentChanges(CallContext context, std::string article_id,
                                  int64_t after_revision, Callback<CommentChanges> done) = 0;

  /// Changes of articles after a cursor, as many as fit, with what readers see at `now`: first the
  /// articles whose time has come, then those that were changed, in commit order. The cursor's time
  /// may be later, by another clock; nothing is shown before `now`, and some things twice then.
  /// REVISION_NOT_REACHED if the feed has not come as far as the cursor.
  virtual void ReadArticleChanges(CallContext context, ArticleCursor after, absl::Time now,
                                  Callback<ArticleChanges> done) = 0;

  /// The cursor of a watcher who knows everything up to now. Without its times it is that of one
  /// who begins with all the articles that readers see.
  virtual void GetArticleCursor(CallContext context, Callback<ArticleCursor> done) = 0;

  // ---- Publishing ----

  /// Creates or replaces `article` (complete: name, sections and word count filled in).
  /// Its etag, if there is one, must be the current one.
  virtual void PublishArticle(CallContext context, v1::Article article, PublishOptions options,
                              Callback<PublishedArticle> done) = 0;

  virtual void UpdateArticle(CallContext context, ArticleEdit edit, Callback<v1::Article> done) = 0;

  /// Answers with the article in BASIC view.
  virtual void RenameArticle(CallContext context, ArticleRenaming renaming,
                             Callback<v1::Article> done) = 0;

  /// Answers with the article's revision.
  virtual void RetractArticle(CallContext context, ArticleRetraction retraction,
                              Callback<int64_t> done) = 0;

  virtual void InspectArticle(CallContext context, std::string id,
                              Callback<InspectedArticle> done) = 0;

  // ---- Moderating, and looking after it ----

  /// Answers with the comment as moderators see it.
  virtual void ModerateComment(CallContext context, CommentModeration moderation,
                               Callback<v1::Comment> done) = 0;

  virtual void ListModerationQueue(CallContext context, ModerationQuery query,
                                   Callback<Page<v1::Comment>> done) = 0;

  /// The author's comments as moderators see them, as many as fit on a page, in a fixed order.
  virtual void ExportAuthor(CallContext context, std::string author_id, std::string after_key,
                            Callback<Page<v1::Comment>> done) = 0;

  /// Erases some of the author's comments.
  virtual void EraseAuthor(CallContext context, std::string author_id,
                           Callback<ErasedComments> done) = 0;

  /// Looks at some articles' counters.
  virtual void VerifyCounters(CallContext context, VerifyQuery query,
                              Callback<VerifiedCounters> done) = 0;

  /// Forgets requests made before a time, a limited number of them, and answers with how many those
  /// were: 0 if none is left.
  virtual void ForgetRequests(CallContext context, absl::Time before, Callback<int64_t> done) = 0;

  /// How the store is, told without asking the database: also when that cannot be reached.
  /// `database_version` is empty then; otherwise it is what the last Check came to.
  virtual v1::StoreInfo GetInfo() = 0;

  /// OK if the database answers and takes writes.
  virtual void Check(CallContext context, absl::AnyInvocable<void(absl::Status) &&> done) = 0;
};

}  // namespace content
