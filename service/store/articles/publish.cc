#include "store/articles/publish.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/message_differencer.h"
#include "store/articles/json.h"
#include "store/articles/search.h"
#include "store/columns.h"
#include "store/lock.h"
#include "store/request_log.h"

namespace content::store {
namespace {

using google::protobuf::util::MessageDifferencer;

// Selects the articles that meet a condition on `s`, whether readers see them or not.
std::string SelectArticle(absl::string_view condition) {
  return absl::StrCat("SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL), ", s.retracted, ",
                      kFormerNames,
                      " AS former_names FROM article_state s JOIN article a USING (article_id) "
                      "WHERE ",
                      condition);
}

// $1 name, $2 comment policy. Creates an article that has no text yet, unless an article has or had
// the name. Concurrent transactions with the same name wait here.
constexpr char kInsertArticleState[] = R"sql(
WITH named AS (
  INSERT INTO article_name (name, article_id) VALUES ($1, $1) ON CONFLICT DO NOTHING
  RETURNING article_id
)
INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy, publish_time,
                           retracted, scheduled, feed_position, published_position, ever_readable)
SELECT article_id, article_id, 0, 0, $2::smallint, now(), false, false, 0, 0, false FROM named
)sql";

// $1 article key, $2 new revision, $3 title, $4 structure (JSON, see ArticleStructure), $5 now,
// $6 language code, $7 summary, $8 body, $9 source URI, $10 word count. The update time never goes
// back, even if the database's clock does.
constexpr char kUpsertArticle[] = R"sql(
INSERT INTO article (article_id, text_revision, title, authors, sections, tags, update_time,
                     language_code, summary, body, source_uri, word_count)
VALUES ($1, $2::bigint, $3, coalesce($4::jsonb -> 'authors', '[]'),
        coalesce($4::jsonb -> 'sections', '[]'), coalesce($4::jsonb -> 'tags', '[]'),
        $5::timestamptz, $6, $7, $8, $9, $10::integer)
ON CONFLICT (article_id) DO UPDATE SET
  text_revision = excluded.text_revision, title = excluded.title, authors = excluded.authors,
  sections = excluded.sections, tags = excluded.tags,
  update_time = greatest(excluded.update_time, article.update_time),
  language_code = excluded.language_code, summary = excluded.summary, body = excluded.body,
  source_uri = excluded.source_uri, word_count = excluded.word_count
)sql";

// $1 article key, $2 name, $3 new revision, $4 comment policy, $5 publish time, $6 retracted, $7
// scheduled. Runs as late as possible, because no other article can be published from here to the
// commit.
constexpr char kUpdateArticleState[] = R"sql(
WITH feed AS (
  UPDATE article_feed SET position = position + 1 RETURNING position
)
UPDATE article_state s
SET name = $2, revision = $3::bigint, comment_policy = $4::smallint,
    publish_time = $5::timestamptz, retracted = $6::boolean, scheduled = $7::boolean,
    feed_position = feed.position,
    published_position = CASE WHEN NOT $6::boolean AND (s.revision = 0 OR s.retracted OR s.scheduled)
                              THEN feed.position ELSE s.published_position END,
    ever_readable = s.ever_readable OR (s.revision > 0 AND NOT s.retracted AND NOT s.scheduled)
FROM feed WHERE s.article_id = $1
RETURNING s.feed_position
)sql";

// $1 article key.
constexpr char kDeleteLabels[] = "DELETE FROM article_label WHERE article_id = $1";

// $1 article key, $2 publish time. Labels the article with its authors and tags as they are stored.
// Neither has a line break.
constexpr char kInsertLabels[] = R"sql(
INSERT INTO article_label (article_id, kind, value, publish_time)
SELECT a.article_id, label.kind, label.value, $2::timestamptz
FROM article a
CROSS JOIN LATERAL (
  WITH author (value) AS (
    SELECT coalesce(author ->> 'id', author ->> 'display_name')
    FROM jsonb_array_elements(a.authors) AS author
  ), tag (value) AS (
    SELECT tag FROM jsonb_array_elements_text(a.tags) AS tag
  )
  SELECT 'author', value FROM author
  UNION
  SELECT 'tag', value FROM tag
  UNION
  SELECT 'author and tag', author.value || E'\n' || tag.value FROM author, tag
) AS label (kind, value)
WHERE a.article_id = $1
)sql";

