#include "store/articles/publish.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "store/articles/json.h"
#include "store/articles/search.h"
#include "store/columns.h"
#include "store/lock.h"
#include "store/request_log.h"

namespace content::store {
namespace {

using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::TimeUtil;

// The articles that meet a condition on `s`, whether readers see them or not.
std::string SelectArticle(absl::string_view condition) {
  return absl::StrCat("SELECT ", ArticleColumns(v1::ARTICLE_VIEW_FULL), ", s.retracted, ",
                      kFormerNames,
                      " AS former_names FROM article_state s JOIN article a USING (article_id) "
                      "WHERE ",
                      condition);
}

// $1 name, $2 comment policy, $3 publish time. Makes an article that is still without text, if no
// article has or had the name. Whoever does so at the same time waits here.
constexpr char kInsertArticleState[] = R"sql(
WITH named AS (
  INSERT INTO article_name (name, article_id) VALUES ($1, $1) ON CONFLICT DO NOTHING
  RETURNING article_id
)
INSERT INTO article_state (article_id, name, revision, comment_count, comment_policy, publish_time,
                           retracted, feed_position, published_position, ever_readable)
SELECT article_id, article_id, 0, 0, $2::smallint, $3::timestamptz, false, 0, 0, false FROM named
)sql";

// $1 article key, $2 new revision, $3 title, $4 structure (JSON, see ArticleStructure), $5 now,
// $6 language code, $7 summary, $8 body, $9 source URI, $10 word count.
constexpr char kUpsertArticle[] = R"sql(
INSERT INTO article (article_id, text_revision, title, authors, sections, tags, update_time,
                     language_code, summary, body, source_uri, word_count)
VALUES ($1, $2::bigint, $3, coalesce($4::jsonb -> 'authors', '[]'),
        coalesce($4::jsonb -> 'sections', '[]'), coalesce($4::jsonb -> 'tags', '[]'),
        $5::timestamptz, $6, $7, $8, $9, $10::integer)
ON CONFLICT (article_id) DO UPDATE SET
  text_revision = excluded.text_revision, title = excluded.title, authors = excluded.authors,
  sections = excluded.sections, tags = excluded.tags, update_time = excluded.update_time,
  language_code = excluded.language_code, summary = excluded.summary, body = excluded.body,
  source_uri = excluded.source_uri, word_count = excluded.word_count
)sql";

// $1 article key, $2 name, $3 new revision, $4 comment policy, $5 publish time, $6 retracted,
// $7 now. The last change but the record of the request: from here to the commit no other article
// can be published. What readers may have seen by a clock that is a little ahead, they have seen.
constexpr char kUpdateArticleState[] = R"sql(
WITH feed AS (
  UPDATE article_feed SET position = position + 1 RETURNING position
)
UPDATE article_state s
SET name = $2, revision = $3::bigint, comment_policy = $4::smallint,
    publish_time = $5::timestamptz, retracted = $6::boolean, feed_position = feed.position,
    published_position = CASE WHEN NOT $6::boolean AND (s.revision = 0 OR s.retracted
                                                        OR s.publish_time > $7::timestamptz)
                              THEN feed.position ELSE s.published_position END,
    ever_readable = s.ever_readable
                    OR (s.revision > 0 AND NOT s.retracted
                        AND s.publish_time <= $7::timestamptz + interval '1 minute')
FROM feed WHERE s.article_id = $1
RETURNING s.feed_position
)sql";

// $1 article key.
constexpr char kDeleteLabels[] = "DELETE FROM article_label WHERE article_id = $1";

// $1 article key, $2 publish time. Labels from the article's authors and tags as they are stored.
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

// Whether the two differ in nothing that a publisher sets.
bool SameContent(const v1::Article& stored, const v1::Article& published) {
  return MessageDifferencer::Equals(WithoutOutputFields(stored), WithoutOutputFields(published));
}

// Whether the two differ in nothing but when they are shown and who may comment.
bool SameText(v1::Article stored, v1::Article published) {
  for (v1::Article* article : {&stored, &published}) {
    article->clear_publish_time();
    article->clear_comment_policy();
  }
  return SameContent(stored, published);
}

