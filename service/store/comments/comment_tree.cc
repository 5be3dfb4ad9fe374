#include "store/comments/comment_tree.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "postgres/bulk.h"
#include "store/columns.h"
#include "store/comments/reports.h"

namespace content::store {
namespace {

// Returns a statement that selects these columns of comments in any state. (LIMIT 1 makes the
// planner look up each comment by its key. Otherwise it joins a table that was small when the plan
// was made by reading all of it, however large it has become.)
postgres::BulkStatement<3> SelectByKey(absl::string_view columns) {
  return {absl::StrCat("SELECT ", columns, R"sql(
FROM $rows AS n (bucket, article_key, comment_id)
JOIN article_state s ON s.bucket = n.bucket AND s.article_key = n.article_key
CROSS JOIN LATERAL (
  SELECT * FROM comment found
  WHERE found.bucket = s.bucket AND found.article_key = s.article_key
    AND found.comment_id = n.comment_id
  LIMIT 1
) c
)sql"),
          {"smallint", "bigint", "uuid"}};
}

const postgres::BulkStatement<3>& SelectWholeComments() {
  static const postgres::BulkStatement<3> statement = SelectByKey(absl::StrCat(
      CommentColumns(), ", c.article_key, c.shown, encode(c.thread_key, 'hex') AS thread"));
  return statement;
}

// The columns of the comments above a reply that its change needs.
const postgres::BulkStatement<3>& SelectCounts() {
  static const postgres::BulkStatement<3> statement =
      SelectByKey("c.article_key, c.comment_id, c.state, c.reply_count, c.shown");
  return statement;
}

// parent_id may be ''.
const postgres::BulkStatement<18>& InsertComments() {
  static const auto statement =
      postgres::BulkStatement<18>::Insert("comment", {{{"bucket", "smallint"},
                                                       {"article_key", "bigint"},
                                                       {"comment_id", "uuid"},
                                                       {"parent_id", "text", "NULLIF($, '')::uuid"},
                                                       {"thread_key", "bytea"},
                                                       {"depth", "smallint"},
                                                       {"state", "smallint"},
                                                       {"author_id", "text"},
                                                       {"author_display_name", "text"},
                                                       {"body", "text"},
                                                       {"reply_count", "integer"},
                                                       {"edit_count", "integer"},
                                                       {"create_time", "timestamptz"},
                                                       {"update_time", "timestamptz"},
                                                       {"revision", "bigint"},
                                                       {"text_revision", "bigint"},
                                                       {"shown", "boolean"},
                                                       {"ever_shown", "boolean"}}});
  return statement;
}

const postgres::BulkStatement<13>& UpdateComments() {
  static const postgres::BulkStatement<13> statement(
      R"sql(
UPDATE comment c
SET state = n.state, author_id = n.author_id, author_display_name = n.author_display_name,
    body = n.body, reply_count = n.reply_count, edit_count = n.edit_count,
    update_time = n.update_time, revision = n.revision, text_revision = n.text_revision,
    shown = n.shown, ever_shown = c.ever_shown OR n.shown
FROM $rows AS n (bucket, article_key, comment_id, state, author_id, author_display_name, body,
                 reply_count, edit_count, update_time, revision, text_revision, shown)
WHERE c.bucket = n.bucket AND c.article_key = n.article_key AND c.comment_id = n.comment_id
)sql",
      {"smallint", "bigint", "uuid", "smallint", "text", "text", "text", "integer", "integer",
       "timestamptz", "bigint", "bigint", "boolean"});
  return statement;
}

const postgres::BulkStatement<6>& UpdateCounts() {
  static const postgres::BulkStatement<6> statement(
      R"sql(
UPDATE comment c SET revision = n.revision, reply_count = n.reply_count, shown = n.shown,
                     ever_shown = c.ever_shown OR n.shown
FROM $rows AS n (bucket, article_key, comment_id, revision, reply_count, shown)
WHERE c.bucket = n.bucket AND c.article_key = n.article_key AND c.comment_id = n.comment_id
)sql",
      {"smallint", "bigint", "uuid", "bigint", "integer", "boolean"});
  return statement;
}

postgres::Result Select(postgres::Transaction& transaction,
                        const postgres::BulkStatement<3>& statement,
                        const std::set<StoredKey>& keys) {
  postgres::Rows<3> rows;
  for (const StoredKey& key : keys) {
    rows.Add(key.article.bucket(), key.article.value(), key.comment_id);
  }
  return statement.Exec(transaction, rows);
}

