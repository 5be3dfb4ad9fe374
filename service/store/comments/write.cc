#include "store/comments/write.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "store/columns.h"

namespace content::store {
namespace {

std::string NameOf(const CommentRef& comment) {
  return CommentName(comment.article_id, comment.comment_id);
}

v1::Comment WithArticleRevision(v1::Comment comment, int64_t revision) {
  comment.set_article_revision(revision);
  return comment;
}

// Returns the answer to a repeated request: the comment in its current state, which its writer may
// always see, or only the revision if the request deleted it. The revision is that of the first
// answer, so a reader that has seen it has seen the write.
absl::StatusOr<v1::Comment> Replay(const WriteScope& scope, const PastRequest& past) {
  if (past.comment_id.empty()) return WithArticleRevision({}, past.revision);
  const StoredComment* comment = scope.comments.Find(scope.article, past.comment_id);
  if (comment == nullptr) return CommentNotFound(CommentName(scope.article.name, past.comment_id));
  return WithArticleRevision(comment->message, past.revision);
}

// Adds the event of an act on a comment. A deletion has no state to tell.
void Audit(const WriteScope& scope, v1::AuditAction action, const StoredComment& comment,
           v1::CommentState state = v1::COMMENT_STATE_UNSPECIFIED) {
  AuditEvent event = EventAbout(scope.article, action);
  event.comment_id = comment.id;
  event.state = state;
  scope.audit.Add(scope.caller, event);
}

// ---- Create ----

// Returns the answer to a validated comment, which has no name because it was not added.
v1::Comment PreviewOfNew(v1::Comment message) {
  message.clear_name();
  message.clear_revision();
  message.clear_etag();
  message.clear_article_revision();
  return message;
}

// Returns the comment if the attempt before, without a request_id, has added it.
std::optional<v1::Comment> FindAdded(const WriteScope& scope, const NewComment& comment) {
  if (!scope.in_doubt || comment.comment_id.empty()) return std::nullopt;
  const StoredComment* added = scope.comments.Find(scope.article, comment.comment_id);
  if (added == nullptr) return std::nullopt;
  return WithArticleRevision(added->message, scope.article.revision);
}

// Returns the comment that a new one replies to; nullptr if it starts a thread.
absl::StatusOr<const StoredComment*> FindParent(const WriteScope& scope,
                                                const NewComment& comment) {
  if (comment.reply_to.comment_id.empty()) return nullptr;
  const StoredComment* parent = scope.comments.Find(scope.article, comment.reply_to.comment_id);
  if (!scope.replies_here || parent == nullptr ||
      parent->message.state() != v1::COMMENT_STATE_VISIBLE) {
    return CommentNotFound(NameOf(comment.reply_to));
  }
  if (parent->message.depth() >= kMaxThreadDepth) return ThreadTooDeep(kMaxThreadDepth);
  return parent;
}

std::vector<std::string> AncestorsOfReply(const StoredComment* parent) {
  if (parent == nullptr) return {};
  std::vector<std::string> ancestors = parent->ancestors;
  ancestors.push_back(parent->id);
  return ancestors;
}

// A reply has a later id than its parent, which may be from a time when the clock was ahead.
std::string NewCommentId(LockedArticle& article, const StoredComment* parent) {
  std::string id = article.ids.Next();
  return parent != nullptr && id <= parent->id ? UuidAfter(parent->id) : id;
}

// Nor is a reply older than its parent.
absl::Time CreateTime(absl::Time now, const StoredComment* parent) {
  if (parent == nullptr) return now;
  return std::max(now, FromTimestamp(parent->message.create_time()));
}

v1::Comment NewMessage(const NewComment& comment, const std::string& id, absl::Time now,
                       const LockedArticle& article, const StoredComment* parent) {
  v1::Comment message;
  message.set_name(CommentName(article.name, id));
  *message.mutable_author() = comment.author;
  message.set_body(comment.body);
  if (parent != nullptr) {
    message.set_reply_to(CommentName(article.name, parent->id));
    message.set_depth(parent->message.depth() + 1);
  }
  message.set_state(article.comment_policy == v1::COMMENT_POLICY_PREMODERATED
                        ? v1::COMMENT_STATE_PENDING
                        : v1::COMMENT_STATE_VISIBLE);
  *message.mutable_create_time() = ToTimestamp(CreateTime(now, parent));
  *message.mutable_update_time() = message.create_time();
  return message;
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, NewComment& comment) {
  LockedArticle& article = scope.article;
  // First, because the article may have changed since the comment was added.
  if (std::optional<v1::Comment> added = FindAdded(scope, comment)) return *std::move(added);

  if (!article.readable) return ArticleNotFound(ArticleName(comment.article_id));
  if (scope.blocked.contains(comment.author.id())) return AuthorBlocked(comment.author.id());
  if (article.comment_policy == v1::COMMENT_POLICY_CLOSED) {
    return CommentsClosed(ArticleName(article.name));
  }
  const absl::StatusOr<const StoredComment*> parent = FindParent(scope, comment);
  if (!parent.ok()) return parent.status();
  const std::string id = NewCommentId(article, *parent);
  v1::Comment message = NewMessage(comment, id, scope.now, article, *parent);
  if (comment.validate_only) return message;
  comment.comment_id = id;

  const v1::Comment& added = scope.comments.Add(article, comment.comment_id,
                                                AncestorsOfReply(*parent), std::move(message));
  scope.requests.Record(article, comment.request, comment.comment_id);
  return WithArticleRevision(added, article.revision);
}

// ---- Update ----

v1::Comment Edited(v1::Comment comment, const CommentEdit& edit, v1::CommentPolicy policy) {
  if (edit.body) comment.set_body(*edit.body);
  if (edit.author_display_name) {
    comment.mutable_author()->set_display_name(*edit.author_display_name);
  }
  comment.set_edit_count(comment.edit_count() + 1);
  if (policy == v1::COMMENT_POLICY_PREMODERATED) comment.set_state(v1::COMMENT_STATE_PENDING);
  return comment;
}

bool SameText(const v1::Comment& a, const v1::Comment& b) {
  return a.body() == b.body() && a.author().display_name() == b.author().display_name();
}

// Returns the answer to a validated edit.
v1::Comment PreviewOfEdit(v1::Comment comment) {
  comment.clear_update_time();
  comment.clear_revision();
  comment.clear_etag();
  comment.clear_article_revision();
  return comment;
}

// Who may not write as the author learns whether the comment is deleted, as readers do, but neither
// that the author is blocked nor that the comment is hidden.
absl::Status CheckMayEdit(const WriteScope& scope, const v1::Comment& comment,
                          const std::string& name) {
  const std::string& author_id = comment.author().id();  // a deleted comment has none
  if (comment.state() == v1::COMMENT_STATE_DELETED) return CommentDeleted(name);
  if (absl::Status status = CheckAuthorIsCaller(scope.caller, author_id); !status.ok()) {
    return status;
  }
  if (scope.blocked.contains(author_id)) return AuthorBlocked(author_id);
  if (comment.state() == v1::COMMENT_STATE_HIDDEN) return CommentHidden(name);
  return absl::OkStatus();
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentEdit& edit) {
  LockedArticle& article = scope.article;
  if (!article.readable) return ArticleNotFound(ArticleName(edit.comment.article_id));
  if (article.comment_policy == v1::COMMENT_POLICY_CLOSED) {
    return CommentsClosed(ArticleName(article.name));
  }

  const StoredComment* comment = scope.comments.Find(article, edit.comment.comment_id);
  if (comment == nullptr) return CommentNotFound(NameOf(edit.comment));
  absl::Status status = CheckMayEdit(scope, comment->message, NameOf(edit.comment));
  if (!status.ok()) return status;
  v1::Comment changed = Edited(comment->message, edit, article.comment_policy);
  const bool same = SameText(comment->message, changed);
  if (same) changed = comment->message;
  if (!same && !edit.etag.empty() && edit.etag != comment->message.etag()) {
    return EtagMismatch(NameOf(edit.comment));
  }
  if (edit.validate_only) return changed;
  if (!same) changed = scope.comments.Change(article, *comment, scope.now, std::move(changed));
  scope.requests.Record(article, edit.request, comment->id);
  return WithArticleRevision(std::move(changed), article.revision);
}

// ---- Delete ----

absl::Status CheckMayDelete(const WriteScope& scope, const CommentDeletion& deletion,
                            const StoredComment& comment) {
  if (deletion.by_moderator) return absl::OkStatus();
  return CheckAuthorIsCaller(scope.caller, comment.message.author().id());
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentDeletion& deletion) {
  LockedArticle& article = scope.article;
  const CommentRef& reference = deletion.comment;
  if (!article.readable && !deletion.by_moderator) {
    return ArticleNotFound(ArticleName(reference.article_id));
  }

  const StoredComment* comment = scope.comments.Find(article, reference.comment_id);
  if (comment == nullptr && !deletion.allow_missing) return CommentNotFound(NameOf(reference));
  const bool is_there = comment != nullptr && comment->message.state() != v1::COMMENT_STATE_DELETED;
  if (is_there) {
    absl::Status status = CheckMayDelete(scope, deletion, *comment);
    if (!status.ok()) return status;
    if (!deletion.etag.empty() && deletion.etag != comment->message.etag()) {
      return EtagMismatch(NameOf(reference));
    }
    scope.comments.Change(article, *comment, scope.now, Tombstone(comment->message));
    if (deletion.by_moderator) Audit(scope, v1::AUDIT_ACTION_ERASE_COMMENT, *comment);
  }
  scope.requests.Record(article, deletion.request);
  return WithArticleRevision({}, article.revision);
}

// ---- Moderate ----

void SetState(const WriteScope& scope, const StoredComment& comment, v1::CommentState state) {
  v1::Comment changed = comment.message;
  changed.set_state(state);
  scope.comments.Change(scope.article, comment, scope.now, std::move(changed));
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentModeration& moderation) {
  LockedArticle& article = scope.article;
  const CommentRef& reference = moderation.comment;
  const StoredComment* comment = scope.comments.Find(article, reference.comment_id);
  if (comment == nullptr) return CommentNotFound(NameOf(reference));
  if (comment->message.state() == v1::COMMENT_STATE_DELETED) {
    return CommentDeleted(NameOf(reference));
  }
  const StoredKey key = {article.key, comment->id};
  const bool same = comment->message.state() == moderation.state;
  const bool settles =
      moderation.state != v1::COMMENT_STATE_PENDING && scope.reports.CountOf(key) > 0;
  const bool is_stale = !moderation.etag.empty() && moderation.etag != comment->message.etag();
  if ((!same || settles) && is_stale) return EtagMismatch(NameOf(reference));
  if (!same) SetState(scope, *comment, moderation.state);
  if (settles) scope.reports.Settle(key);
  if (!same || settles) {
    Audit(scope, v1::AUDIT_ACTION_MODERATE_COMMENT, *comment, moderation.state);
  }
  scope.requests.Record(article, moderation.request, comment->id);
  return WithArticleRevision(comment->message, article.revision);
}

// ---- Report ----

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentReport& report) {
  LockedArticle& article = scope.article;
  const CommentRef& reference = report.comment;
  if (!article.readable) return ArticleNotFound(ArticleName(reference.article_id));
  const StoredComment* comment = scope.comments.Find(article, reference.comment_id);
  if (comment == nullptr) return CommentNotFound(NameOf(reference));
  const ReportKey key = {{article.key, comment->id}, report.reporter_id};
  // Whoever repeats the report that hid the comment is not told that it does not exist.
  if (scope.reports.Has(key)) return WithArticleRevision({}, article.revision);
  if (comment->message.state() != v1::COMMENT_STATE_VISIBLE) {
    return CommentNotFound(NameOf(reference));
  }
  scope.reports.Add(key);
  if (report.threshold > 0 && scope.reports.CountOf(key.comment) >= report.threshold) {
    SetState(scope, *comment, v1::COMMENT_STATE_PENDING);
  }
  return WithArticleRevision({}, article.revision);
}

// ---- All writes ----

const std::string& ArticleIdOf(const NewComment& comment) { return comment.article_id; }
const std::string& TargetIdOf(const NewComment& comment) { return comment.reply_to.comment_id; }
template <class Change>
const std::string& ArticleIdOf(const Change& change) {
  return change.comment.article_id;
}
template <class Change>
const std::string& TargetIdOf(const Change& change) {
  return change.comment.comment_id;
}

bool ShowsOrHides(const NewComment&, const LockedArticle&) { return false; }
bool ShowsOrHides(const CommentEdit&, const LockedArticle& article) {
  return article.comment_policy == v1::COMMENT_POLICY_PREMODERATED;
}
bool ShowsOrHides(const CommentDeletion&, const LockedArticle&) { return true; }
bool ShowsOrHides(const CommentModeration&, const LockedArticle&) { return true; }
bool ShowsOrHides(const CommentReport&, const LockedArticle&) { return true; }

// A repeated report is found by its reader, not by an id.
const RequestKey& RequestKeyOf(const CommentReport&) {
  static const RequestKey none;
  return none;
}
template <class Change>
const RequestKey& RequestKeyOf(const Change& change) {
  return change.request;
}

// Returns the answer to an earlier call with the same request; nullopt if there was none.
absl::StatusOr<std::optional<v1::Comment>> ReplayIfDone(const WriteScope& scope,
                                                        const RequestKey& request) {
  const auto past = scope.requests.Find(scope.article.key, request);
  if (!past.ok()) return past.status();
  if (!*past) return std::nullopt;
  absl::StatusOr<v1::Comment> replay = Replay(scope, **past);
  if (!replay.ok()) return replay.status();
  return *std::move(replay);
}

// Turns the comment, as it was or would be written, into the answer to a write.
v1::Comment AnswerTo(const WriteScope&, const NewComment& write, v1::Comment comment) {
  return write.validate_only ? PreviewOfNew(std::move(comment)) : std::move(comment);
}
v1::Comment AnswerTo(const WriteScope&, const CommentEdit& write, v1::Comment comment) {
  return write.validate_only ? PreviewOfEdit(std::move(comment)) : std::move(comment);
}
v1::Comment AnswerTo(const WriteScope& scope, const CommentModeration& write, v1::Comment comment) {
  comment.set_report_count(scope.reports.CountOf({scope.article.key, write.comment.comment_id}));
  return comment;
}
template <class Change>
v1::Comment AnswerTo(const WriteScope&, const Change&, v1::Comment comment) {
  return comment;
}

}  // namespace