// Fills in what the publisher left to the service, and what is not the publisher's.
void Complete(const std::optional<InspectedArticle>& existing, absl::Time now,
              v1::Article& article) {
  article.set_comment_count(existing ? existing->article.comment_count() : 0);
  if (!article.has_publish_time()) {
    *article.mutable_publish_time() =
        existing ? existing->article.publish_time()
                 : TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  }
  if (article.comment_policy() == v1::COMMENT_POLICY_UNSPECIFIED) {
    article.set_comment_policy(existing ? existing->article.comment_policy()
                                        : v1::COMMENT_POLICY_OPEN);
  }
}

// What an article would be if it were written.
v1::Article Preview(v1::Article article) {
  article.clear_update_time();
  article.clear_revision();
  article.clear_etag();
  return article;
}

void WriteState(postgres::Transaction& transaction, LockedArticle& locked,
                const v1::Article& article, bool retracted) {
  locked.changed = true;
  const postgres::Result rows = transaction.Exec(
      kUpdateArticleState, locked.id, locked.name, ++locked.revision,
      static_cast<int>(article.comment_policy()),
      TimeParameter(FromTimestamp(article.publish_time())), retracted, NowParameter());
  locked.version = rows[0]["feed_position"].as<int64_t>();
}

// Writes the article in place of `existing` and reads it back.
v1::Article WriteArticle(postgres::Transaction& transaction, LockedArticle& locked,
                         const std::optional<InspectedArticle>& existing,
                         const v1::Article& article, bool retracted, absl::Time now) {
  const int64_t revision = locked.revision + 1;
  if (!existing || !SameText(existing->article, article)) {
    transaction.Exec(kUpsertArticle, locked.id, revision, article.title(),
                     ArticleStructure(article), TimeParameter(now), article.language_code(),
                     article.summary(), article.body(), article.source_uri(), article.word_count());
  }
  const absl::Time publish_time = FromTimestamp(article.publish_time());
  transaction.Exec(kDeleteLabels, locked.id);
  transaction.Exec(kInsertLabels, locked.id, TimeParameter(publish_time));
  if (!retracted) IndexArticle(transaction, locked.id, publish_time);
  WriteState(transaction, locked, article, retracted);
  return FindArticle(transaction, locked.id)->article;
}

}  // namespace

absl::StatusOr<PublishedArticle> PublishArticle(postgres::Connection& connection,
                                                v1::Article article, const PublishOptions& options,
                                                const Announce& announce) {
  if (absl::Status status = CompleteArticle("article", article); !status.ok()) return status;
  const std::string name = *ParseArticleName(article.name());
  const absl::Time now = absl::Now();
  postgres::Transaction transaction(connection);
  transaction.Exec(kInsertArticleState, name, static_cast<int>(v1::COMMENT_POLICY_OPEN),
                   TimeParameter(now));
  LockedArticle locked = *LockArticle(transaction, name, now);
  const std::optional<InspectedArticle> existing = FindArticle(transaction, locked.id);
  const auto past = FindRequest(transaction, locked.id, options.request);
  if (!past.ok()) return past.status();
  if (*past && options.validate_only) return PublishedArticle{Preview(existing->article), {}};
  if (*past) {
    announce({NewsOf(locked)});
    return PublishedArticle{existing->article, (*past)->outcome};
  }

  const std::string etag = article.etag();
  article.set_name(ArticleName(locked.name));
  Complete(existing, now, article);
  const bool same = existing && SameContent(existing->article, article);
  const bool unchanged = same && !existing->retracted;
  if (existing && !same && !options.may_replace) return ArticleExists(article.name());
  // What is there already needs no permission to replace it, so that a repeated call succeeds.
  if (!unchanged && !etag.empty() && (!existing || existing->article.etag() != etag)) {
    return EtagMismatch(article.name());
  }
  if (options.validate_only) return PublishedArticle{Preview(std::move(article)), {}};

  PublishedArticle published;
  if (unchanged) {
    published = {existing->article, v1::PUBLISH_OUTCOME_UNCHANGED};
  } else {
    published = {WriteArticle(transaction, locked, existing, article, /*retracted=*/false, now),
                 existing ? v1::PUBLISH_OUTCOME_REPLACED : v1::PUBLISH_OUTCOME_CREATED};
  }
  CommitRequest(transaction, locked, options.request, published.outcome);
  announce({NewsOf(locked)});
  return published;
}

