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
#include "store/names.h"
#include "store/request_log.h"

namespace content::store {
namespace {

using google::protobuf::util::MessageDifferencer;

// $1 bucket, $2 article key. Selects the article, whether readers see it or not.
std::string SelectArticle() {
  return absl::StrCat(
      "SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL),
      ", s.retracted FROM article_state s JOIN article a USING (bucket, article_key) "
      "WHERE ",
      kIsArticle);
}

// $1 bucket, $2 article key, $3 name, $4 comment policy. Creates an article that has no text yet.
constexpr char kInsertArticleState[] = R"sql(
INSERT INTO article_state (bucket, article_key, name, first_name, revision, comment_count,
                           comment_policy, publish_time, retracted, scheduled, feed_position,
                           published_position, ever_readable)
VALUES ($1::smallint, $2::bigint, $3, $3, 0, 0, $4::smallint, now(), false, false, 0, 0, false)
)sql";

// $1 bucket, $2 article key, $3 new revision, $4 title, $5 structure (JSON, see ArticleStructure),
// $6 now, $7 language code, $8 summary, $9 body, $10 source URI, $11 word count. The update time
// never goes back, even if the database's clock does.
constexpr char kUpsertArticle[] = R"sql(
INSERT INTO article (bucket, article_key, text_revision, title, authors, sections, tags, update_time,
                     language_code, summary, body, source_uri, word_count)
VALUES ($1::smallint, $2::bigint, $3::bigint, $4, coalesce($5::jsonb -> 'authors', '[]'),
        coalesce($5::jsonb -> 'sections', '[]'), coalesce($5::jsonb -> 'tags', '[]'),
        $6::timestamptz, $7, $8, $9, $10, $11::integer)
ON CONFLICT (article_key, bucket) DO UPDATE SET
  text_revision = excluded.text_revision, title = excluded.title, authors = excluded.authors,
  sections = excluded.sections, tags = excluded.tags,
  update_time = greatest(excluded.update_time, article.update_time),
  language_code = excluded.language_code, summary = excluded.summary, body = excluded.body,
  source_uri = excluded.source_uri, word_count = excluded.word_count
)sql";

// $1 bucket, $2 article key, $3 name, $4 new revision, $5 comment policy, $6 publish time,
// $7 retracted, $8 scheduled. Runs as late as possible, because no other article can be published
// from here to the commit.
constexpr char kUpdateArticleState[] = R"sql(
WITH feed AS (
  UPDATE article_feed SET position = position + 1 RETURNING position
)
UPDATE article_state s
SET name = $3, revision = $4::bigint, comment_policy = $5::smallint,
    publish_time = $6::timestamptz, retracted = $7::boolean, scheduled = $8::boolean,
    feed_position = feed.position,
    published_position = CASE WHEN NOT $7::boolean AND (s.revision = 0 OR s.retracted OR s.scheduled)
                              THEN feed.position ELSE s.published_position END,
    ever_readable = s.ever_readable OR (s.revision > 0 AND NOT s.retracted AND NOT s.scheduled)
FROM feed WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
RETURNING s.feed_position
)sql";

// $1 bucket, $2 article key.
constexpr char kDeleteLabels[] =
    "DELETE FROM article_label WHERE bucket = $1::smallint AND article_key = $2::bigint";

// $1 bucket, $2 article key, $3 publish time. Labels the article with its authors and tags as they
// are stored. Neither has a line break.
constexpr char kInsertLabels[] = R"sql(
INSERT INTO article_label (bucket, article_key, kind, value, publish_time)
SELECT a.bucket, a.article_key, label.kind, label.value, $3::timestamptz
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
WHERE a.bucket = $1::smallint AND a.article_key = $2::bigint
)sql";

// The scheduled articles that are due first, with the microseconds until then.
constexpr char kSelectNextDue[] = R"sql(
SELECT article_key, (extract(epoch FROM publish_time - now()) * 1000000)::bigint AS due_in
FROM article_state WHERE scheduled AND isfinite(publish_time) ORDER BY publish_time LIMIT 20
)sql";

// $1 bucket, $2 article key. Locks the article if it is due and nobody else has locked it.
constexpr char kLockDue[] = R"sql(
SELECT (extract(epoch FROM s.publish_time) * 1000000)::bigint AS publish_micros
FROM article_state s
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
  AND s.scheduled AND isfinite(s.publish_time) AND s.publish_time <= now()
FOR NO KEY UPDATE SKIP LOCKED
)sql";

// $1 bucket, $2 article key. The revision stays, because nothing that the article shows changes.
// Runs as late as possible, like kUpdateArticleState.
constexpr char kReleaseArticle[] = R"sql(
WITH feed AS (
  UPDATE article_feed SET position = position + 1 RETURNING position
)
UPDATE article_state s
SET scheduled = false, feed_position = feed.position, published_position = feed.position
FROM feed WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
RETURNING s.first_name, s.name, s.revision, s.comment_count, s.feed_position
)sql";

