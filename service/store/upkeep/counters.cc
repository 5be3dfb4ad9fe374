#include "store/upkeep/counters.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "content/errors.h"
#include "content/names.h"
#include "store/columns.h"
#include "store/comments/comment_tree.h"
#include "store/lock.h"

namespace content::store {
namespace {

// A batch ends with so many articles, or so many comments.
constexpr size_t kBatchArticles = 100;
constexpr int64_t kBatchComments = 100'000;

// Watchers are sent the comments that changed at one revision in one message, which must not be too
// large.
constexpr size_t kCorrectionsOfRevision = 50;

// $1 key of the last article of the batch before, $2 limit.
constexpr char kSelectArticles[] =
    "SELECT article_id, name FROM article_state WHERE article_id > $1 ORDER BY article_id "
    "LIMIT $2::integer";

// $1 name.
std::string SelectArticle() {
  return absl::StrCat("SELECT s.article_id, s.name FROM article_state s WHERE ", IsNamed("$1"));
}

// $1 article key. Comments in which the counter of replies, or what follows from it, is not what
// the rows of the replies say, and all those above them, the deepest first: what is wrong in one
// can be why those above are wrong too. A comment that is not among them is right, because all
// below it are. At least one row: `comment_count` as it is stored, and `visible_count` as it should
// be; the rest is NULL if nothing is wrong. One statement, so that it sees the rows as they were at
// one moment.
constexpr char kSelectWrong[] = R"sql(
WITH RECURSIVE answered AS (
  SELECT parent_id, count(*) AS shown_replies FROM comment
  WHERE article_id = $1 AND shown AND parent_id IS NOT NULL GROUP BY parent_id
), wrong AS (
  SELECT c.comment_id, c.parent_id, c.depth, c.state, c.reply_count, c.shown, c.ever_shown
  FROM comment c LEFT JOIN answered a ON a.parent_id = c.comment_id
  WHERE c.article_id = $1
    AND (c.reply_count <> coalesce(a.shown_replies, 0)
         OR c.shown <> (c.state = 1 OR a.shown_replies IS NOT NULL)
         OR c.shown AND NOT c.ever_shown)
  UNION
  SELECT above.* FROM wrong CROSS JOIN LATERAL (
    SELECT c.comment_id, c.parent_id, c.depth, c.state, c.reply_count, c.shown, c.ever_shown
    FROM comment c WHERE c.article_id = $1 AND c.comment_id = wrong.parent_id LIMIT 1
  ) above
)
SELECT s.comment_count,
       (SELECT count(*) FROM comment v WHERE v.article_id = $1 AND v.state = 1) AS visible_count,
       w.comment_id, w.parent_id, w.state = 1 AS visible, w.reply_count, w.shown, w.ever_shown,
       (SELECT count(*) FROM comment r
        WHERE r.article_id = $1 AND r.parent_id = w.comment_id AND r.shown) AS shown_replies
FROM article_state s LEFT JOIN wrong w ON true
WHERE s.article_id = $1
ORDER BY w.depth DESC)sql";

struct ArticleRef {
  std::string key;
  std::string name;
};

// A comment whose row is wrong, and what it should be.
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

  bool right() const { return stored_comment_count == comment_count && corrections.empty(); }
};

Findings Examine(postgres::Transaction& transaction, const std::string& article_key) {
  const postgres::Result rows = transaction.Exec(kSelectWrong, article_key);
  Findings findings{.stored_comment_count = rows[0]["comment_count"].as<int64_t>(),
                    .comment_count = rows[0]["visible_count"].as<int64_t>(),
                    .corrections = {}};
  if (rows[0]["comment_id"].is_null()) return findings;
  // By how many the shown replies of a comment differ from what the replies' own rows say.
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

// At several revisions, if need be.
void Correct(postgres::Transaction& transaction, LockedArticle& article, const Findings& findings) {
  article.comment_count = findings.comment_count;
  size_t done = 0;
  do {
    ++article.revision;
    std::vector<CommentCounts> counts;
    for (; done < findings.corrections.size() && counts.size() < kCorrectionsOfRevision; ++done) {
      const Correction& correction = findings.corrections[done];
      counts.push_back({{article.id, correction.comment_id},
                        article.revision,
                        correction.reply_count,
                        correction.shown});
    }
    WriteCounts(transaction, counts);
  } while (done < findings.corrections.size());
  WriteCounters(transaction, {&article});
}

// Looks at the article again, now that no write can come in between, and corrects what is wrong.
Findings Repair(postgres::Transaction& transaction, LockedArticle& article) {
  Findings findings = Examine(transaction, article.id);
  if (!findings.right()) Correct(transaction, article, findings);
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

// Everything there is to verify, or the next of it.
std::vector<ArticleRef> SelectBatch(postgres::Transaction& transaction, const VerifyQuery& query) {
  static const std::string select_article = SelectArticle();
  const postgres::Result rows =
      query.article_id.empty() ? transaction.Exec(kSelectArticles, query.after_key, kBatchArticles)
                               : transaction.Exec(select_article, query.article_id);
  std::vector<ArticleRef> articles;
  for (const auto& row : rows) {
    articles.push_back({row["article_id"].c_str(), row["name"].c_str()});
  }
  return articles;
}

}  // namespace

absl::StatusOr<VerifiedCounters> VerifyCounters(postgres::Connection& connection,
                                                const VerifyQuery& query,
                                                const Announce& announce) {
  postgres::Transaction transaction(connection);
  const std::vector<ArticleRef> articles = SelectBatch(transaction, query);
  if (articles.empty() && !query.article_id.empty()) {
    return ArticleNotFound(ArticleName(query.article_id));
  }
  VerifiedCounters verified;
  int64_t comment_count = 0;
  std::optional<LockedArticle> repaired;
  for (const ArticleRef& article : articles) {
    Findings findings = Examine(transaction, article.key);
    if (query.repair && !findings.right()) {
      // The key is a name too, the first that the article had.
      repaired = LockArticle(transaction, article.key, absl::Now());
      findings = Repair(transaction, *repaired);
    }
    AddDrifts(article.name, findings, repaired.has_value(), verified.drifts);
    ++verified.article_count;
    comment_count += findings.comment_count;
    // After a repair too, so that one article at most is locked, and at most its drifts go
    // unreported should the outcome of the commit not be known.
    if (repaired || comment_count >= kBatchComments) break;
  }
  if (repaired) {
    transaction.Commit();
    announce({NewsOf(*repaired)});
  }
  const auto looked_at = static_cast<size_t>(verified.article_count);
  if (looked_at < articles.size() || looked_at == kBatchArticles) {
    verified.next_key = articles[looked_at - 1].key;
  }
  return verified;
}

}  // namespace content::store