// The microseconds until the next scheduled article is due.
constexpr char kSelectNextDue[] = R"sql(
SELECT (extract(epoch FROM publish_time - now()) * 1000000)::bigint AS due_in
FROM article_state WHERE scheduled AND isfinite(publish_time) ORDER BY publish_time LIMIT 1
)sql";

// Locks the first scheduled article that is due, except those that others have locked: a single
// article must not hold up the schedule.
constexpr char kLockDue[] = R"sql(
SELECT article_id, (extract(epoch FROM publish_time) * 1000000)::bigint AS publish_micros
FROM article_state WHERE scheduled AND isfinite(publish_time) AND publish_time <= now()
ORDER BY publish_time LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)sql";

// $1 article key. The revision stays, because nothing that the article shows changes. Runs as late
// as possible, like kUpdateArticleState.
constexpr char kReleaseArticle[] = R"sql(
WITH feed AS (
  UPDATE article_feed SET position = position + 1 RETURNING position
)
UPDATE article_state s
SET scheduled = false, feed_position = feed.position, published_position = feed.position
FROM feed WHERE s.article_id = $1
RETURNING s.article_id, s.name, s.revision, s.comment_count, s.feed_position
)sql";

// $1 article key.
constexpr char kSelectReleased[] = R"sql(
SELECT article_id, name, revision, comment_count, feed_position
FROM article_state WHERE article_id = $1 AND NOT scheduled
)sql";

// When to look again if others have locked all articles that are due.
constexpr absl::Duration kLockedDelay = absl::Seconds(1);

// $1 name, $2 article key.
constexpr char kInsertName[] =
    "INSERT INTO article_name (name, article_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";

// $1 name.
constexpr char kSelectNamed[] = "SELECT article_id FROM article_name WHERE name = $1";

InspectedArticle ReadInspected(const postgres::Row& row) {
  InspectedArticle inspected{.article = ReadArticle(row, v1::ARTICLE_VIEW_FULL),
                             .retracted = row["retracted"].as<bool>()};
  for (const std::string& name : ReadArray(row["former_names"])) {
    inspected.former_names.push_back(ArticleName(name));
  }
  return inspected;
}

std::optional<InspectedArticle> FindArticle(postgres::Transaction& transaction,
                                            const std::string& key) {
  static const std::string statement = SelectArticle("s.article_id = $1");
  const postgres::Result rows = transaction.Exec(statement, key);
  if (rows.empty()) return std::nullopt;
  return ReadInspected(rows[0]);
}

v1::Article WithoutOutputFields(v1::Article article) {
  article.clear_update_time();
  article.clear_comment_count();
  article.clear_revision();
  article.clear_etag();
  return article;
}

// Returns whether all fields that a publisher sets are equal.
bool HaveSameContent(const v1::Article& stored, const v1::Article& published) {
  return MessageDifferencer::Equals(WithoutOutputFields(stored), WithoutOutputFields(published));
}