// $1 bucket, $2 article key.
constexpr char kSelectReleased[] = R"sql(
SELECT s.first_name, s.name, s.revision, s.comment_count, s.feed_position
FROM article_state s
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint AND NOT s.scheduled
)sql";

// When to look again if others have locked all articles that are due.
constexpr absl::Duration kLockedDelay = absl::Seconds(1);

// Without former names.
InspectedArticle ReadInspected(const postgres::Row& row) {
  return {.article = ReadArticle(row, v1::ARTICLE_VIEW_FULL),
          .retracted = row["retracted"].as<bool>()};
}

std::optional<InspectedArticle> FindArticle(postgres::Transaction& transaction, ArticleKey key) {
  static const std::string statement = SelectArticle();
  const postgres::Result rows = transaction.Exec(statement, key.bucket(), key.value());
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
  ArticleWrite(postgres::Connection& connection, ArticleNames& names, const RequestKey& request)
      : transaction_(connection), names_(names), request_(request) {}

  // Locks the article and looks for an earlier call with the same request. ARTICLE_NOT_FOUND;
  // REQUEST_ID_REUSED.
  absl::Status Begin(const std::string& id) {
    const std::optional<ArticleKey> key = names_.Find(transaction_, id);
    if (!key) return ArticleNotFound(ArticleName(id));
    return BeginWith(*key, id);
  }

  // Like Begin, but creates the article, still without text, if no article has the name.
  absl::Status BeginOrCreate(const std::string& name) {
    if (absl::Status status = Begin(name); !absl::IsNotFound(status)) return status;
    const std::optional<ArticleKey> key = TakeName(transaction_, name);
    if (!key) return Begin(name);  // others have created it in the meantime
    transaction_.Exec(kInsertArticleState, key->bucket(), key->value(), name,
                      static_cast<int>(v1::COMMENT_POLICY_OPEN));
    return BeginWith(*key, name);
  }

  // The record of an earlier call that did the work; nullopt if there is none.
  const std::optional<PastRequest>& past() const { return past_; }

  // Returns the stored article; nullopt if it has no text yet.
  std::optional<InspectedArticle> Find() { return FindArticle(transaction_, locked_.key); }

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
  absl::Status BeginWith(ArticleKey key, const std::string& id) {
    std::optional<LockedArticle> locked = LockArticle(transaction_, key);
    if (!locked) return names_.NotFound(id);
    locked_ = *std::move(locked);
    absl::StatusOr<std::optional<PastRequest>> past = FindRequest(transaction_, key, request_);
    if (!past.ok()) return past.status();
    past_ = *std::move(past);
    return absl::OkStatus();
  }

  postgres::Transaction transaction_;
  ArticleNames& names_;
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
  const postgres::Result rows = write.transaction().Exec(
      kUpdateArticleState, locked.key.bucket(), locked.key.value(), locked.name, locked.revision,
      static_cast<int>(article.comment_policy()),
      TimeParameter(FromTimestamp(article.publish_time())), concealment.retracted,
      concealment.scheduled);
  locked.version = rows[0]["feed_position"].as<int64_t>();
}

// Writes the article in place of `stored` (nullptr: there was none) and reads it back.
v1::Article WriteArticle(ArticleWrite& write, const v1::Article* stored, const v1::Article& article,
                         bool retracted) {
  postgres::Transaction& transaction = write.transaction();
  const ArticleKey key = write.locked().key;
  ++write.locked().revision;
  if (stored == nullptr || !HaveSameText(*stored, article)) {
    transaction.Exec(kUpsertArticle, key.bucket(), key.value(), write.locked().revision,
                     article.title(), ArticleStructure(article), TimeParameter(write.now()),
                     article.language_code(), article.summary(), article.body(),
                     article.source_uri(), article.word_count());
  }
  const absl::Time publish_time = FromTimestamp(article.publish_time());
  transaction.Exec(kDeleteLabels, key.bucket(), key.value());
  transaction.Exec(kInsertLabels, key.bucket(), key.value(), TimeParameter(publish_time));
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
absl::Status Rename(ArticleWrite& write, const ArticleRename& renaming, v1::Article& article) {
  LockedArticle& locked = write.locked();
  if (locked.name == renaming.new_id) return absl::OkStatus();
  if (!renaming.etag.empty() && renaming.etag != article.etag()) {
    return EtagMismatch(ArticleName(renaming.id));
  }
  const std::vector<std::string> former_names =
      ReadFormerNames(write.transaction(), {{locked.key, locked.name}})[locked.key];
  if (former_names.size() >= kMaxFormerNames &&
      std::count(former_names.begin(), former_names.end(), renaming.new_id) == 0) {
    return InvalidField("new_name", absl::StrCat("would exceed the limit of ", kMaxFormerNames,
                                                 " former names: reuse one of them"));
  }
  if (!TakeName(write.transaction(), renaming.new_id, locked.key)) {
    return NameTaken(ArticleName(renaming.new_id));
  }
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
  UnindexArticle(write.transaction(), write.locked().key);
  ++write.locked().revision;
  WriteState(write, article, {.retracted = true});
  return absl::OkStatus();
}

ChangeNotice ReadNotice(const postgres::Row& row) {
  return {.state = {.article_id = row["first_name"].c_str(),
                    .revision = row["revision"].as<int64_t>(),
                    .comment_count = row["comment_count"].as<int64_t>(),
                    .version = row["feed_position"].as<int64_t>()},
          .name = row["name"].c_str()};
}

}  // namespace

