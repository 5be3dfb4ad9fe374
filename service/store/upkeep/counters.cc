#include "store/upkeep/counters.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/audit/log.h"
#include "store/columns.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"

namespace content::store {
namespace {

// A batch ends once it has this many articles or comments.
constexpr size_t kMaxBatchArticles = 100;
constexpr int64_t kMaxBatchComments = 100'000;

// A watcher gets all comments that changed at one revision in one message, whose size is limited.
constexpr size_t kMaxCorrectionsPerRevision = 50;

// $1 key of the last article of the batch before, $2 limit.
constexpr char kSelectArticles[] =
    "SELECT article_key, name FROM article_state WHERE article_key > $1::bigint "
    "ORDER BY article_key LIMIT $2::integer";

// $1 bucket, $2 article key.
std::string SelectArticle() {
  return absl::StrCat("SELECT s.article_key, s.name FROM article_state s WHERE ", kIsArticle);
}

// $1 bucket, $2 article key. Selects the comments whose reply_count, or a value derived from it,
// does not match the rows of their replies, and all comments above those, deepest first: an error
// in one comment can cause errors above it. Every other comment is correct, because all comments
// below it are.
//
// There is at least one row. `comment_count` is the stored count and `visible_count` the correct
// one; the other columns are NULL if nothing is wrong. It is one statement, so that it sees all
// rows as of one moment.
constexpr char kSelectWrong[] = R"sql(
WITH RECURSIVE answered AS (
  SELECT c.parent_id, count(*) AS shown_replies FROM comment c
  WHERE c.bucket = $1::smallint AND c.article_key = $2::bigint
    AND c.shown AND c.parent_id IS NOT NULL GROUP BY c.parent_id
), wrong AS (
  SELECT c.comment_id, c.parent_id, c.depth, c.state, c.reply_count, c.shown, c.ever_shown
  FROM comment c LEFT JOIN answered a ON a.parent_id = c.comment_id
  WHERE c.bucket = $1::smallint AND c.article_key = $2::bigint
    AND (c.reply_count <> coalesce(a.shown_replies, 0)
         OR c.shown <> (c.state = 1 OR a.shown_replies IS NOT NULL)
         OR c.shown AND NOT c.ever_shown)
  UNION
  SELECT above.* FROM wrong CROSS JOIN LATERAL (
    SELECT c.comment_id, c.parent_id, c.depth, c.state, c.reply_count, c.shown, c.ever_shown
    FROM comment c
    WHERE c.bucket = $1::smallint AND c.article_key = $2::bigint AND c.comment_id = wrong.parent_id
    LIMIT 1
  ) above
)
SELECT s.comment_count,
       (SELECT count(*) FROM comment v
        WHERE v.bucket = $1::smallint AND v.article_key = $2::bigint AND v.state = 1)
       AS visible_count,
       w.comment_id, w.parent_id, w.state = 1 AS visible, w.reply_count, w.shown, w.ever_shown,
       (SELECT count(*) FROM comment r
        WHERE r.bucket = $1::smallint AND r.article_key = $2::bigint AND r.parent_id = w.comment_id
          AND r.shown) AS shown_replies
FROM article_state s LEFT JOIN wrong w ON true
WHERE s.bucket = $1::smallint AND s.article_key = $2::bigint
ORDER BY w.depth DESC)sql";

struct ArticleRef {
  ArticleKey key;
  std::string name;
};

// A comment whose row is wrong, with the correct values.
struct Correction {
  std::string comment_id;
  int64_t stored_reply_count;
  int64_t reply_count;
  bool shown;
};

struct Findings {
  int64_t stored_comment_count;
  int64_t comment_count;
  std::vector<Correction> corrections;