// Returns whether all of them except publish time and comment policy are equal.
bool HaveSameText(v1::Article stored, v1::Article published) {
  for (v1::Article* article : {&stored, &published}) {
    article->clear_publish_time();
    article->clear_comment_policy();
  }
  return HaveSameContent(stored, published);
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

// The answer to a validated write.
v1::Article Preview(v1::Article article) {
  article.clear_update_time();
  article.clear_revision();
  article.clear_etag();
  return article;
}

// One write of an article: Begin, change the article, Finish. Without Finish, nothing is changed.
class ArticleWrite {
 public:
  ArticleWrite(postgres::Connection& connection, const RequestKey& request)
      : transaction_(connection), request_(request) {}

  // Locks the article and looks for an earlier call with the same request. ARTICLE_NOT_FOUND;
  // REQUEST_ID_REUSED.
  absl::Status Begin(const std::string& id) {
    std::optional<LockedArticle> locked = LockArticle(transaction_, id);
    if (!locked) return ArticleNotFound(ArticleName(id));
    locked_ = *std::move(locked);
    absl::StatusOr<std::optional<PastRequest>> past =
        FindRequest(transaction_, locked_.id, request_);
    if (!past.ok()) return past.status();
    past_ = *std::move(past);
    return absl::OkStatus();
  }

  // Like Begin, but creates the article, still without text, if no article has the name.
  absl::Status BeginOrCreate(const std::string& name) {
    transaction_.Exec(kInsertArticleState, name, static_cast<int>(v1::COMMENT_POLICY_OPEN));
    return Begin(name);
  }

  // The record of an earlier call that did the work; nullopt if there is none.
  const std::optional<PastRequest>& past() const { return past_; }

  // Returns the stored article; nullopt if it has no text yet.
  std::optional<InspectedArticle> Find() { return FindArticle(transaction_, locked_.id); }

  // Commits, unless an earlier call did the work, and announces the article in either case: the
  // server that did the work may have died before it could.
  void Finish(const Announce& announce,
              v1::PublishOutcome outcome = v1::PUBLISH_OUTCOME_UNSPECIFIED) {
    if (!past_) CommitRequest(transaction_, locked_, request_, outcome);
    announce({NoticeOf(locked_)});
  }

  postgres::Transaction& transaction() { return transaction_; }
  LockedArticle& locked() { return locked_; }
  const LockedArticle& locked() const { return locked_; }
  absl::Time now() const { return locked_.now; }

 private:
  postgres::Transaction transaction_;
  const RequestKey& request_;
  LockedArticle locked_{};
  std::optional<PastRequest> past_;
};

// Why readers do not see an article. If neither is set, they see it.
struct Concealment {
  bool retracted = false;
  bool scheduled = false;
};

Concealment ConcealmentOf(const LockedArticle& article) {
  return {.retracted = article.retracted, .scheduled = !article.retracted && !article.readable};
}

// Returns whether an article that is not retracted is scheduled after a write. Readers who see it
// keep seeing it, even if the clock goes back, unless its time is changed.
bool IsScheduled(const ArticleWrite& write, const v1::Article* stored, const v1::Article& article) {
  const absl::Time publish_time = FromTimestamp(article.publish_time());
  const bool stays_readable = stored != nullptr && write.locked().readable &&
                              FromTimestamp(stored->publish_time()) == publish_time;
  return !stays_readable && publish_time > write.now();
}

// Writes the row of article_state at `locked().revision`.
void WriteState(ArticleWrite& write, const v1::Article& article, Concealment concealment) {
  LockedArticle& locked = write.locked();
  locked.changed = true;
  const postgres::Result rows =
      write.transaction().Exec(kUpdateArticleState, locked.id, locked.name, locked.revision,
                               static_cast<int>(article.comment_policy()),
                               TimeParameter(FromTimestamp(article.publish_time())),
                               concealment.retracted, concealment.scheduled);
  locked.version = rows[0]["feed_position"].as<int64_t>();
}

// Writes the article in place of `stored` (nullptr: there was none) and reads it back.
v1::Article WriteArticle(ArticleWrite& write, const v1::Article* stored, const v1::Article& article,
                         bool retracted) {
  postgres::Transaction& transaction = write.transaction();
  const std::string& key = write.locked().id;
  ++write.locked().revision;
  if (stored == nullptr || !HaveSameText(*stored, article)) {
    transaction.Exec(kUpsertArticle, key, write.locked().revision, article.title(),
                     ArticleStructure(article), TimeParameter(write.now()), article.language_code(),
                     article.summary(), article.body(), article.source_uri(), article.word_count());
  }
  const absl::Time publish_time = FromTimestamp(article.publish_time());
  transaction.Exec(kDeleteLabels, key);
  transaction.Exec(kInsertLabels, key, TimeParameter(publish_time));
  const bool scheduled = !retracted && IsScheduled(write, stored, article);
  if (!retracted) {
    IndexArticle(transaction, key, scheduled ? absl::InfiniteFuture() : publish_time, article);
  }
  WriteState(write, article, {.retracted = retracted, .scheduled = scheduled});
  return write.Find().value().article;
}

absl::StatusOr<PublishedArticle> Publish(ArticleWrite& write,
                                         const std::optional<InspectedArticle>& existing,
                                         v1::Article article, const PublishOptions& options) {
  const v1::Article* const stored = existing ? &existing->article : nullptr;
  const std::string etag = article.etag();
  article.set_name(ArticleName(write.locked().name));
  FillIn(stored, write.now(), article);
  const bool same = stored != nullptr && HaveSameContent(*stored, article);
  // Before any check, so that a repeated call succeeds.
  if (same && !existing->retracted) {
    return PublishedArticle{*stored, v1::PUBLISH_OUTCOME_UNCHANGED};
  }
  if (stored != nullptr && !same && !options.may_replace) return ArticleExists(article.name());
  if (!etag.empty() && (stored == nullptr || stored->etag() != etag)) {
    return EtagMismatch(article.name());
  }
  const auto outcome =
      stored != nullptr ? v1::PUBLISH_OUTCOME_REPLACED : v1::PUBLISH_OUTCOME_CREATED;
  if (options.validate_only) return PublishedArticle{std::move(article), outcome};
  return PublishedArticle{WriteArticle(write, stored, article, /*retracted=*/false), outcome};
}

absl::StatusOr<v1::Article> Update(ArticleWrite& write, const InspectedArticle& existing,
                                   const ArticleEdit& edit) {
  v1::Article article = existing.article;
  if (absl::Status status = MergeArticle(edit.article, edit.paths, article); !status.ok()) {
    return status;
  }
  FillIn(&existing.article, write.now(), article);
  if (HaveSameContent(existing.article, article)) return existing.article;
  if (!edit.article.etag().empty() && edit.article.etag() != existing.article.etag()) {
    return EtagMismatch(ArticleName(edit.id));
  }
  if (edit.validate_only) return article;
  return WriteArticle(write, &existing.article, article, existing.retracted);
}

// Gives the article a new name, which it may have had before.
absl::Status Rename(ArticleWrite& write, const ArticleRename& renaming,
                    InspectedArticle& existing) {
  LockedArticle& locked = write.locked();
  if (locked.name == renaming.new_id) return absl::OkStatus();
  v1::Article& article = existing.article;
  if (!renaming.etag.empty() && renaming.etag != article.etag()) {
    return EtagMismatch(ArticleName(renaming.id));
  }
  const std::vector<std::string>& former_names = existing.former_names;
  if (former_names.size() >= kMaxFormerNames &&
      std::count(former_names.begin(), former_names.end(), ArticleName(renaming.new_id)) == 0) {
    return InvalidField("new_name", absl::StrCat("would exceed the limit of ", kMaxFormerNames,
                                                 " former names: reuse one of them"));
  }
  write.transaction().Exec(kInsertName, renaming.new_id, locked.id);
  const postgres::Result named = write.transaction().Exec(kSelectNamed, renaming.new_id);
  if (named[0]["article_id"].c_str() != locked.id) return NameTaken(ArticleName(renaming.new_id));
  locked.name = renaming.new_id;
  ++locked.revision;
  WriteState(write, article, ConcealmentOf(locked));
  article.set_name(ArticleName(locked.name));
  article.set_revision(locked.revision);
  return absl::OkStatus();
}

absl::Status Retract(ArticleWrite& write, const ArticleRetraction& retraction) {
  if (write.locked().retracted) return absl::OkStatus();
  const v1::Article article = write.Find().value().article;
  if (!retraction.etag.empty() && article.etag() != retraction.etag) {
    return EtagMismatch(ArticleName(retraction.id));
  }
  UnindexArticle(write.transaction(), write.locked().id);
  ++write.locked().revision;
  WriteState(write, article, {.retracted = true});
  return absl::OkStatus();
}

ChangeNotice ReadNotice(const postgres::Row& row) {
  return {.state = {.article_id = row["article_id"].c_str(),
                    .revision = row["revision"].as<int64_t>(),
                    .comment_count = row["comment_count"].as<int64_t>(),
                    .version = row["feed_position"].as<int64_t>()},
          .name = row["name"].c_str()};
}

}  // namespace

