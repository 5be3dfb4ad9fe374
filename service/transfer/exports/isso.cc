#include "transfer/exports/isso.h"

#include <sqlite3.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "content/text.h"
#include "transfer/dates.h"
#include "transfer/exports/export_file.h"
#include "transfer/exports/hand_over.h"
#include "transfer/exports/json_items.h"
#include "transfer/exports/markdown_html.h"

namespace content::transfer {
namespace {

constexpr absl::string_view kSqliteMagic("SQLite format 3\0", 16);

// A database from standard input is read into memory, if it is not larger.
constexpr size_t kMaxBytesInMemory = size_t{128} << 20;

constexpr int kMaxValueBytes = 16 << 20;

// How much of a page's address is part of the ids of its comments.
constexpr size_t kMaxPageOfId = 200;

// How many steps of its machine SQLite may take, and how many bytes it may give: more than any
// sound database of the size needs. A row has some bytes even if it is empty.
constexpr int kStepsOfTurn = 1'000'000;
constexpr int64_t kTurns = 50;
constexpr int64_t kBytesOfTurn = 100'000;
constexpr int64_t kBytes = 1 << 20;
constexpr int64_t kBytesOfRow = 4;

// A database that may be hostile, open for reading. It is taken to be as it is in the file: nothing
// is locked, recovered or written.
class SqliteDatabase {
 public:
  /// Asks `sink` now and then whether to stop.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(ExportFile& file,
                                                              const ExportSink& sink) {
    std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(sink));
    const bool is_temporary = absl::StartsWith(file.path(), "/proc/");
    absl::Status status = is_temporary ? database->OpenCopy(file) : database->OpenFile(file.path());
    if (status.ok()) status = database->Restrict();
    if (!status.ok()) return status;
    return database;
  }

  ~SqliteDatabase() {
    sqlite3_finalize(statement_);
    sqlite3_close(database_);
  }

  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  absl::Status Query(const char* sql) {
    sqlite3_finalize(statement_);
    const int code = sqlite3_prepare_v2(database_, sql, -1, &statement_, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : Error();
  }

  /// Goes to the next row. False if there is none, or if the sink says to stop.
  absl::StatusOr<bool> Next() {
    bytes_left_ -= kBytesOfRow;
    if (bytes_left_ < 0) return TooMuch();
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE || (code == SQLITE_INTERRUPT && sink_.is_stopped())) return false;
    return code == SQLITE_INTERRUPT ? TooMuch() : Error();
  }

  std::string Text(int column) {
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return "";
    const int size = sqlite3_column_bytes(statement_, column);
    bytes_left_ -= size;
    return std::string(text, static_cast<size_t>(size));
  }

  int64_t Integer(int column) { return sqlite3_column_int64(statement_, column); }

  double Number(int column) { return sqlite3_column_double(statement_, column); }

 private:
  explicit SqliteDatabase(const ExportSink& sink) : sink_(sink) {}

