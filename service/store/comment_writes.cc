#include "store/comment_writes.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/time_util.h"
#include "store/lock.h"
#include "store/requests.h"
#include "store/rows.h"
#include "store/threads.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

// $1 article key, $2 comment id, $3 parent id or '', $4 depth, $5 state, $6 author id, $7 display
// name, $8 body, $9 time, $10 the article's new revision, $11 1 if readers see it, else 0,
// $12 request id or '', $13 fingerprint (hex).
constexpr char kInsertComment[] = R"sql(
WITH parent AS (
  SELECT thread_key FROM comment WHERE article_id = $1 AND comment_id = NULLIF($3, '')::uuid
), added AS (
  INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                       author_display_name, body, reply_count, edit_count, create_time, update_time,
                       revision, text_revision, shown, ever_shown)
  VALUES ($1, $2::uuid, NULLIF($3, '')::uuid,
          coalesce((SELECT thread_key FROM parent), ''::bytea) || uuid_send($2::uuid),
          $4::smallint, $5::smallint, $6, $7, $8, 0, 0, $9::timestamptz, $9::timestamptz,
          $10::bigint, $10::bigint, $11::integer = 1, $11::integer = 1)
), counted AS (
  UPDATE article_state SET revision = $10::bigint, comment_count = comment_count + $11::integer
  WHERE article_id = $1
), answered AS (
  UPDATE comment SET reply_count = reply_count + 1, revision = $10::bigint
  WHERE article_id = $1 AND comment_id = NULLIF($3, '')::uuid AND $11::integer = 1
)
INSERT INTO request (article_id, request_id, fingerprint, comment_id, revision, outcome, create_time)
SELECT $1, NULLIF($12, '')::uuid, decode($13, 'hex'), $2::uuid, $10::bigint, 0, $9::timestamptz
WHERE $12 <> ''
)sql";

std::string NameOf(const CommentRef& comment) {
  return CommentName(comment.article_id, comment.comment_id);
}

v1::Comment WithArticleRevision(v1::Comment comment, int64_t revision) {
  comment.set_article_revision(revision);
  return comment;
}

// The comment as it stands by now, as its writer may see it whatever its state. The revision is
// that of the first answer: who has seen it has seen the write.
absl::StatusOr<v1::Comment> Replay(Transaction& transaction, const LockedArticle& article,
                                   const PastRequest& past) {
  const std::optional<StoredComment> comment = FindComment(transaction, article, past.comment_id);
  if (!comment) return CommentNotFound(CommentName(article.name, past.comment_id));
  return WithArticleRevision(comment->message, past.revision);
}

// ---- Create ----

absl::StatusOr<int> DepthBelow(Transaction& transaction, const LockedArticle& article,
                               const NewComment& comment) {
  if (comment.reply_to_id.empty()) return 0;
  const std::optional<StoredComment> parent =
      FindComment(transaction, article, comment.reply_to_id);
  if (!parent || parent->message.state() != v1::COMMENT_STATE_VISIBLE) {
    return CommentNotFound(CommentName(article.name, comment.reply_to_id));
  }
  if (parent->message.depth() >= kMaxThreadDepth) return ThreadTooDeep(kMaxThreadDepth);
  return parent->message.depth() + 1;
}

v1::Comment NewMessage(const NewComment& comment, const LockedArticle& article, int depth,
                       v1::CommentState state, int64_t revision) {
  v1::Comment message;
  message.set_name(CommentName(article.name, comment.comment_id));
  *message.mutable_author() = comment.author;
  message.set_body(comment.body);
  if (!comment.reply_to_id.empty()) {
    message.set_reply_to(CommentName(article.name, comment.reply_to_id));
  }
  message.set_depth(depth);
  message.set_state(state);
  *message.mutable_create_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(comment.create_time));
  *message.mutable_update_time() = message.create_time();
  message.set_revision(revision);
  message.set_etag(absl::StrCat(revision));
  message.set_article_revision(revision);
  return message;
}

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
absl::StatusOr<std::optional<v1::Comment>> FindCreated(Transaction& transaction,
                                                       const LockedArticle& article,
                                                       const NewComment& comment, int attempt) {
  const auto past = FindRequest(transaction, article.id, comment.request);
  if (!past.ok()) return past.status();
  if (*past) {
    absl::StatusOr<v1::Comment> replay = Replay(transaction, article, **past);
    if (!replay.ok()) return replay.status();
    return *std::move(replay);
  }
  if (attempt == 1) return std::nullopt;
  const std::optional<StoredComment> created =
      FindComment(transaction, article, comment.comment_id);
  if (!created) return std::nullopt;
  return WithArticleRevision(created->message, article.revision);
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

}  // namespace

