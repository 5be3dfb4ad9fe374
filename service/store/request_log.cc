#include "store/request_log.h"

#include <algorithm>

#include "content/errors.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

// Reads all days. There are few, and those to come are empty.
const postgres::BulkStatement<3>& SelectRequests() {
  static const postgres::BulkStatement<3> statement(R"sql(
SELECT r.article_key, r.request_id, encode(r.fingerprint, 'hex') AS fingerprint, r.comment_id,
       r.revision, r.outcome
FROM $rows AS n (bucket, article_key, request_id)
JOIN request r ON r.bucket = n.bucket AND r.article_key = n.article_key
              AND r.request_id = n.request_id
)sql",
                                                    {"smallint", "bigint", "uuid"});
  return statement;
}

// The fingerprint is in hexadecimal; comment_id may be ''. The day is the database's.
const postgres::BulkStatement<7>& InsertRequests() {
  static const auto statement =
      postgres::BulkStatement<7>::Insert("request", {{{"bucket", "smallint"},
                                                      {"article_key", "bigint"},
                                                      {"request_id", "uuid"},
                                                      {"fingerprint", "text", "decode($, 'hex')"},
                                                      {"comment_id", "text", "NULLIF($, '')::uuid"},
                                                      {"revision", "bigint"},
                                                      {"outcome", "smallint"}}});
  return statement;
}

}  // namespace

void RequestLog::Read(const std::vector<Key>& keys) {
  if (keys.empty()) return;
  postgres::Rows<3> rows;
  for (const Key& key : keys) rows.Add(key.article.bucket(), key.article.value(), key.request_id);
  for (const auto& row : SelectRequests().Exec(transaction_, rows)) {
    entries_[{ReadKey(row["article_key"]), row["request_id"].c_str()}] = {
        .fingerprint = row["fingerprint"].c_str(),
        .past = {.comment_id = row["comment_id"].c_str(),
                 .revision = row["revision"].as<int64_t>(),
                 .outcome = static_cast<v1::PublishOutcome>(row["outcome"].as<int>())},
        .is_new = false};
  }
}

absl::StatusOr<std::optional<PastRequest>> RequestLog::Find(ArticleKey article,
                                                            const RequestKey& request) const {
  const auto entry = entries_.find({article, request.id});
  if (entry == entries_.end()) return std::nullopt;
  const std::string& fingerprint = entry->second.fingerprint;
  if (!fingerprint.empty() && fingerprint != request.fingerprint) {
    return RequestIdReused(request.id);
  }
  return entry->second.past;
}

void RequestLog::Record(const LockedArticle& article, const RequestKey& request,
                        const std::string& comment_id, v1::PublishOutcome outcome) {
  if (request.id.empty()) return;
  entries_[{article.key, request.id}] = {
      .fingerprint = request.fingerprint,
      .past = {.comment_id = comment_id, .revision = article.revision, .outcome = outcome},
      .is_new = true};
}

bool RequestLog::has_callers_records() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& item) {
    return item.second.is_new && !item.second.fingerprint.empty();
  });
}

void RequestLog::Write() const {
  postgres::Rows<7> rows;
  for (const auto& [key, entry] : entries_) {
    if (!entry.is_new) continue;
    rows.Add(key.article.bucket(), key.article.value(), key.request_id, entry.fingerprint,
             entry.past.comment_id, entry.past.revision, static_cast<int>(entry.past.outcome));
  }
  if (!rows.empty()) InsertRequests().Queue(transaction_, rows);
}

}  // namespace content::store