absl::StatusOr<PublishedArticle> PublishArticle(postgres::Connection& connection,
                                                v1::Article article, const PublishOptions& options,
                                                const Announce& announce) {
  if (absl::Status status = CompleteArticle("article", article); !status.ok()) return status;
  ArticleWrite write(connection, options.request);
  const std::string name = ParseArticleName(article.name()).value();
  if (absl::Status status = write.BeginOrCreate(name); !status.ok()) return status;
  const std::optional<InspectedArticle> existing = write.Find();
  absl::StatusOr<PublishedArticle> published =
      write.past() ? PublishedArticle{existing.value().article, write.past()->outcome}
                   : Publish(write, existing, std::move(article), options);
  if (!published.ok()) return published;
  if (options.validate_only) return PublishedArticle{Preview(std::move(published->article)), {}};
  write.Finish(announce, published->outcome);
  return published;
}

absl::StatusOr<v1::Article> UpdateArticle(postgres::Connection& connection, const ArticleEdit& edit,
                                          const Announce& announce) {
  ArticleWrite write(connection, edit.request);
  if (absl::Status status = write.Begin(edit.id); !status.ok()) return status;
  const InspectedArticle existing = write.Find().value();
  absl::StatusOr<v1::Article> article =
      write.past() ? existing.article : Update(write, existing, edit);
  if (!article.ok()) return article;
  if (edit.validate_only) return Preview(*std::move(article));
  write.Finish(announce);
  return article;
}

