#include "store/comments/comment_tree.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "content/names.h"
#include "google/protobuf/util/time_util.h"
#include "postgres/bulk.h"
#include "store/columns.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

// Comments in whatever state.
const postgres::BulkStatement<2>& SelectComments() {
  static const postgres::BulkStatement<2> statement(
      absl::StrCat("SELECT ", kCommentColumns,
                   ", c.article_id, c.shown, encode(c.thread_key, 'hex') AS thread "
                   "FROM $rows AS n (article_id, comment_id) JOIN comment c "
                   "ON c.article_id = n.article_id AND c.comment_id = n.comment_id "
                   "JOIN article_state s ON s.article_id = c.article_id"),
      {"text", "uuid"});
  return statement;
}

// What of them is counted.
const postgres::BulkStatement<2>& SelectCounts() {
  static const postgres::BulkStatement<2> statement(R"sql(
SELECT c.article_id, c.comment_id, c.state, c.reply_count, c.shown
FROM $rows AS n (article_id, comment_id)
JOIN comment c ON c.article_id = n.article_id AND c.comment_id = n.comment_id
)sql",
                                                    {"text", "uuid"});
  return statement;
}

// parent_id may be ''.
const postgres::BulkStatement<16>& InsertComments() {
  static const postgres::BulkStatement<16> statement(
      R"sql(
INSERT INTO comment (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                     author_display_name, body, reply_count, edit_count, create_time, update_time,
                     revision, text_revision, shown, ever_shown)
SELECT n.article_id, n.comment_id, NULLIF(n.parent_id, '')::uuid, n.thread_key, n.depth, n.state,
       n.author_id, n.author_display_name, n.body, n.reply_count, n.edit_count, n.create_time,
       n.update_time, n.revision, n.text_revision, n.shown, n.shown
FROM $rows AS n (article_id, comment_id, parent_id, thread_key, depth, state, author_id,
                 author_display_name, body, reply_count, edit_count, create_time, update_time,
                 revision, text_revision, shown)
)sql",
      {"text", "uuid", "text", "bytea", "smallint", "smallint", "text", "text", "text", "integer",
       "integer", "timestamptz", "timestamptz", "bigint", "bigint", "boolean"});
  return statement;
}

const postgres::BulkStatement<12>& UpdateComments() {
  static const postgres::BulkStatement<12> statement(
      R"sql(
UPDATE comment c
SET state = n.state, author_id = n.author_id, author_display_name = n.author_display_name,
    body = n.body, reply_count = n.reply_count, edit_count = n.edit_count,
    update_time = n.update_time, revision = n.revision, text_revision = n.text_revision,
    shown = n.shown, ever_shown = c.ever_shown OR n.shown
FROM $rows AS n (article_id, comment_id, state, author_id, author_display_name, body, reply_count,
                 edit_count, update_time, revision, text_revision, shown)
WHERE c.article_id = n.article_id AND c.comment_id = n.comment_id
)sql",
      {"text", "uuid", "smallint", "text", "text", "text", "integer", "integer", "timestamptz",
       "bigint", "bigint", "boolean"});
  return statement;
}

const postgres::BulkStatement<5>& UpdateCounts() {
  static const postgres::BulkStatement<5> statement(
      R"sql(
UPDATE comment c SET revision = n.revision, reply_count = n.reply_count, shown = n.shown,
                     ever_shown = c.ever_shown OR n.shown
FROM $rows AS n (article_id, comment_id, revision, reply_count, shown)
WHERE c.article_id = n.article_id AND c.comment_id = n.comment_id
)sql",
      {"text", "uuid", "bigint", "integer", "boolean"});
  return statement;
}

postgres::Result Select(postgres::Transaction& transaction,
                        const postgres::BulkStatement<2>& statement,
                        const std::set<StoredKey>& keys) {
  postgres::Rows<2> rows;
  for (const StoredKey& key : keys) rows.Add(key.article_id, key.comment_id);
  return statement.Exec(transaction, rows);
}