absl::StatusOr<v1::Article> UpdateArticle(postgres::Connection& connection, const ArticleEdit& edit,
                                          const Announce& announce) {
  const absl::Time now = absl::Now();
  postgres::Transaction transaction(connection);
  std::optional<LockedArticle> locked = LockArticle(transaction, edit.id, now);
  if (!locked) return ArticleNotFound(ArticleName(edit.id));
  const std::optional<InspectedArticle> existing = FindArticle(transaction, locked->id);
  const auto past = FindRequest(transaction, locked->id, edit.request);
  if (!past.ok()) return past.status();
  if (*past && edit.validate_only) return Preview(existing->article);
  if (*past) {
    announce({NewsOf(*locked)});
    return existing->article;
  }

  v1::Article article = existing->article;
  if (absl::Status status = MergeArticle(edit.article, edit.paths, article); !status.ok()) {
    return status;
  }
  Complete(existing, now, article);
  const bool same = SameContent(existing->article, article);
  if (!same && !edit.article.etag().empty() && edit.article.etag() != existing->article.etag()) {
    return EtagMismatch(ArticleName(edit.id));
  }
  if (edit.validate_only) return Preview(std::move(article));
  const v1::Article written =
      same ? existing->article
           : WriteArticle(transaction, *locked, existing, article, existing->retracted, now);
  CommitRequest(transaction, *locked, edit.request);
  announce({NewsOf(*locked)});
  return written;
}

absl::StatusOr<v1::Article> RenameArticle(postgres::Connection& connection,
                                          const ArticleRenaming& renaming,
                                          const Announce& announce) {
  postgres::Transaction transaction(connection);
  std::optional<LockedArticle> locked = LockArticle(transaction, renaming.id, absl::Now());
  if (!locked) return ArticleNotFound(ArticleName(renaming.id));
  const std::optional<InspectedArticle> existing = FindArticle(transaction, locked->id);
  const auto past = FindRequest(transaction, locked->id, renaming.request);
  if (!past.ok()) return past.status();
  v1::Article article = existing->article;
  if (!*past && locked->name != renaming.new_id) {
    if (!renaming.etag.empty() && renaming.etag != article.etag()) {
      return EtagMismatch(ArticleName(renaming.id));
    }
    transaction.Exec(kInsertName, renaming.new_id, locked->id);
    const postgres::Result named = transaction.Exec(kSelectNamed, renaming.new_id);
    if (named[0][0].c_str() != locked->id) return NameTaken(ArticleName(renaming.new_id));
    locked->name = renaming.new_id;
    WriteState(transaction, *locked, article, existing->retracted);
    article.set_name(ArticleName(locked->name));
    article.set_revision(locked->revision);
  }
  if (!*past) CommitRequest(transaction, *locked, renaming.request);
  announce({NewsOf(*locked)});
  article.clear_body();
  article.clear_sections();
  return article;
}

absl::StatusOr<int64_t> RetractArticle(postgres::Connection& connection,
                                       const ArticleRetraction& retraction,
                                       const Announce& announce) {
  postgres::Transaction transaction(connection);
  std::optional<LockedArticle> locked = LockArticle(transaction, retraction.id, absl::Now());
  if (!locked) return ArticleNotFound(ArticleName(retraction.id));
  const auto past = FindRequest(transaction, locked->id, retraction.request);
  if (!past.ok()) return past.status();
  if (*past) {
    announce({NewsOf(*locked)});
    return (*past)->revision;
  }
  if (!locked->retracted) {
    const std::optional<InspectedArticle> existing = FindArticle(transaction, locked->id);
    if (!retraction.etag.empty() && existing->article.etag() != retraction.etag) {
      return EtagMismatch(ArticleName(retraction.id));
    }
    UnindexArticle(transaction, locked->id);
    WriteState(transaction, *locked, existing->article, /*retracted=*/true);
  }
  CommitRequest(transaction, *locked, retraction.request);
  announce({NewsOf(*locked)});
  return locked->revision;
}

absl::StatusOr<InspectedArticle> InspectArticle(postgres::Connection& connection,
                                                const std::string& id) {
  static const std::string statement = SelectArticle(IsNamed("$1"));
  const postgres::Result rows = connection.Read(statement, id);
  if (rows.empty()) return ArticleNotFound(ArticleName(id));
  return ReadInspected(rows[0]);
}

}  // namespace content::store
