#include "store/articles/write.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/message_differencer.h"
#include "store/columns.h"
#include "store/names.h"

namespace content::store {
namespace {

using google::protobuf::util::MessageDifferencer;

// What a row of article_label takes with its indexes. A batch holds it as text.
constexpr size_t kLabelBytes = 300;

// Compares articles, but not these fields, nor those that a publisher does not set.
bool AreSame(const v1::Article& stored, const v1::Article& published,
             std::initializer_list<int> ignored_fields) {
  MessageDifferencer differencer;
  const auto ignore = [&differencer](int field) {
    differencer.IgnoreField(v1::Article::descriptor()->FindFieldByNumber(field));
  };
  for (const int field :
       {v1::Article::kUpdateTimeFieldNumber, v1::Article::kCommentCountFieldNumber,
        v1::Article::kRevisionFieldNumber, v1::Article::kEtagFieldNumber}) {
    ignore(field);
  }
  for (const int field : ignored_fields) ignore(field);
  return differencer.Compare(stored, published);
}

// Returns whether all fields that a publisher sets are equal.
bool HaveSameContent(const v1::Article& stored, const v1::Article& published) {
  return AreSame(stored, published, {});
}

// Returns whether all of them except publish time and comment policy are equal.
bool HaveSameText(const v1::Article& stored, const v1::Article& published) {
  return AreSame(stored, published,
                 {v1::Article::kPublishTimeFieldNumber, v1::Article::kCommentPolicyFieldNumber});
}

// Fills in the fields that the publisher left unset, and the comment count. `stored` is the
// previous article, or nullptr.
void FillIn(const v1::Article* stored, absl::Time now, v1::Article& article) {
  article.set_comment_count(stored != nullptr ? stored->comment_count() : 0);
  if (!article.has_publish_time()) {
    *article.mutable_publish_time() = stored != nullptr ? stored->publish_time() : ToTimestamp(now);
  }
  if (article.comment_policy() == v1::COMMENT_POLICY_UNSPECIFIED) {
    article.set_comment_policy(stored != nullptr ? stored->comment_policy()
                                                 : v1::COMMENT_POLICY_OPEN);
  }
}

const v1::Article* StoredIn(const ArticleDraft& draft) {
  return draft.article ? &*draft.article : nullptr;
}

// Returns whether an article that is not retracted is scheduled after a write. Readers who see it
// keep seeing it, even if the clock goes back, unless its time is changed.
bool IsScheduled(const ArticleDraft& draft, const v1::Article& article) {
  const v1::Article* const stored = StoredIn(draft);
  const absl::Time publish_time = FromTimestamp(article.publish_time());
  const bool stays_readable = stored != nullptr && draft.locked.readable &&
                              FromTimestamp(stored->publish_time()) == publish_time;
  return !stays_readable && publish_time > draft.locked.now;
}

// Gives a new text the article's revision as its etag, and an update_time. The latter never goes
// back, even if the database's clock does.
void StampText(const v1::Article* stored, absl::Time time, v1::Article& article) {
  article.set_etag(absl::StrCat(article.revision()));
  const absl::Time update_time =
      stored == nullptr ? time : std::max(time, FromTimestamp(stored->update_time()));
  *article.mutable_update_time() = ToTimestamp(update_time);
}

// Puts the article, of which the fields that a publisher sets are filled in, in place of the one in
// the draft. `time` is that of its text, if this is new.
void Replace(ArticleDraft& draft, v1::Article article, bool retracted, absl::Time time) {
  const v1::Article* const stored = StoredIn(draft);
  LockedArticle& locked = draft.locked;
  const bool scheduled = !retracted && IsScheduled(draft, article);
  locked.changed = true;
  article.set_revision(++locked.revision);
  if (stored == nullptr || !HaveSameText(*stored, article)) {
    StampText(stored, time, article);
    draft.has_new_text = true;
  } else {
    article.set_etag(stored->etag());
    *article.mutable_update_time() = stored->update_time();
  }
  draft.has_new_labels = true;
  if (!retracted) draft.search = ArticleDraft::Search::kIndex;
  locked.retracted = retracted;
  locked.readable = !retracted && !scheduled;
  locked.comment_policy = article.comment_policy();
  draft.article = std::move(article);
}

// ---- Publish ----

// What became of an article elsewhere; of one that was not there, what publishing means.
ArticleRestoration RestorationIn(const PublishOptions& options) {
  return options.restoration.value_or(ArticleRestoration());
}

// Returns what a publication would do; an error if it may not.
absl::StatusOr<v1::PublishOutcome> OutcomeOf(const ArticleDraft& draft, const v1::Article& article,
                                             const PublishOptions& options) {
  const v1::Article* const stored = StoredIn(draft);
  if (stored == nullptr) {
    if (!article.etag().empty()) return EtagMismatch(article.name());
    return v1::PUBLISH_OUTCOME_CREATED;
  }
  const bool same = HaveSameContent(*stored, article);
  const bool is_retracted = draft.locked.retracted;
  const bool stays_retracted = RestorationIn(options).retracted;
  // Before any check, so that a repeated call succeeds.
  if (same && is_retracted == stays_retracted) return v1::PUBLISH_OUTCOME_UNCHANGED;
  // What was retracted does not come back because its file is imported again.
  const bool is_kept_back = is_retracted && options.imported && !stays_retracted;
  const bool would_replace = !same || stays_retracted;
  if (is_kept_back || (would_replace && !options.may_replace)) return ArticleExists(article.name());
  if (!article.etag().empty() && stored->etag() != article.etag()) {
    return EtagMismatch(article.name());
  }
  return v1::PUBLISH_OUTCOME_REPLACED;
}

// Returns those of `wanted` that the article does not have yet.
absl::StatusOr<std::set<std::string>> NewNames(const ArticleScope& scope,
                                               const std::vector<std::string>& wanted) {
  if (wanted.empty()) return std::set<std::string>();
  const LockedArticle& locked = scope.draft.locked;
  std::set<std::string> names(wanted.begin(), wanted.end());
  names.erase(locked.name);
  std::vector<std::string> former_names;
  if (locked.revision > 0) {
    former_names = ReadFormerNames(scope.transaction, {{locked.key, locked.name}})[locked.key];
  }
  for (const std::string& name : former_names) names.erase(name);
  if (!names.empty() && former_names.size() + names.size() > kMaxFormerNames) {
    return InvalidField("former_names",
                        absl::StrCat("would exceed the limit of ", kMaxFormerNames));
  }
  return names;
}

// Returns those of `names` that articles have or had.
std::vector<std::string> TakenNames(const ArticleScope& scope, const std::set<std::string>& names) {
  std::vector<std::string> taken;
  if (names.empty()) return taken;
  for (const auto& [name, key] : ReadKeys(scope.transaction, {names.begin(), names.end()})) {
    taken.push_back(name);
  }
  return taken;
}

absl::StatusOr<PublishedArticle> Write(const ArticleScope& scope, const Publication& publication) {
  ArticleDraft& draft = scope.draft;
  LockedArticle& locked = draft.locked;
  const PublishOptions& options = publication.options;
  v1::Article article = publication.article;
  article.set_name(ArticleName(locked.name));
  FillIn(StoredIn(draft), locked.now, article);
  const absl::StatusOr<v1::PublishOutcome> outcome = OutcomeOf(draft, article, options);
  if (!outcome.ok()) return outcome.status();
  const absl::StatusOr<std::set<std::string>> names = NewNames(scope, options.former_names);
  if (!names.ok()) return names.status();
  if (options.validate_only) {
    return PublishedArticle{std::move(article), *outcome, TakenNames(scope, *names)};
  }
  PublishedArticle published;
  published.outcome = *outcome;
  const bool unchanged = *outcome == v1::PUBLISH_OUTCOME_UNCHANGED;
  if (!unchanged) {
    const ArticleRestoration restoration = RestorationIn(options);
    Replace(draft, std::move(article), restoration.retracted,
            std::min(restoration.update_time, locked.now));
  }
  published.names_of_others = TakeNames(scope.transaction, *names, locked.key);
  if (unchanged && published.names_of_others.size() < names->size()) {
    locked.changed = true;
    draft.article->set_revision(++locked.revision);
    published.outcome = v1::PUBLISH_OUTCOME_REPLACED;
  }
  published.article = *draft.article;
  return published;
}

// ---- Update ----

absl::StatusOr<PublishedArticle> Write(const ArticleScope& scope, const ArticleEdit& edit) {
  ArticleDraft& draft = scope.draft;
  v1::Article article = *draft.article;
  if (absl::Status status = MergeArticle(edit.article, edit.paths, article); !status.ok()) {
    return status;
  }
  FillIn(&*draft.article, draft.locked.now, article);
  if (HaveSameContent(*draft.article, article)) return PublishedArticle{*draft.article};
  if (!edit.article.etag().empty() && edit.article.etag() != draft.article->etag()) {
    return EtagMismatch(ArticleName(edit.id));
  }
  if (edit.validate_only) return PublishedArticle{std::move(article)};
  Replace(draft, std::move(article), draft.locked.retracted, draft.locked.now);
  return PublishedArticle{*draft.article};
}

// ---- Rename ----

absl::Status CheckRename(const ArticleScope& scope, const ArticleRename& renaming) {
  const LockedArticle& locked = scope.draft.locked;
  if (!renaming.etag.empty() && renaming.etag != scope.draft.article->etag()) {
    return EtagMismatch(ArticleName(renaming.id));
  }
  const std::vector<std::string> former_names =
      ReadFormerNames(scope.transaction, {{locked.key, locked.name}})[locked.key];
  if (former_names.size() >= kMaxFormerNames &&
      std::count(former_names.begin(), former_names.end(), renaming.new_id) == 0) {
    return InvalidField("new_name", absl::StrCat("would exceed the limit of ", kMaxFormerNames,
                                                 " former names: reuse one of them"));
  }
  return absl::OkStatus();
}

// Gives the article a new name, which it may have had before.
absl::StatusOr<PublishedArticle> Write(const ArticleScope& scope, const ArticleRename& renaming) {
  ArticleDraft& draft = scope.draft;
  LockedArticle& locked = draft.locked;
  if (locked.name == renaming.new_id) return PublishedArticle{*draft.article};
  if (absl::Status status = CheckRename(scope, renaming); !status.ok()) return status;
  if (!TakeName(scope.transaction, renaming.new_id, locked.key)) {
    return NameTaken(ArticleName(renaming.new_id));
  }
  locked.name = renaming.new_id;
  locked.changed = true;
  draft.article->set_name(ArticleName(locked.name));
  draft.article->set_revision(++locked.revision);
  return PublishedArticle{*draft.article};
}

// ---- Retract ----

PublishedArticle OnlyRevision(int64_t revision) {
  PublishedArticle retracted;
  retracted.article.set_revision(revision);
  return retracted;
}

absl::StatusOr<PublishedArticle> Write(const ArticleScope& scope,
                                       const ArticleRetraction& retraction) {
  ArticleDraft& draft = scope.draft;
  LockedArticle& locked = draft.locked;
  if (locked.retracted) return OnlyRevision(draft.article->revision());
  if (!retraction.etag.empty() && draft.article->etag() != retraction.etag) {
    return EtagMismatch(ArticleName(retraction.id));
  }
  locked.retracted = true;
  locked.readable = false;
  locked.changed = true;
  draft.article->set_revision(++locked.revision);
  draft.search = ArticleDraft::Search::kRemove;
  return OnlyRevision(locked.revision);
}

// ---- All writes ----

const std::string& IdOf(const auto& write) { return write.id; }

const RequestKey& RequestIn(const Publication& publication) { return publication.options.request; }
const RequestKey& RequestIn(const auto& write) { return write.request; }

v1::AuditAction ActionOf(const Publication& publication) {
  return publication.options.imported ? v1::AUDIT_ACTION_IMPORT_ARTICLE
                                      : v1::AUDIT_ACTION_PUBLISH_ARTICLE;
}
v1::AuditAction ActionOf(const ArticleEdit&) { return v1::AUDIT_ACTION_UPDATE_ARTICLE; }
v1::AuditAction ActionOf(const ArticleRename&) { return v1::AUDIT_ACTION_RENAME_ARTICLE; }
v1::AuditAction ActionOf(const ArticleRetraction&) { return v1::AUDIT_ACTION_RETRACT_ARTICLE; }

// Adds the event of a write that has changed the article.
void Audit(const ArticleScope& scope, const ArticleWrite& write, v1::PublishOutcome outcome,
           const std::string& previous_name) {
  LockedArticle& locked = scope.draft.locked;
  AuditEvent event =
      EventAbout(locked, std::visit([](const auto& it) { return ActionOf(it); }, write));
  event.outcome = outcome;
  if (locked.name != previous_name) event.previous_name = previous_name;
  scope.audit.Add(scope.caller, event);
}

// Returns the answer to an earlier call with the same request; nullopt if there was none. It is the
// article in its current state, but to a retraction the revision that the first call returned.
absl::StatusOr<std::optional<PublishedArticle>> ReplayIfDone(const ArticleScope& scope,
                                                             const ArticleWrite& write) {
  const auto past = scope.requests.Find(scope.draft.locked.key, RequestOf(write));
  if (!past.ok()) return past.status();
  if (!*past) return std::nullopt;
  if (std::holds_alternative<ArticleRetraction>(write)) return OnlyRevision((*past)->revision);
  return PublishedArticle{scope.draft.article.value(), (*past)->outcome};
}

// The answer to a validated write.
PublishedArticle Preview(PublishedArticle published) {
  published.article.clear_update_time();
  published.article.clear_revision();
  published.article.clear_etag();
  published.outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED;
  return published;
}

// Turns the article, as it was or would be written, into the answer to a write.
PublishedArticle AnswerTo(const ArticleWrite& write, PublishedArticle published) {
  if (IsDryRun(write)) return Preview(std::move(published));
  if (std::holds_alternative<ArticleRename>(write)) {
    published.article.clear_body();
    published.article.clear_sections();
  }
  return published;
}

}  // namespace

const std::string& ArticleOf(const ArticleWrite& write) {
  return std::visit([](const auto& it) -> const std::string& { return IdOf(it); }, write);
}

const RequestKey& RequestOf(const ArticleWrite& write) {
  return std::visit([](const auto& it) -> const RequestKey& { return RequestIn(it); }, write);
}

bool IsDryRun(const ArticleWrite& write) {
  const auto* const publication = std::get_if<Publication>(&write);
  const auto* const edit = std::get_if<ArticleEdit>(&write);
  return (publication != nullptr && publication->options.validate_only) ||
         (edit != nullptr && edit->validate_only);
}

bool WouldCreate(const ArticleWrite& write) {
  const auto* const publication = std::get_if<Publication>(&write);
  return publication != nullptr && !publication->options.validate_only &&
         publication->article.etag().empty();
}

size_t SizeOf(const v1::Article& article) {
  const size_t labels = (static_cast<size_t>(article.authors_size()) + 1) *
                        (static_cast<size_t>(article.tags_size()) + 1);
  return article.ByteSizeLong() + labels * kLabelBytes;
}

size_t SizeOf(const ArticleWrite& write) {
  if (const auto* it = std::get_if<Publication>(&write)) return SizeOf(it->article);
  if (const auto* it = std::get_if<ArticleEdit>(&write)) return SizeOf(it->article);
  return 0;
}

absl::StatusOr<PublishedArticle> ApplyWrite(const ArticleScope& scope, const ArticleWrite& write) {
  const bool exists = scope.draft.article.has_value();
  if (!exists && !std::holds_alternative<Publication>(write)) {
    return ArticleNotFound(ArticleName(ArticleOf(write)));
  }
  absl::StatusOr<std::optional<PublishedArticle>> replay = ReplayIfDone(scope, write);
  if (!replay.ok()) return replay.status();
  if (*replay) return AnswerTo(write, **std::move(replay));
  const int64_t previous_revision = scope.draft.locked.revision;
  const std::string previous_name = scope.draft.locked.name;
  absl::StatusOr<PublishedArticle> published =
      std::visit([&scope](const auto& it) { return Write(scope, it); }, write);
  if (!published.ok()) return published;
  if (scope.draft.locked.revision != previous_revision) {
    Audit(scope, write, published->outcome, previous_name);
  }
  if (!IsDryRun(write)) {
    scope.requests.Record(scope.draft.locked, RequestOf(write), "", published->outcome);
  }
  return AnswerTo(write, *std::move(published));
}

}  // namespace content::store