absl::StatusOr<v1::Comment> CreateComment(Connection& connection, const NewComment& comment,
                                          int attempt) {
  Transaction transaction(connection);
  const std::optional<LockedArticle> article =
      LockArticle(transaction, comment.article_id, comment.create_time);
  if (!article) return ArticleNotFound(ArticleName(comment.article_id));

  // Before anything that may have changed since it was added.
  auto created = FindCreated(transaction, *article, comment, attempt);
  if (!created.ok()) return created.status();
  if (*created) {
    return comment.validate_only ? PreviewOfNew(**std::move(created)) : **std::move(created);
  }

  if (!article->readable) return ArticleNotFound(ArticleName(comment.article_id));
  if (article->comment_policy == v1::COMMENT_POLICY_CLOSED) {
    return CommentsClosed(ArticleName(article->name));
  }
  const absl::StatusOr<int> depth = DepthBelow(transaction, *article, comment);
  if (!depth.ok()) return depth.status();
  const v1::CommentState state = article->comment_policy == v1::COMMENT_POLICY_PREMODERATED
                                     ? v1::COMMENT_STATE_PENDING
                                     : v1::COMMENT_STATE_VISIBLE;
  const int64_t revision = article->revision + 1;
  v1::Comment message = NewMessage(comment, *article, *depth, state, revision);
  if (comment.validate_only) return PreviewOfNew(std::move(message));

  transaction.Exec(kInsertComment, article->id, comment.comment_id, comment.reply_to_id, *depth,
                   static_cast<int>(state), comment.author.id(), comment.author.display_name(),
                   comment.body, TimeParameter(comment.create_time), revision,
                   state == v1::COMMENT_STATE_VISIBLE ? 1 : 0, comment.request.id,
                   comment.request.fingerprint);
  transaction.Commit();
  return message;
}

absl::StatusOr<v1::Comment> UpdateComment(Connection& connection, const CommentEdit& edit) {
  const absl::Time now = absl::Now();
  Transaction transaction(connection);
  std::optional<LockedArticle> article = LockArticle(transaction, edit.comment.article_id, now);
  if (!article) return ArticleNotFound(ArticleName(edit.comment.article_id));
  const auto past = FindRequest(transaction, article->id, edit.request);
  if (!past.ok()) return past.status();
  if (*past) {
    absl::StatusOr<v1::Comment> replay = Replay(transaction, *article, **past);
    if (!replay.ok() || !edit.validate_only) return replay;
    return PreviewOfEdit(*std::move(replay));
  }
  if (!article->readable) return ArticleNotFound(ArticleName(edit.comment.article_id));

  const auto comment = FindComment(transaction, *article, edit.comment.comment_id);
  if (!comment) return CommentNotFound(NameOf(edit.comment));
  if (absl::Status status = CheckEditable(comment->message, NameOf(edit.comment)); !status.ok()) {
    return status;
  }
  v1::Comment changed = Edited(comment->message, edit, article->comment_policy);
  const bool same = SameText(comment->message, changed);
  if (same) changed = comment->message;
  if (!same && !edit.etag.empty() && edit.etag != comment->message.etag()) {
    return EtagMismatch(NameOf(edit.comment));
  }
  if (edit.validate_only) return PreviewOfEdit(std::move(changed));
  if (!same) WriteComment(transaction, *comment, now, *article, changed);
  RecordRequest(transaction, *article, edit.request, comment->id);
  transaction.Commit();
  return WithArticleRevision(std::move(changed), article->revision);
}

absl::StatusOr<int64_t> DeleteComment(Connection& connection, const CommentDeletion& deletion) {
  const absl::Time now = absl::Now();
  const CommentRef& reference = deletion.comment;
  Transaction transaction(connection);
  std::optional<LockedArticle> article = LockArticle(transaction, reference.article_id, now);
  if (!article) return ArticleNotFound(ArticleName(reference.article_id));
  const auto past = FindRequest(transaction, article->id, deletion.request);
  if (!past.ok()) return past.status();
  if (*past) return (*past)->revision;
  if (!article->readable) return ArticleNotFound(ArticleName(reference.article_id));

  const auto comment = FindComment(transaction, *article, reference.comment_id);
  if (!comment && !deletion.allow_missing) return CommentNotFound(NameOf(reference));
  if (comment && comment->message.state() != v1::COMMENT_STATE_DELETED) {
    if (!deletion.etag.empty() && deletion.etag != comment->message.etag()) {
      return EtagMismatch(NameOf(reference));
    }
    v1::Comment tombstone = Tombstone(comment->message);
    WriteComment(transaction, *comment, now, *article, tombstone);
  }
  RecordRequest(transaction, *article, deletion.request);
  transaction.Commit();
  return article->revision;
}

absl::StatusOr<v1::Comment> ModerateComment(Connection& connection,
                                            const CommentModeration& moderation) {
  const absl::Time now = absl::Now();
  const CommentRef& reference = moderation.comment;
  Transaction transaction(connection);
  std::optional<LockedArticle> article = LockArticle(transaction, reference.article_id, now);
  if (!article) return ArticleNotFound(ArticleName(reference.article_id));
  const auto past = FindRequest(transaction, article->id, moderation.request);
  if (!past.ok()) return past.status();
  if (*past) return Replay(transaction, *article, **past);

  const auto comment = FindComment(transaction, *article, reference.comment_id);
  if (!comment) return CommentNotFound(NameOf(reference));
  if (comment->message.state() == v1::COMMENT_STATE_DELETED) {
    return CommentDeleted(NameOf(reference));
  }
  v1::Comment changed = comment->message;
  if (changed.state() != moderation.state) {
    if (!moderation.etag.empty() && moderation.etag != changed.etag()) {
      return EtagMismatch(NameOf(reference));
    }
    changed.set_state(moderation.state);
    WriteComment(transaction, *comment, now, *article, changed);
  }
  RecordRequest(transaction, *article, moderation.request, comment->id);
  transaction.Commit();
  return WithArticleRevision(std::move(changed), article->revision);
}

}  // namespace content::store