// The ids in a thread key (hex), 16 bytes each, as UUIDs; the last is the comment's own.
std::vector<std::string> IdsAbove(absl::string_view thread) {
  constexpr size_t kIdLength = 32;
  std::vector<std::string> ids;
  for (; thread.size() > kIdLength; thread.remove_prefix(kIdLength)) {
    ids.push_back(absl::StrCat(thread.substr(0, 8), "-", thread.substr(8, 4), "-",
                               thread.substr(12, 4), "-", thread.substr(16, 4), "-",
                               thread.substr(20, 12)));
  }
  return ids;
}

// The opposite, as PostgreSQL reads it.
std::string ThreadKey(const StoredComment& comment) {
  std::string key = "\\x";
  for (const std::string& id : comment.ancestors) absl::StrAppend(&key, id);
  absl::StrAppend(&key, comment.id);
  return absl::StrReplaceAll(key, {{"-", ""}});
}

StoredComment ReadStored(const postgres::Row& row) {
  return {.message = ReadComment(row, Audience::kModerators),
          .id = row["comment_id"].c_str(),
          .shown = row["shown"].as<bool>(),
          .ancestors = IdsAbove(row["thread"].c_str())};
}

StoredComment ReadCounts(const postgres::Row& row) {
  StoredComment comment{.message = {},
                        .id = row["comment_id"].c_str(),
                        .shown = row["shown"].as<bool>(),
                        .ancestors = {}};
  comment.message.set_state(static_cast<v1::CommentState>(row["state"].as<int>()));
  comment.message.set_reply_count(row["reply_count"].as<int>());
  return comment;
}

bool IsVisible(const v1::Comment& comment) { return comment.state() == v1::COMMENT_STATE_VISIBLE; }

bool IsShown(const v1::Comment& comment) { return IsVisible(comment) || comment.reply_count() > 0; }

std::string TimeParameter(const google::protobuf::Timestamp& time) {
  return store::TimeParameter(FromTimestamp(time));
}

// Raises the article's revision and gives it to a comment that is written.
void Stamp(LockedArticle& article, v1::Comment& comment) {
  article.changed = true;
  comment.set_revision(++article.revision);
  comment.set_etag(absl::StrCat(article.revision));
}

}  // namespace

void Threads::Read(const std::set<StoredKey>& keys) {
  if (keys.empty()) return;
  for (const auto& row : Select(transaction_, SelectComments(), keys)) {
    entries_.try_emplace({row["article_id"].c_str(), row["comment_id"].c_str()},
                         Entry{.comment = ReadStored(row)});
  }
}

void Threads::ReadAbove(const std::set<StoredKey>& keys) {
  std::set<StoredKey> above;
  for (const StoredKey& key : keys) {
    const auto entry = entries_.find(key);
    if (entry == entries_.end()) continue;
    for (const std::string& id : entry->second.comment.ancestors) {
      if (!entries_.contains({key.article_id, id})) above.insert({key.article_id, id});
    }
  }
  if (above.empty()) return;
  for (const auto& row : Select(transaction_, SelectCounts(), above)) {
    entries_.try_emplace({row["article_id"].c_str(), row["comment_id"].c_str()},
                         Entry{.comment = ReadCounts(row)});
  }
}

const StoredComment* Threads::Find(const LockedArticle& article,
                                   const std::string& comment_id) const {
  const auto entry = entries_.find({article.id, comment_id});
  return entry == entries_.end() ? nullptr : &entry->second.comment;
}

const v1::Comment& Threads::Add(LockedArticle& article, const std::string& comment_id,
                                const StoredComment* parent, v1::Comment comment) {
  Stamp(article, comment);
  Entry& entry = entries_[{article.id, comment_id}];
  entry.work = Work::kAll;
  StoredComment& added = entry.comment;
  added.id = comment_id;
  added.shown = IsVisible(comment);
  added.message = std::move(comment);
  if (parent != nullptr) {
    added.ancestors = parent->ancestors;
    added.ancestors.push_back(parent->id);
  }
  if (added.shown) {
    ++article.comment_count;
    CountReply(article, added.ancestors, 1);
  }
  return added.message;
}