// A thread key (in hexadecimal) contains the ids from the root of the thread down to the comment
// itself, 16 bytes each. Returns all except the last as UUIDs.
std::vector<std::string> AncestorsIn(absl::string_view thread) {
  constexpr size_t kIdLength = 32;
  std::vector<std::string> ids;
  for (; thread.size() > kIdLength; thread.remove_prefix(kIdLength)) {
    ids.push_back(absl::StrCat(thread.substr(0, 8), "-", thread.substr(8, 4), "-",
                               thread.substr(12, 4), "-", thread.substr(16, 4), "-",
                               thread.substr(20, 12)));
  }
  return ids;
}

// Returns the thread key of a comment in PostgreSQL's input format.
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
          .ancestors = AncestorsIn(row["thread"].c_str())};
}

bool IsVisible(const v1::Comment& comment) { return comment.state() == v1::COMMENT_STATE_VISIBLE; }

bool IsShown(v1::CommentState state, int reply_count) {
  return state == v1::COMMENT_STATE_VISIBLE || reply_count > 0;
}

// Returns the change of a count: 1 if the counted property became true, -1 if it became false, 0 if
// it did not change.
int Difference(bool before, bool now) { return static_cast<int>(now) - static_cast<int>(before); }

std::string TimeParameter(const google::protobuf::Timestamp& time) {
  return store::TimeParameter(FromTimestamp(time));
}

// Raises the article's revision and assigns it to a comment whose text is written.
void Stamp(LockedArticle& article, v1::Comment& comment) {
  article.changed = true;
  comment.set_revision(++article.revision);
  comment.set_etag(absl::StrCat(article.revision));
}

void AddRow(const StoredKey& key, const StoredComment& comment, postgres::Rows<18>& rows) {
  const v1::Comment& message = comment.message;
  const int state = message.state();
  rows.Add(key.article.bucket(), key.article.value(), key.comment_id,
           comment.ancestors.empty() ? "" : comment.ancestors.back(), ThreadKey(comment),
           message.depth(), state, message.author().id(), message.author().display_name(),
           message.body(), message.reply_count(), message.edit_count(),
           TimeParameter(message.create_time()), TimeParameter(message.update_time()),
           message.revision(), message.etag(), comment.shown, comment.shown);
}

void AddRow(const StoredKey& key, const StoredComment& comment, postgres::Rows<13>& rows) {
  const v1::Comment& message = comment.message;
  const int state = message.state();
  rows.Add(key.article.bucket(), key.article.value(), key.comment_id, state, message.author().id(),
           message.author().display_name(), message.body(), message.reply_count(),
           message.edit_count(), TimeParameter(message.update_time()), message.revision(),
           message.etag(), comment.shown);
}

}  // namespace

void CommentTree::Read(const std::set<StoredKey>& keys) {
  if (keys.empty()) return;
  for (const auto& row : Select(transaction_, SelectWholeComments(), keys)) {
    const StoredKey key = {ReadKey(row["article_key"]), row["comment_id"].c_str()};
    comments_.try_emplace(key, Entry{.comment = ReadStored(row)});
    ancestors_.erase(key);
  }
}

void CommentTree::ReadAbove(const std::set<StoredKey>& keys) {
  std::set<StoredKey> above;
  for (const StoredKey& key : keys) {
    const auto entry = comments_.find(key);
    if (entry == comments_.end()) continue;
    for (const std::string& id : entry->second.comment.ancestors) {
      const StoredKey ancestor = {key.article, id};
      if (!comments_.contains(ancestor)) above.insert(ancestor);
    }
  }
  if (above.empty()) return;
  for (const auto& row : Select(transaction_, SelectCounts(), above)) {
    ancestors_.try_emplace(
        {ReadKey(row["article_key"]), row["comment_id"].c_str()},
        AncestorCounts{.state = static_cast<v1::CommentState>(row["state"].as<int>()),
                       .reply_count = row["reply_count"].as<int>(),
                       .shown = row["shown"].as<bool>()});
  }
}

const StoredComment* CommentTree::Find(const LockedArticle& article,
                                       const std::string& comment_id) const {
  const auto entry = comments_.find({article.key, comment_id});
  return entry == comments_.end() ? nullptr : &entry->second.comment;
}

