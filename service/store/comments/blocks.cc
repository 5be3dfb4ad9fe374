#include "store/comments/blocks.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "content/errors.h"
#include "content/rules.h"
#include "content/uuid.h"
#include "store/audit/log.h"
#include "store/columns.h"
#include "store/lock.h"

namespace content::store {
namespace {

constexpr char kSelectBlocked[] =
    "SELECT author_id FROM author_block WHERE author_id = ANY ($1::text[])";

constexpr char kColumns[] =
    "author_id, reason, (extract(epoch FROM block_time) * 1000000)::bigint AS block_time";

// $1 author, $2 reason. `now` is the time of the act: that of the block if it is new.
std::string InsertBlock() {
  return absl::StrCat(
      "WITH act AS (SELECT clock_timestamp() AS time) "
      "INSERT INTO author_block (author_id, reason, block_time) "
      "SELECT $1::text, $2::text, time FROM act "
      "ON CONFLICT (author_id) DO UPDATE SET reason = excluded.reason "
      "WHERE author_block.reason <> excluded.reason RETURNING ",
      kColumns, ", (SELECT (extract(epoch FROM time) * 1000000)::bigint FROM act) AS now");
}

// The row stays there while the transaction that found it by InsertBlock is open, which has locked
// it.
std::string SelectBlock() {
  return absl::StrCat("SELECT ", kColumns, " FROM author_block WHERE author_id = $1");
}

constexpr char kDeleteBlock[] =
    "DELETE FROM author_block WHERE author_id = $1 "
    "RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now";

// $1 author_id of the last row of the page before, $2 limit.
std::string SelectPage() {
  return absl::StrCat("SELECT ", kColumns, ", author_id AS page_key ",
                      "FROM author_block WHERE author_id > $1 "
                      "ORDER BY author_id LIMIT $2::integer");
}

v1::BlockedAuthor ReadBlock(const postgres::Row& row) {
  v1::BlockedAuthor block;
  block.set_author_id(row["author_id"].c_str());
  block.set_reason(row["reason"].c_str());
  *block.mutable_block_time() = ToTimestamp(absl::FromUnixMicros(row["block_time"].as<int64_t>()));
  return block;
}

// `row` has the time of the act.
void Audit(postgres::Transaction& transaction, const Caller* caller, v1::AuditAction action,
           const std::string& author_id, const postgres::Row& row) {
  const absl::Time now = absl::FromUnixMicros(row["now"].as<int64_t>());
  AuditLog audit(transaction);
  audit.Add(caller, {.id = TimedUuids(now).Next(), .action = action, .author_id = author_id});
  audit.Write();
}

}  // namespace

std::set<std::string> FindBlocked(postgres::Transaction& transaction,
                                  const std::set<std::string>& author_ids) {
  if (author_ids.empty()) return {};
  std::set<std::string> blocked;
  const std::vector<std::string> ids(author_ids.begin(), author_ids.end());
  for (const auto& row : transaction.Exec(kSelectBlocked, ArrayParameter(ids))) {
    blocked.insert(row["author_id"].c_str());
  }
  return blocked;
}

absl::StatusOr<v1::BlockedAuthor> BlockAuthor(postgres::Connection& connection,
                                              const Caller* caller, const std::string& author_id,
                                              const std::string& reason) {
  static const std::string insert = InsertBlock();
  static const std::string select = SelectBlock();
  postgres::Transaction transaction(connection);
  postgres::Result rows = transaction.Exec(insert, author_id, reason);
  if (rows.empty()) {  // blocked already, for this reason
    rows = transaction.Exec(select, author_id);
    WriteNothing(transaction);
  } else {
    Audit(transaction, caller, v1::AUDIT_ACTION_BLOCK_AUTHOR, author_id, rows[0]);
  }
  transaction.Commit();
  return ReadBlock(rows[0]);
}

absl::Status UnblockAuthor(postgres::Connection& connection, const Caller* caller,
                           const std::string& author_id, bool allow_missing, bool in_doubt) {
  postgres::Transaction transaction(connection);
  const postgres::Result deleted = transaction.Exec(kDeleteBlock, author_id);
  if (deleted.empty()) {
    // An attempt that came to its commit had found the block.
    if (!allow_missing && !in_doubt) return AuthorNotBlocked(author_id);
    WriteNothing(transaction);
  } else {
    Audit(transaction, caller, v1::AUDIT_ACTION_UNBLOCK_AUTHOR, author_id, deleted[0]);
  }
  transaction.Commit();
  return absl::OkStatus();
}

absl::StatusOr<Page<v1::BlockedAuthor>> ListBlockedAuthors(postgres::Connection& connection,
                                                           int page_size,
                                                           const std::string& after_key) {
  static const std::string statement = SelectPage();
  const postgres::Result rows = connection.Read(statement, after_key, page_size + 1);
  return FillPage<v1::BlockedAuthor>(rows, rows.size(), page_size, kMaxReplyBytes, ReadBlock);
}

}  // namespace content::store