const v1::Comment& Threads::Change(LockedArticle& article, const std::string& comment_id,
                                   absl::Time now, v1::Comment changed) {
  Entry& entry = entries_.at({article.id, comment_id});
  StoredComment& comment = entry.comment;
  Stamp(article, changed);
  *changed.mutable_update_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  article.comment_count +=
      static_cast<int>(IsVisible(changed)) - static_cast<int>(IsVisible(comment.message));
  comment.message = std::move(changed);
  const bool was_shown = std::exchange(comment.shown, IsShown(comment.message));
  CountReply(article, comment.ancestors,
             static_cast<int>(comment.shown) - static_cast<int>(was_shown));
  entry.work = std::max(entry.work, Work::kText);
  return comment.message;
}

// Counts one reply more (or, with -1, one less) in the nearest of these, and so on upwards as long
// as that shows or hides the one that is counted.
void Threads::CountReply(const LockedArticle& article, const std::vector<std::string>& ancestors,
                         int difference) {
  for (auto id = ancestors.rbegin(); id != ancestors.rend() && difference != 0; ++id) {
    const auto found = entries_.find({article.id, *id});
    // Not read, because nothing changes here, unless what was counted was wrong: VerifyCounters is
    // for that.
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    v1::Comment& message = entry.comment.message;
    message.set_reply_count(message.reply_count() + difference);
    message.set_revision(article.revision);
    const bool was_shown = std::exchange(entry.comment.shown, IsShown(message));
    difference = static_cast<int>(entry.comment.shown) - static_cast<int>(was_shown);
    entry.work = std::max(entry.work, Work::kCounts);
  }
}

void Threads::Write() const {
  postgres::Rows<16> added;
  postgres::Rows<12> changed;
  std::vector<CommentCounts> counted;
  for (const auto& [key, entry] : entries_) {
    const StoredComment& comment = entry.comment;
    const v1::Comment& message = comment.message;
    const int state = message.state();
    switch (entry.work) {
      case Work::kNothing:
        break;
      case Work::kCounts:
        counted.push_back({key, message.revision(), message.reply_count(), comment.shown});
        break;
      case Work::kText:
        changed.Add(key.article_id, key.comment_id, state, message.author().id(),
                    message.author().display_name(), message.body(), message.reply_count(),
                    message.edit_count(), TimeParameter(message.update_time()), message.revision(),
                    message.etag(), comment.shown);
        break;
      case Work::kAll:
        added.Add(key.article_id, key.comment_id,
                  comment.ancestors.empty() ? "" : comment.ancestors.back(), ThreadKey(comment),
                  message.depth(), state, message.author().id(), message.author().display_name(),
                  message.body(), message.reply_count(), message.edit_count(),
                  TimeParameter(message.create_time()), TimeParameter(message.update_time()),
                  message.revision(), message.etag(), comment.shown);
        break;
    }
  }
  if (!added.empty()) InsertComments().Exec(transaction_, added);
  if (!changed.empty()) UpdateComments().Exec(transaction_, changed);
  WriteCounts(transaction_, counted);
}

void WriteCounts(postgres::Transaction& transaction, const std::vector<CommentCounts>& comments) {
  if (comments.empty()) return;
  postgres::Rows<5> rows;
  for (const CommentCounts& comment : comments) {
    rows.Add(comment.key.article_id, comment.key.comment_id, comment.revision, comment.reply_count,
             comment.shown);
  }
  UpdateCounts().Queue(transaction, rows);
}

v1::Comment Tombstone(v1::Comment comment) {
  comment.clear_author();
  comment.clear_body();
  comment.set_state(v1::COMMENT_STATE_DELETED);
  return comment;
}

}  // namespace content::store