const v1::Comment& CommentTree::Add(LockedArticle& article, const std::string& comment_id,
                                    std::vector<std::string> ancestors, v1::Comment comment) {
  Stamp(article, comment);
  Entry& entry = comments_[{article.key, comment_id}];
  entry.pending = Pending::kAll;
  StoredComment& added = entry.comment;
  added.id = comment_id;
  added.shown = IsVisible(comment);
  added.message = std::move(comment);
  added.ancestors = std::move(ancestors);
  if (added.shown) {
    ++article.comment_count;
    CountReply(article, added.ancestors, 1);
  }
  return added.message;
}

const v1::Comment& CommentTree::Change(LockedArticle& article, const StoredComment& comment,
                                       absl::Time now, v1::Comment changed) {
  Entry& entry = comments_[{article.key, comment.id}];
  StoredComment& stored = entry.comment;
  Stamp(article, changed);
  // It never goes back, even if the database's clock does.
  const absl::Time updated = std::max(now, FromTimestamp(stored.message.update_time()));
  *changed.mutable_update_time() = ToTimestamp(updated);
  article.comment_count += Difference(IsVisible(stored.message), IsVisible(changed));
  stored.message = std::move(changed);
  const bool was_shown = stored.shown;
  stored.shown = IsShown(stored.message.state(), stored.message.reply_count());
  CountReply(article, stored.ancestors, Difference(was_shown, stored.shown));
  entry.pending = std::max(entry.pending, Pending::kText);
  return stored.message;
}

// Adds `difference` (1 or -1) to the reply count of the nearest ancestor. If that shows or hides
// the ancestor, the next one gets one reply more or less, and so on upwards.
void CommentTree::CountReply(const LockedArticle& article,
                             const std::vector<std::string>& ancestors, int difference) {
  for (auto id = ancestors.rbegin(); id != ancestors.rend() && difference != 0; ++id) {
    const StoredKey key = {article.key, *id};
    if (const auto entry = comments_.find(key); entry != comments_.end()) {
      difference = AddReplies(difference, article.revision, entry->second);
    } else if (const auto counts = ancestors_.find(key); counts != ancestors_.end()) {
      difference = AddReplies(difference, article.revision, counts->second);
    } else {
      // It was not read because nothing can change here, unless the stored counts are wrong.
      // VerifyCounters repairs those.
      return;
    }
  }
}

// Returns by how much this changes the parent's reply count.
int CommentTree::AddReplies(int difference, int64_t revision, Entry& entry) {
  v1::Comment& message = entry.comment.message;
  message.set_reply_count(message.reply_count() + difference);
  if (entry.pending != Pending::kAll) message.set_revision(revision);
  entry.pending = std::max(entry.pending, Pending::kCounts);
  const bool was_shown = entry.comment.shown;
  entry.comment.shown = IsShown(message.state(), message.reply_count());
  return Difference(was_shown, entry.comment.shown);
}

int CommentTree::AddReplies(int difference, int64_t revision, AncestorCounts& counts) {
  counts.reply_count += difference;
  counts.revision = revision;
  const bool was_shown = counts.shown;
  counts.shown = IsShown(counts.state, counts.reply_count);
  return Difference(was_shown, counts.shown);
}

void CommentTree::Write() const {
  postgres::Rows<18> added;
  postgres::Rows<13> changed;
  std::vector<CommentCounts> counted;
  std::set<StoredKey> deleted;
  for (const auto& [key, entry] : comments_) {
    const StoredComment& comment = entry.comment;
    const v1::Comment& message = comment.message;
    switch (entry.pending) {
      case Pending::kNothing:
        break;
      case Pending::kCounts:
        counted.push_back({key, message.revision(), message.reply_count(), comment.shown});
        break;
      case Pending::kText:
        AddRow(key, comment, changed);
        if (message.state() == v1::COMMENT_STATE_DELETED) deleted.insert(key);
        break;
      case Pending::kAll:
        AddRow(key, comment, added);
        break;
    }
  }
  for (const auto& [key, counts] : ancestors_) {
    if (counts.revision == 0) continue;
    counted.push_back({key, counts.revision, counts.reply_count, counts.shown});
  }
  if (!added.empty()) InsertComments().Exec(transaction_, added);
  if (!changed.empty()) UpdateComments().Exec(transaction_, changed);
  WriteCounts(transaction_, counted);
  DeleteReports(transaction_, deleted);
}

void WriteCounts(postgres::Transaction& transaction, const std::vector<CommentCounts>& comments) {
  if (comments.empty()) return;
  postgres::Rows<6> rows;
  for (const CommentCounts& comment : comments) {
    rows.Add(comment.key.article.bucket(), comment.key.article.value(), comment.key.comment_id,
             comment.revision, comment.reply_count, comment.shown);
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