const std::string& ArticleOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const std::string& { return ArticleIdOf(it); }, change);
}

const RequestKey& RequestOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const RequestKey& { return RequestKeyOf(it); }, change);
}

bool IsDryRun(const CommentChange& change) {
  const auto* const added = std::get_if<NewComment>(&change);
  const auto* const edit = std::get_if<CommentEdit>(&change);
  return (added != nullptr && added->validate_only) || (edit != nullptr && edit->validate_only);
}

const std::string& TargetOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const std::string& { return TargetIdOf(it); }, change);
}

bool MayShowOrHide(const CommentChange& change, const LockedArticle& article) {
  return std::visit([&](const auto& it) { return ShowsOrHides(it, article); }, change);
}

std::string AuthorOf(const CommentChange& change, const LockedArticle& article,
                     const CommentTree& comments) {
  if (const auto* const added = std::get_if<NewComment>(&change)) return added->author.id();
  if (!std::holds_alternative<CommentEdit>(change)) return "";
  const StoredComment* const edited = comments.Find(article, TargetOf(change));
  return edited == nullptr ? "" : edited->message.author().id();
}

absl::StatusOr<v1::Comment> WriteComment(const WriteScope& scope, CommentChange& change) {
  absl::StatusOr<std::optional<v1::Comment>> replay = ReplayIfDone(scope, RequestOf(change));
  if (!replay.ok()) return replay.status();
  return std::visit(
      [&](auto& it) -> absl::StatusOr<v1::Comment> {
        absl::StatusOr<v1::Comment> written = *replay ? **std::move(replay) : Write(scope, it);
        if (!written.ok()) return written;
        return AnswerTo(scope, it, *std::move(written));
      },
      change);
}

}  // namespace content::store