  bool all_right() const { return stored_comment_count == comment_count && corrections.empty(); }
};

Findings Examine(postgres::Transaction& transaction, ArticleKey key) {
  const postgres::Result rows = transaction.Exec(kSelectWrong, key.bucket(), key.value());
  Findings findings{.stored_comment_count = rows[0]["comment_count"].as<int64_t>(),
                    .comment_count = rows[0]["visible_count"].as<int64_t>(),
                    .corrections = {}};
  if (rows[0]["comment_id"].is_null()) return findings;
  // For each comment, how many more of its replies are shown than their rows say. Complete by the
  // time the comment's own row is read, because replies are deeper.
  std::map<std::string, int> differences;
  for (const auto& row : rows) {
    const std::string id = row["comment_id"].c_str();
    const auto stored_reply_count = row["reply_count"].as<int64_t>();
    const bool stored_shown = row["shown"].as<bool>();
    const int64_t reply_count = row["shown_replies"].as<int64_t>() + differences[id];
    const bool shown = row["visible"].as<bool>() || reply_count > 0;
    if (shown != stored_shown && !row["parent_id"].is_null()) {
      differences[row["parent_id"].c_str()] += shown ? 1 : -1;
    }
    const bool was_seen = row["ever_shown"].as<bool>() || !shown;
    if (reply_count != stored_reply_count || shown != stored_shown || !was_seen) {
      findings.corrections.push_back({id, stored_reply_count, reply_count, shown});
    }
  }
  return findings;
}

// Writes the correct values, at as many revisions as needed.
void Correct(postgres::Transaction& transaction, LockedArticle& article, const Findings& findings) {
  article.comment_count = findings.comment_count;
  size_t done = 0;
  do {
    ++article.revision;
    std::vector<CommentCounts> counts;
    for (; done < findings.corrections.size() && counts.size() < kMaxCorrectionsPerRevision;
         ++done) {
      const Correction& correction = findings.corrections[done];
      counts.push_back({{article.key, correction.comment_id},
                        article.revision,
                        correction.reply_count,
                        correction.shown});
    }
    WriteCounts(transaction, counts);
  } while (done < findings.corrections.size());
  WriteCounters(transaction, {&article});
}

void Audit(postgres::Transaction& transaction, const Caller* caller, LockedArticle& article,
           const Findings& findings) {
  AuditEvent event = EventAbout(article, v1::AUDIT_ACTION_VERIFY_COUNTERS);
  event.item_count = static_cast<int64_t>(findings.corrections.size()) +
                     (findings.stored_comment_count == findings.comment_count ? 0 : 1);
  AuditLog audit(transaction);
  audit.Add(caller, event);
  audit.Write();
}

// Examines the article again, now that it is locked, and corrects what is wrong.
Findings Repair(postgres::Transaction& transaction, const Caller* caller, LockedArticle& article) {
  Findings findings = Examine(transaction, article.key);
  if (findings.all_right()) return findings;
  Correct(transaction, article, findings);
  Audit(transaction, caller, article, findings);
  return findings;
}

void AddDrift(const std::string& name, const char* field, int64_t stored, int64_t actual,
              bool repaired, std::vector<v1::CounterDrift>& drifts) {
  if (stored == actual) return;
  v1::CounterDrift drift;
  drift.set_name(name);
  drift.set_field(field);
  drift.set_stored(stored);
  drift.set_actual(actual);
  drift.set_repaired(repaired);
  drifts.push_back(std::move(drift));
}

void AddDrifts(const std::string& article_name, const Findings& findings, bool repaired,
               std::vector<v1::CounterDrift>& drifts) {
  AddDrift(ArticleName(article_name), "comment_count", findings.stored_comment_count,
           findings.comment_count, repaired, drifts);
  for (const Correction& correction : findings.corrections) {
    AddDrift(CommentName(article_name, correction.comment_id), "reply_count",
             correction.stored_reply_count, correction.reply_count, repaired, drifts);
  }
}

// Selects the article that the query names, or else the next articles.
std::vector<ArticleRef> SelectBatch(postgres::Transaction& transaction, ArticleNames& names,
                                    const VerifyQuery& query) {
  const auto read = [](const postgres::Result& rows) {
    std::vector<ArticleRef> articles;
    for (const auto& row : rows) {
      articles.push_back({ReadKey(row["article_key"]), row["name"].c_str()});
    }
    return articles;
  };
  if (query.article_id.empty()) {
    const std::string after = query.after_key.empty() ? "0" : query.after_key;
    return read(transaction.Exec(kSelectArticles, after, kMaxBatchArticles));
  }
  static const std::string select_article = SelectArticle();
  const auto key = names.Find(transaction, query.article_id);
  if (!key) return {};
  return read(transaction.Exec(select_article, key->bucket(), key->value()));
}

// Returns what the attempt would have answered if its article is correct now, otherwise nullopt.
// Waits for the article's lock, which the attempt held until it ended. Who repaired the article
// does not matter: only a repair makes wrong counters correct. Commits the lock, because the repair
// may be committed on this host only, and this commit waits for a standby.
std::optional<VerifiedCounters> AnswerIfRepaired(postgres::Connection& connection,
                                                 const RepairAttempt& attempt,
                                                 const Announce& announce) {
  postgres::Transaction transaction(connection);
  const auto article = LockArticle(transaction, attempt.article_key);
  if (!article || !Examine(transaction, article->key).all_right()) return std::nullopt;
  transaction.Commit();
  announce({NoticeOf(*article)});
  return attempt.verified;
}

// Returns the key of the last article verified if others may follow it, otherwise empty.
std::string NextKey(const std::vector<ArticleRef>& batch, size_t verified) {
  const bool more = verified < batch.size() || verified == kMaxBatchArticles;
  return more ? absl::StrCat(batch[verified - 1].key.value()) : "";
}

}  // namespace

absl::StatusOr<VerifiedCounters> VerifyCounters(postgres::Connection& connection,
                                                ArticleNames& names, const Caller* caller,
                                                const VerifyQuery& query,
                                                std::optional<RepairAttempt>& attempt,
                                                const Announce& announce) {
  if (attempt) {
    auto verified = AnswerIfRepaired(connection, *attempt, announce);
    if (verified) return *std::move(verified);
  }
  postgres::Transaction transaction(connection);
  const std::vector<ArticleRef> articles = SelectBatch(transaction, names, query);
  if (articles.empty() && !query.article_id.empty()) {
    return names.NotFound(query.article_id);
  }
  VerifiedCounters verified;
  int64_t comment_count = 0;
  std::optional<LockedArticle> repaired;
  for (const ArticleRef& article : articles) {
    Findings findings = Examine(transaction, article.key);
    if (query.repair && !findings.all_right()) {
      repaired = LockArticle(transaction, article.key).value();
      findings = Repair(transaction, caller, *repaired);
    }
    AddDrifts(article.name, findings, repaired.has_value(), verified.drifts);
    ++verified.article_count;
    comment_count += findings.comment_count;
    // A repair ends the batch, so that at most one article is locked.
    if (repaired || comment_count >= kMaxBatchComments) break;
  }
  verified.next_key = NextKey(articles, static_cast<size_t>(verified.article_count));
  if (!repaired) return verified;
  attempt = RepairAttempt{repaired->key, verified};
  transaction.Commit();
  announce({NoticeOf(*repaired)});
  return verified;
}

}  // namespace content::store
