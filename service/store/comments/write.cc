#include "store/comments/write.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/time_util.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

std::string NameOf(const CommentRef& comment) {
  return CommentName(comment.article_id, comment.comment_id);
}

v1::Comment WithArticleRevision(v1::Comment comment, int64_t revision) {
  comment.set_article_revision(revision);
  return comment;
}

// The comment as it stands by now, as its writer may see it whatever its state. The revision is
// that of the first answer: who has seen it has seen the write.
absl::StatusOr<v1::Comment> Replay(const WriteScope& scope, const PastRequest& past) {
  const StoredComment* comment = scope.threads.Find(scope.article, past.comment_id);
  if (comment == nullptr) return CommentNotFound(CommentName(scope.article.name, past.comment_id));
  return WithArticleRevision(comment->message, past.revision);
}

// ---- Create ----

// What a comment would be if it were added; nothing that identifies it.
v1::Comment PreviewOfNew(v1::Comment message) {
  message.clear_name();
  message.clear_revision();
  message.clear_etag();
  message.clear_article_revision();
  return message;
}

// The comment that this very write added before: by the caller's request_id, or, in a second
// attempt after a commit whose outcome was not learnt, by its own id.
absl::StatusOr<std::optional<v1::Comment>> FindCreated(const WriteScope& scope,
                                                       const NewComment& comment) {
  const auto past = scope.requests.Find(scope.article.id, comment.request);
  if (!past.ok()) return past.status();
  if (*past) {
    absl::StatusOr<v1::Comment> replay = Replay(scope, **past);
    if (!replay.ok()) return replay.status();
    return *std::move(replay);
  }
  if (!scope.in_doubt) return std::nullopt;
  const StoredComment* created = scope.threads.Find(scope.article, comment.comment_id);
  if (created == nullptr) return std::nullopt;
  return WithArticleRevision(created->message, scope.article.revision);
}

// What a new comment answers, or null.
absl::StatusOr<const StoredComment*> FindParent(const WriteScope& scope,
                                                const NewComment& comment) {
  if (comment.reply_to_id.empty()) return nullptr;
  const StoredComment* parent = scope.threads.Find(scope.article, comment.reply_to_id);
  if (parent == nullptr || parent->message.state() != v1::COMMENT_STATE_VISIBLE) {
    return CommentNotFound(CommentName(scope.article.name, comment.reply_to_id));
  }
  if (parent->message.depth() >= kMaxThreadDepth) return ThreadTooDeep(kMaxThreadDepth);
  return parent;
}

v1::Comment NewMessage(const NewComment& comment, const LockedArticle& article,
                       const StoredComment* parent) {
  v1::Comment message;
  message.set_name(CommentName(article.name, comment.comment_id));
  *message.mutable_author() = comment.author;
  message.set_body(comment.body);
  if (parent != nullptr) {
    message.set_reply_to(CommentName(article.name, parent->id));
    message.set_depth(parent->message.depth() + 1);
  }
  message.set_state(article.comment_policy == v1::COMMENT_POLICY_PREMODERATED
                        ? v1::COMMENT_STATE_PENDING
                        : v1::COMMENT_STATE_VISIBLE);
  *message.mutable_create_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(comment.create_time));
  *message.mutable_update_time() = message.create_time();
  return message;
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const NewComment& comment) {
  LockedArticle& article = scope.article;
  // Before anything that may have changed since it was added.
  auto created = FindCreated(scope, comment);
  if (!created.ok()) return created.status();
  if (*created) {
    return comment.validate_only ? PreviewOfNew(**std::move(created)) : **std::move(created);
  }

  if (!article.readable) return ArticleNotFound(ArticleName(comment.article_id));
  if (article.comment_policy == v1::COMMENT_POLICY_CLOSED) {
    return CommentsClosed(ArticleName(article.name));
  }
  const absl::StatusOr<const StoredComment*> parent = FindParent(scope, comment);
  if (!parent.ok()) return parent.status();
  v1::Comment message = NewMessage(comment, article, *parent);
  if (comment.validate_only) return PreviewOfNew(std::move(message));

  const v1::Comment& added =
      scope.threads.Add(article, comment.comment_id, *parent, std::move(message));
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

// What a comment would be if it were changed.
v1::Comment PreviewOfEdit(v1::Comment comment) {
  comment.clear_update_time();
  comment.clear_revision();
  comment.clear_etag();
  comment.clear_article_revision();
  return comment;
}

absl::Status CheckEditable(const v1::Comment& comment, const std::string& name) {
  switch (comment.state()) {
    case v1::COMMENT_STATE_DELETED:
      return CommentDeleted(name);
    case v1::COMMENT_STATE_HIDDEN:
      return CommentHidden(name);
    default:
      return absl::OkStatus();
  }
}

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentEdit& edit) {
  LockedArticle& article = scope.article;
  const auto past = scope.requests.Find(article.id, edit.request);
  if (!past.ok()) return past.status();
  if (*past) {
    absl::StatusOr<v1::Comment> replay = Replay(scope, **past);
    if (!replay.ok() || !edit.validate_only) return replay;
    return PreviewOfEdit(*std::move(replay));
  }
  if (!article.readable) return ArticleNotFound(ArticleName(edit.comment.article_id));

  const StoredComment* comment = scope.threads.Find(article, edit.comment.comment_id);
  if (comment == nullptr) return CommentNotFound(NameOf(edit.comment));
  if (absl::Status status = CheckEditable(comment->message, NameOf(edit.comment)); !status.ok()) {
    return status;
  }
  v1::Comment changed = Edited(comment->message, edit, article.comment_policy);
  const bool same = SameText(comment->message, changed);
  if (same) changed = comment->message;
  if (!same && !edit.etag.empty() && edit.etag != comment->message.etag()) {
    return EtagMismatch(NameOf(edit.comment));
  }
  if (edit.validate_only) return PreviewOfEdit(std::move(changed));
  if (!same) changed = scope.threads.Change(article, comment->id, scope.now, std::move(changed));
  scope.requests.Record(article, edit.request, comment->id);
  return WithArticleRevision(std::move(changed), article.revision);
}

