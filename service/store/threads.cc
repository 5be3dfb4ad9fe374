#include "store/threads.h"

#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "store/rows.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;

// $1 article key, $2 comment id. The comment in whatever state.
std::string SelectComment() {
  return absl::StrCat("SELECT ", kCommentColumns,
                      ", c.shown, encode(c.thread_key, 'hex') AS thread FROM comment c "
                      "JOIN article_state s USING (article_id) "
                      "WHERE c.article_id = $1 AND c.comment_id = $2::uuid");
}

// $1 article key, $2 comment id, $3 new revision, $4 time, $5 state, $6 author id, $7 display name,
// $8 body, $9 edit count, $10 shown, $11 what the comment adds to the article's comment_count.
constexpr char kUpdateComment[] = R"sql(
WITH counted AS (
  UPDATE article_state SET revision = $3::bigint, comment_count = comment_count + $11::integer
  WHERE article_id = $1
)
UPDATE comment SET revision = $3::bigint, text_revision = $3::bigint, update_time = $4::timestamptz,
                   state = $5::smallint, author_id = $6, author_display_name = $7, body = $8,
                   edit_count = $9::integer, shown = $10::boolean,
                   ever_shown = ever_shown OR $10::boolean
WHERE article_id = $1 AND comment_id = $2::uuid
)sql";

// $1 article key, $2 comment ids (array).
constexpr char kSelectCounts[] =
    "SELECT comment_id, state, reply_count, shown FROM comment "
    "WHERE article_id = $1 AND comment_id = ANY ($2::uuid[])";

// $1 article key, $2 comment ids, $3 reply counts, $4 shown (arrays), $5 new revision. Whatever has
// replies was VISIBLE when they were written, so ever_shown stays.
constexpr char kUpdateCounts[] = R"sql(
UPDATE comment c SET reply_count = n.reply_count, shown = n.shown, revision = $5::bigint
FROM unnest($2::uuid[], $3::integer[], $4::boolean[]) AS n (comment_id, reply_count, shown)
WHERE c.article_id = $1 AND c.comment_id = n.comment_id
)sql";

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

bool IsVisible(const v1::Comment& comment) { return comment.state() == v1::COMMENT_STATE_VISIBLE; }

struct Counts {
  bool visible;
  int replies;
  bool shown;
};

std::map<std::string, Counts> ReadCounts(Transaction& transaction, const std::string& article_id,
                                         const std::vector<std::string>& comment_ids) {
  std::map<std::string, Counts> counts;
  for (const auto& row : transaction.Exec(kSelectCounts, article_id, ArrayParameter(comment_ids))) {
    counts[row["comment_id"].c_str()] = {row["state"].as<int>() == v1::COMMENT_STATE_VISIBLE,
                                         row["reply_count"].as<int>(), row["shown"].as<bool>()};
  }
  return counts;
}

// Counts one reply more (or, with -1, one less) in the nearest of these, and so on upwards as long
// as that shows or hides the one that is counted.
void CountReply(Transaction& transaction, const LockedArticle& article,
                const std::vector<std::string>& ancestors, int difference) {
  const std::map<std::string, Counts> before = ReadCounts(transaction, article.id, ancestors);
  std::vector<std::string> ids;
  std::vector<std::string> replies;
  std::vector<std::string> shown;
  for (auto id = ancestors.rbegin(); id != ancestors.rend() && difference != 0; ++id) {
    const Counts& counts = before.at(*id);
    const int new_replies = counts.replies + difference;
    const bool now_shown = counts.visible || new_replies > 0;
    ids.push_back(*id);
    replies.push_back(absl::StrCat(new_replies));
    shown.emplace_back(now_shown ? "true" : "false");
    difference = static_cast<int>(now_shown) - static_cast<int>(counts.shown);
  }
  transaction.Exec(kUpdateCounts, article.id, ArrayParameter(ids), ArrayParameter(replies),
                   ArrayParameter(shown), article.revision);
}

}  // namespace

std::optional<StoredComment> FindComment(Transaction& transaction, const LockedArticle& article,
                                         const std::string& comment_id) {
  static const std::string statement = SelectComment();
  const pqxx::result rows = transaction.Exec(statement, article.id, comment_id);
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  return StoredComment{.message = ReadComment(row, Audience::kModerators),
                       .id = comment_id,
                       .shown = row["shown"].as<bool>(),
                       .ancestors = IdsAbove(row["thread"].c_str())};
}

void WriteComment(Transaction& transaction, const StoredComment& comment, absl::Time now,
                  LockedArticle& article, v1::Comment& changed) {
  const int64_t revision = ++article.revision;
  article.changed = true;
  const bool shown = IsVisible(changed) || changed.reply_count() > 0;
  const int visible_difference =
      static_cast<int>(IsVisible(changed)) - static_cast<int>(IsVisible(comment.message));
  transaction.Exec(kUpdateComment, article.id, comment.id, revision, TimeParameter(now),
                   static_cast<int>(changed.state()), changed.author().id(),
                   changed.author().display_name(), changed.body(), changed.edit_count(), shown,
                   visible_difference);
  if (shown != comment.shown && !comment.ancestors.empty()) {
    CountReply(transaction, article, comment.ancestors, shown ? 1 : -1);
  }
  *changed.mutable_update_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(now));
  changed.set_revision(revision);
  changed.set_etag(absl::StrCat(revision));
}

v1::Comment Tombstone(v1::Comment comment) {
  comment.clear_author();
  comment.clear_body();
  comment.set_state(v1::COMMENT_STATE_DELETED);
  return comment;
}

}  // namespace content::store