  // Other programs keep in these files what they have not yet written into the database.
  static absl::Status CheckIsAtRest(const std::string& path) {
    for (const absl::string_view ending : {"-wal", "-journal"}) {
      std::error_code none;
      const auto size = std::filesystem::file_size(absl::StrCat(path, ending), none);
      if (none || size == 0) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "is in use, or was not closed: there is a file with the ending ", ending,
          " beside it; stop Isso and copy the database with sqlite3's command .backup"));
    }
    return absl::OkStatus();
  }

  absl::Status OpenFile(const std::string& path) {
    if (absl::Status status = CheckIsAtRest(path); !status.ok()) return status;
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    SetLimits(none ? 0 : static_cast<int64_t>(size));
    const std::string escaped =
        absl::StrReplaceAll(path, {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}});
    return OpenUri(absl::StrCat("file:", escaped, "?immutable=1"));
  }

  absl::Status OpenCopy(ExportFile& file) {
    absl::StatusOr<std::string> content = file.ReadRest(kMaxBytesInMemory);
    if (!content.ok()) {
      return absl::OutOfRangeError("is too large for standard input; give its path");
    }
    content_ = *std::move(content);
    // A copy has no write-ahead log.
    if (content_.size() > kSqliteMagic.size() + 4) content_[18] = content_[19] = 1;
    if (absl::Status status = OpenUri("file::memory:"); !status.ok()) return status;
    const auto size = static_cast<sqlite3_int64>(content_.size());
    SetLimits(size);
    const int code =
        sqlite3_deserialize(database_, "main", reinterpret_cast<unsigned char*>(content_.data()),
                            size, size, SQLITE_DESERIALIZE_READONLY);
    return code == SQLITE_OK ? absl::OkStatus() : Error();
  }

  absl::Status OpenUri(const std::string& uri) {
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(uri.c_str(), &database_, flags, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : Error();
  }

  // See "Defense Against The Dark Arts" in SQLite's documentation.
  absl::Status Restrict() {
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_limit(database_, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
    sqlite3_limit(database_, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(
        database_, kStepsOfTurn,
        [](void* self) { return static_cast<SqliteDatabase*>(self)->GoesOn() ? 0 : 1; }, this);
    const char* const pragmas =
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA automatic_index = OFF";
    const int code = sqlite3_exec(database_, pragmas, nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? absl::OkStatus() : Error();
  }

  void SetLimits(int64_t file_bytes) {
    turns_left_ = kTurns + file_bytes / kBytesOfTurn;
    // A text may be larger in UTF-8 than in the file.
    bytes_left_ = kBytes + 2 * file_bytes;
  }

  bool GoesOn() { return --turns_left_ >= 0 && !sink_.is_stopped(); }

  static absl::Status TooMuch() {
    return absl::InvalidArgumentError(
        "is not a sound database of Isso's: it has more rows and texts than its size allows");
  }

  absl::Status Error() const {
    return absl::InvalidArgumentError(
        absl::StrCat("is not a sound database of Isso's: ", sqlite3_errmsg(database_)));
  }

  const ExportSink& sink_;
  std::string content_;  // of a database in memory
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int64_t turns_left_ = 0;
  int64_t bytes_left_ = 0;
};

// Bits of a comment's mode. One without any of them is of a later version of Isso.
constexpr int64_t kIssoAccepted = 1;
constexpr int64_t kIssoDeleted = 4;

v1::CommentState IssoState(int64_t mode) {
  if ((mode & kIssoDeleted) != 0) return v1::COMMENT_STATE_DELETED;
  return mode == kIssoAccepted ? v1::COMMENT_STATE_VISIBLE : v1::COMMENT_STATE_PENDING;
}

absl::Time IssoTime(double seconds) {
  constexpr double kEndOfYear9999 = 253'402'300'799;
  if (!(seconds > 0 && seconds < kEndOfYear9999)) return absl::InfinitePast();
  return absl::FromUnixMicros(std::llround(seconds * 1e6));
}

// Tables only, with columns that are stored: views, virtual tables and computed columns are
// programs.
constexpr char kCountTables[] =
    "SELECT count(*) FROM sqlite_schema AS s "
    "WHERE type = 'table' AND name IN ('comments', 'threads') AND rootpage > 0 "
    "AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(s.name) WHERE hidden <> 0)";

constexpr char kSelectThreads[] = "SELECT id, uri FROM threads";

constexpr char kSelectComments[] =
    "SELECT id, parent, created, mode, text, author, tid FROM comments";

// The addresses of pages by the ids of threads.
using IssoThreads = absl::flat_hash_map<int64_t, std::string>;

absl::StatusOr<IssoThreads> ReadIssoThreadTable(SqliteDatabase& database) {
  if (absl::Status status = database.Query(kSelectThreads); !status.ok()) return status;
  IssoThreads threads;
  for (;;) {
    const absl::StatusOr<bool> has_row = database.Next();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row) return threads;
    threads.try_emplace(database.Integer(0), database.Text(1));
  }
}

// Returns the id of a comment among those of all databases: Isso counts in each of them from 1. A
// newer copy of a database has the same pages.
std::string IssoId(absl::string_view page, absl::string_view id) {
  return id.empty() ? "" : absl::StrCat(FirstCharacters(page, kMaxPageOfId), "#", id);
}

bool TakeIssoRow(SqliteDatabase& row, const IssoThreads& threads, ExportSink& sink) {
  ExportedComment comment;
  const auto thread = threads.find(row.Integer(6));
  if (thread != threads.end()) comment.address = thread->second;
  comment.source_id = IssoId(comment.address, row.Text(0));
  comment.parent_source_id = IssoId(comment.address, row.Text(1));
  comment.create_time = IssoTime(row.Number(2));
  comment.state = IssoState(row.Integer(3));
  comment.body = row.Text(4);
  comment.to_text = MarkdownToPlainText;
  comment.author_name = row.Text(5);
  const bool is_text = IsUtf8(comment.body) && IsUtf8(comment.source_id) &&
                       IsUtf8(comment.parent_source_id) && IsUtf8(comment.author_name) &&
                       IsUtf8(comment.address);
  if (!is_text) {
    const std::string label = absl::StrCat("comment ", absl::CHexEscape(comment.source_id));
    return sink.Refuse(ItemKind::kComment, label, "is not UTF-8 text");
  }
  return HandOver(std::move(comment), sink);
}

absl::Status ReadIssoDatabase(ExportFile& file, ExportSink& sink) {
  const absl::StatusOr<std::unique_ptr<SqliteDatabase>> opened = SqliteDatabase::Open(file, sink);
  if (!opened.ok()) return opened.status();
  SqliteDatabase& database = **opened;
  if (absl::Status status = database.Query(kCountTables); !status.ok()) return status;
  absl::StatusOr<bool> has_row = database.Next();
  if (!has_row.ok()) return has_row.status();
  if (database.Integer(0) != 2) {
    return absl::InvalidArgumentError("is a database without the tables of Isso");
  }
  const absl::StatusOr<IssoThreads> threads = ReadIssoThreadTable(database);
  if (!threads.ok()) return threads.status();
  if (absl::Status status = database.Query(kSelectComments); !status.ok()) return status;
  for (;;) {
    has_row = database.Next();
    if (!has_row.ok()) return has_row.status();
    if (!*has_row || !TakeIssoRow(database, *threads, sink)) return absl::OkStatus();
  }
}

// Ids are those of a thread's comments. Everything was accepted by the system it came from.
ExportedComment IssoComment(const std::string& thread, const JsonValue& row) {
  ExportedComment comment;
  comment.source_id = IssoId(thread, IdIn(row, "id"));
  comment.parent_source_id = IssoId(thread, IdIn(row, "parent"));
  comment.address = thread;
  comment.author_name = TextIn(row, "author");
  if (const auto time = ParseDate(TextIn(row, "created"))) comment.create_time = *time;
  comment.state = v1::COMMENT_STATE_VISIBLE;
  comment.body = TextIn(row, "text");
  comment.to_text = MarkdownToPlainText;
  return comment;
}

absl::Status ReadIssoThreads(ExportFile& file, ExportSink& sink) {
  const auto use = [](const JsonPath& path) {
    return StandsAt(path, {""}) ? JsonUse::kItem : JsonUse::kPart;
  };
  return ReadJsonItems(file, use, [&sink](const JsonItem& item) {
    if (item.is_too_large) return sink.Refuse(ItemKind::kComment, "a thread", "is too large");
    const std::string thread = TextIn(item.value, "id");
    for (const JsonValue& row : ListIn(item.value, "comments")) {
      if (!HandOver(IssoComment(thread, row), sink)) return false;
    }
    return true;
  });
}

bool BeginsLikeSqlite(absl::string_view head) { return absl::StartsWith(head, kSqliteMagic); }

}  // namespace

bool BeginsLikeIsso(absl::string_view head) {
  return BeginsLikeSqlite(head) || BeginsWithJson(head, [](const JsonPath& path) {
           return StandsAt(path, {"", "comments", "", "text"});
         });
}

absl::Status ReadIsso(ExportFile& file, ExportSink& sink) {
  std::string head(kSqliteMagic.size(), '\0');
  const absl::StatusOr<size_t> count = file.Read(head.data(), head.size());
  if (!count.ok()) return count.status();
  file.Rewind();
  return BeginsLikeSqlite(head) ? ReadIssoDatabase(file, sink) : ReadIssoThreads(file, sink);
}

}  // namespace content::transfer