// ---- Delete ----

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentDeletion& deletion) {
  LockedArticle& article = scope.article;
  const CommentRef& reference = deletion.comment;
  const auto past = scope.requests.Find(article.id, deletion.request);
  if (!past.ok()) return past.status();
  if (*past) return WithArticleRevision({}, (*past)->revision);
  if (!article.readable) return ArticleNotFound(ArticleName(reference.article_id));

  const StoredComment* comment = scope.threads.Find(article, reference.comment_id);
  if (comment == nullptr && !deletion.allow_missing) return CommentNotFound(NameOf(reference));
  const bool is_there = comment != nullptr && comment->message.state() != v1::COMMENT_STATE_DELETED;
  if (is_there) {
    if (!deletion.etag.empty() && deletion.etag != comment->message.etag()) {
      return EtagMismatch(NameOf(reference));
    }
    scope.threads.Change(article, comment->id, scope.now, Tombstone(comment->message));
  }
  scope.requests.Record(article, deletion.request);
  return WithArticleRevision({}, article.revision);
}

// ---- Moderate ----

absl::StatusOr<v1::Comment> Write(const WriteScope& scope, const CommentModeration& moderation) {
  LockedArticle& article = scope.article;
  const CommentRef& reference = moderation.comment;
  const auto past = scope.requests.Find(article.id, moderation.request);
  if (!past.ok()) return past.status();
  if (*past) return Replay(scope, **past);

  const StoredComment* comment = scope.threads.Find(article, reference.comment_id);
  if (comment == nullptr) return CommentNotFound(NameOf(reference));
  if (comment->message.state() == v1::COMMENT_STATE_DELETED) {
    return CommentDeleted(NameOf(reference));
  }
  v1::Comment changed = comment->message;
  const bool same = changed.state() == moderation.state;
  if (!same) {
    if (!moderation.etag.empty() && moderation.etag != changed.etag()) {
      return EtagMismatch(NameOf(reference));
    }
    changed.set_state(moderation.state);
    changed = scope.threads.Change(article, comment->id, scope.now, std::move(changed));
  }
  scope.requests.Record(article, moderation.request, comment->id);
  return WithArticleRevision(std::move(changed), article.revision);
}

// ---- What the writes have in common ----

const std::string& Article(const NewComment& comment) { return comment.article_id; }
const std::string& Target(const NewComment& comment) { return comment.reply_to_id; }
template <class Change>
const std::string& Article(const Change& change) {
  return change.comment.article_id;
}
template <class Change>
const std::string& Target(const Change& change) {
  return change.comment.comment_id;
}

bool ShowsOrHides(const NewComment&, const LockedArticle&) { return false; }
bool ShowsOrHides(const CommentEdit&, const LockedArticle& article) {
  return article.comment_policy == v1::COMMENT_POLICY_PREMODERATED;
}
bool ShowsOrHides(const CommentDeletion&, const LockedArticle&) { return true; }
bool ShowsOrHides(const CommentModeration&, const LockedArticle&) { return true; }

}  // namespace

const std::string& ArticleOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const std::string& { return Article(it); }, change);
}

const RequestKey& RequestOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const RequestKey& { return it.request; }, change);
}

const std::string& TargetOf(const CommentChange& change) {
  return std::visit([](const auto& it) -> const std::string& { return Target(it); }, change);
}

bool MayShowOrHide(const CommentChange& change, const LockedArticle& article) {
  return std::visit([&](const auto& it) { return ShowsOrHides(it, article); }, change);
}

absl::StatusOr<v1::Comment> WriteComment(const WriteScope& scope, const CommentChange& change) {
  return std::visit([&](const auto& it) { return Write(scope, it); }, change);
}

}  // namespace content::store