absl::StatusOr<PublishedArticle> PublishArticle(postgres::Connection& connection,
                                                ArticleNames& names, v1::Article article,
                                                const PublishOptions& options,
                                                const Announce& announce) {
  if (absl::Status status = CompleteArticle("article", article); !status.ok()) return status;
  ArticleWrite write(connection, names, options.request);
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

absl::StatusOr<v1::Article> UpdateArticle(postgres::Connection& connection, ArticleNames& names,
                                          const ArticleEdit& edit, const Announce& announce) {
  ArticleWrite write(connection, names, edit.request);
  if (absl::Status status = write.Begin(edit.id); !status.ok()) return status;
  const InspectedArticle existing = write.Find().value();
  absl::StatusOr<v1::Article> article =
      write.past() ? existing.article : Update(write, existing, edit);
  if (!article.ok()) return article;
  if (edit.validate_only) return Preview(*std::move(article));
  write.Finish(announce);
  return article;
}

absl::StatusOr<v1::Article> RenameArticle(postgres::Connection& connection, ArticleNames& names,
                                          const ArticleRename& renaming, const Announce& announce) {
  ArticleWrite write(connection, names, renaming.request);
  if (absl::Status status = write.Begin(renaming.id); !status.ok()) return status;
  v1::Article article = write.Find().value().article;
  if (!write.past()) {
    if (absl::Status status = Rename(write, renaming, article); !status.ok()) return status;
  }
  write.Finish(announce);
  article.clear_body();
  article.clear_sections();
  return article;
}

absl::StatusOr<int64_t> RetractArticle(postgres::Connection& connection, ArticleNames& names,
                                       const ArticleRetraction& retraction,
                                       const Announce& announce) {
  ArticleWrite write(connection, names, retraction.request);
  if (absl::Status status = write.Begin(retraction.id); !status.ok()) return status;
  if (!write.past()) {
    if (absl::Status status = Retract(write, retraction); !status.ok()) return status;
  }
  write.Finish(announce);
  return write.past() ? write.past()->revision : write.locked().revision;
}

// Reads only article_state: an article that is damaged elsewhere does not hold up those behind it.
// Neither does one that others have locked: it is skipped.
absl::StatusOr<absl::Duration> ReleaseNextArticle(postgres::Connection& connection,
                                                  std::optional<ArticleKey>& attempt,
                                                  const Announce& announce) {
  if (attempt) {
    const postgres::Result released =
        connection.Read(kSelectReleased, attempt->bucket(), attempt->value());
    if (!released.empty()) announce({ReadNotice(released[0])});
    attempt.reset();
  }
  const postgres::Result next_due = connection.Read(kSelectNextDue);
  for (const auto& next : next_due) {
    const absl::Duration due_in = absl::Microseconds(next["due_in"].as<int64_t>());
    if (due_in > absl::ZeroDuration()) return due_in;
    const ArticleKey key = ReadKey(next["article_key"]);
    postgres::Transaction transaction(connection);
    const postgres::Result due = transaction.Exec(kLockDue, key.bucket(), key.value());
    if (due.empty()) continue;
    ShowInSearch(transaction, key, absl::FromUnixMicros(due[0]["publish_micros"].as<int64_t>()));
    const postgres::Result released = transaction.Exec(kReleaseArticle, key.bucket(), key.value());
    attempt = key;
    transaction.Commit();
    announce({ReadNotice(released[0])});
    return absl::ZeroDuration();
  }
  return next_due.empty() ? absl::InfiniteDuration() : kLockedDelay;
}

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                ArticleNames& names, const std::string& id) {
  static const std::string statement = SelectArticle();
  const postgres::Snapshot snapshot(connection);  // the article and its names are of one moment
  const std::optional<ArticleKey> key = names.Find(connection, id);
  if (!key) return ArticleNotFound(ArticleName(id));
  const postgres::Result rows = connection.Read(statement, key->bucket(), key->value());
  if (rows.empty()) return names.NotFound(id);
  InspectedArticle inspected = ReadInspected(rows[0]);
  const std::string current = ParseArticleName(inspected.article.name()).value();
  const NamesByKey former_names = ReadFormerNames(connection, {{*key, current}});
  if (const auto found = former_names.find(*key); found != former_names.end()) {
    for (const std::string& name : found->second) {
      inspected.former_names.push_back(ArticleName(name));
    }
  }
  return inspected;
}

}  // namespace content::store
