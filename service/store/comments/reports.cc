#include "store/comments/reports.h"

#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

using KeyStatement = postgres::BulkStatement<3>;

const KeyStatement& CountOpen() {
  static const KeyStatement statement(R"sql(
SELECT r.article_key, r.comment_id, count(*) AS report_count
FROM $rows AS n (bucket, article_key, comment_id)
JOIN comment_report r ON r.bucket = n.bucket AND r.article_key = n.article_key
                     AND r.comment_id = n.comment_id
WHERE NOT r.settled
GROUP BY r.article_key, r.comment_id
)sql",
                                      {"smallint", "bigint", "uuid"});
  return statement;
}

const postgres::BulkStatement<4>& SelectMade() {
  static const postgres::BulkStatement<4> statement(
      R"sql(
SELECT r.article_key, r.comment_id, r.reporter_id
FROM $rows AS n (bucket, article_key, comment_id, reporter_id)
JOIN comment_report r ON r.bucket = n.bucket AND r.article_key = n.article_key
                     AND r.comment_id = n.comment_id AND r.reporter_id = n.reporter_id
)sql",
      {"smallint", "bigint", "uuid", "text"});
  return statement;
}

const postgres::BulkStatement<5>& InsertReports() {
  static const auto statement =
      postgres::BulkStatement<5>::Insert("comment_report", {{{"bucket", "smallint"},
                                                             {"article_key", "bigint"},
                                                             {"comment_id", "uuid"},
                                                             {"reporter_id", "text"},
                                                             {"settled", "boolean"}}});
  return statement;
}

const KeyStatement& SettleReports() {
  static const KeyStatement statement(R"sql(
UPDATE comment_report r SET settled = true
FROM $rows AS n (bucket, article_key, comment_id)
WHERE r.bucket = n.bucket AND r.article_key = n.article_key AND r.comment_id = n.comment_id
  AND NOT r.settled
)sql",
                                      {"smallint", "bigint", "uuid"});
  return statement;
}

const KeyStatement& DeleteReportsOf() {
  static const KeyStatement statement(R"sql(
DELETE FROM comment_report r
USING $rows AS n (bucket, article_key, comment_id)
WHERE r.bucket = n.bucket AND r.article_key = n.article_key AND r.comment_id = n.comment_id
)sql",
                                      {"smallint", "bigint", "uuid"});
  return statement;
}

const postgres::BulkStatement<4>& UpsertCounts() {
  static const postgres::BulkStatement<4> statement(
      R"sql(
INSERT INTO comment_report_count (bucket, article_key, comment_id, report_count)
SELECT n.bucket, n.article_key, n.comment_id, n.report_count
FROM $rows AS n (bucket, article_key, comment_id, report_count)
ON CONFLICT (article_key, bucket, comment_id) DO UPDATE SET report_count = excluded.report_count
)sql",
      {"smallint", "bigint", "uuid", "integer"});
  return statement;
}

const KeyStatement& DeleteCounts() {
  static const KeyStatement statement(R"sql(
DELETE FROM comment_report_count c
USING $rows AS n (bucket, article_key, comment_id)
WHERE c.bucket = n.bucket AND c.article_key = n.article_key AND c.comment_id = n.comment_id
)sql",
                                      {"smallint", "bigint", "uuid"});
  return statement;
}

void AddRow(const StoredKey& key, postgres::Rows<3>& rows) {
  rows.Add(key.article.bucket(), key.article.value(), key.comment_id);
}

postgres::Rows<3> RowsOf(const std::set<StoredKey>& keys) {
  postgres::Rows<3> rows;
  for (const StoredKey& key : keys) AddRow(key, rows);
  return rows;
}

}  // namespace

void CommentReports::Read(const std::set<StoredKey>& comments, const std::set<ReportKey>& reports) {
  if (!comments.empty()) {
    for (const auto& row : CountOpen().Exec(transaction_, RowsOf(comments))) {
      const StoredKey key = {ReadKey(row["article_key"]), row["comment_id"].c_str()};
      counts_[key] = row["report_count"].as<int>();
    }
  }
  if (reports.empty()) return;
  postgres::Rows<4> rows;
  for (const auto& [comment, reporter_id] : reports) {
    rows.Add(comment.article.bucket(), comment.article.value(), comment.comment_id, reporter_id);
  }
  for (const auto& row : SelectMade().Exec(transaction_, rows)) {
    made_.insert(
        {{ReadKey(row["article_key"]), row["comment_id"].c_str()}, row["reporter_id"].c_str()});
  }
}

int CommentReports::CountOf(const StoredKey& comment) const {
  const auto count = counts_.find(comment);
  return count == counts_.end() ? 0 : count->second;
}

void CommentReports::Add(const ReportKey& report) {
  made_.insert(report);
  added_[report] = false;
  ++counts_[report.comment];
  Recount(report.comment);
}

void CommentReports::Settle(const StoredKey& comment) {
  counts_.erase(comment);
  for (auto& [report, is_settled] : added_) {
    if (report.comment == comment) is_settled = true;
  }
  settled_.insert(comment);
  Recount(comment);
}

void CommentReports::Write() const {
  if (!settled_.empty()) SettleReports().Queue(transaction_, RowsOf(settled_));
  if (!added_.empty()) {
    postgres::Rows<5> rows;
    for (const auto& [report, is_settled] : added_) {
      const StoredKey& comment = report.comment;
      rows.Add(comment.article.bucket(), comment.article.value(), comment.comment_id,
               report.reporter_id, is_settled);
    }
    InsertReports().Exec(transaction_, rows);
  }
  WriteCounts();
}

void CommentReports::WriteCounts() const {
  postgres::Rows<4> counted;
  postgres::Rows<3> without;
  for (const StoredKey& key : recounted_) {
    if (const int count = CountOf(key); count > 0) {
      counted.Add(key.article.bucket(), key.article.value(), key.comment_id, count);
    } else {
      AddRow(key, without);
    }
  }
  if (!counted.empty()) UpsertCounts().Queue(transaction_, counted);
  if (!without.empty()) DeleteCounts().Queue(transaction_, without);
}

void DeleteReports(postgres::Transaction& transaction, const std::set<StoredKey>& comments) {
  if (comments.empty()) return;
  const postgres::Rows<3> rows = RowsOf(comments);
  DeleteReportsOf().Queue(transaction, rows);
  DeleteCounts().Queue(transaction, rows);
}

}  // namespace content::store