absl::StatusOr<v1::Article> RenameArticle(postgres::Connection& connection,
                                          const ArticleRename& renaming, const Announce& announce) {
  ArticleWrite write(connection, renaming.request);
  if (absl::Status status = write.Begin(renaming.id); !status.ok()) return status;
  InspectedArticle existing = write.Find().value();
  if (!write.past()) {
    if (absl::Status status = Rename(write, renaming, existing); !status.ok()) return status;
  }
  write.Finish(announce);
  existing.article.clear_body();
  existing.article.clear_sections();
  return std::move(existing.article);
}

absl::StatusOr<int64_t> RetractArticle(postgres::Connection& connection,
                                       const ArticleRetraction& retraction,
                                       const Announce& announce) {
  ArticleWrite write(connection, retraction.request);
  if (absl::Status status = write.Begin(retraction.id); !status.ok()) return status;
  if (!write.past()) {
    if (absl::Status status = Retract(write, retraction); !status.ok()) return status;
  }
  write.Finish(announce);
  return write.past() ? write.past()->revision : write.locked().revision;
}

// Reads only article_state: an article that is damaged elsewhere does not hold up those behind it.
absl::StatusOr<absl::Duration> ReleaseNextArticle(postgres::Connection& connection,
                                                  std::optional<std::string>& attempt,
                                                  const Announce& announce) {
  if (attempt) {
    const postgres::Result released = connection.Read(kSelectReleased, *attempt);
    if (!released.empty()) announce({ReadNotice(released[0])});
    attempt.reset();
  }
  const postgres::Result next = connection.Read(kSelectNextDue);
  if (next.empty()) return absl::InfiniteDuration();
  const absl::Duration due_in = absl::Microseconds(next[0]["due_in"].as<int64_t>());
  if (due_in > absl::ZeroDuration()) return due_in;

  postgres::Transaction transaction(connection);
  const postgres::Result due = transaction.Exec(kLockDue);
  if (due.empty()) return kLockedDelay;
  const std::string key = due[0]["article_id"].c_str();
  ShowInSearch(transaction, key, absl::FromUnixMicros(due[0]["publish_micros"].as<int64_t>()));
  const postgres::Result released = transaction.Exec(kReleaseArticle, key);
  attempt = key;
  transaction.Commit();
  announce({ReadNotice(released[0])});
  return absl::ZeroDuration();
}

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                const std::string& id) {
  static const std::string statement = SelectArticle(IsNamed("$1"));
  const postgres::Result rows = connection.Read(statement, id);
  if (rows.empty()) return ArticleNotFound(ArticleName(id));
  return ReadInspected(rows[0]);
}

}  // namespace content::store
