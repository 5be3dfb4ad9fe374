#include "watch/sources.h"

#include <atomic>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/errors.h"
#include "content/page_token.h"
#include "content/v1/content_service.pb.h"

namespace content::watch {
namespace {

Message Share(const google::protobuf::Message& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

// Follows a cursor's revision or position; before its epoch.
constexpr char kEpochMark = '@';

std::string WithEpoch(std::string cursor, const Epoch& epoch) {
  if (!epoch.empty()) absl::StrAppend(&cursor, std::string(1, kEpochMark), epoch);
  return cursor;
}

// Returns the two parts of such a cursor. The epoch is empty in cursors of former versions.
std::pair<absl::string_view, Epoch> SplitEpoch(absl::string_view cursor) {
  return absl::StrSplit(cursor, absl::MaxSplits(kEpochMark, 1));
}

// ---- Comments: the key is the article's id, the cursor a CommentCursor as text ----

// The query that resume tokens are bound to.
constexpr char kCommentTokenQuery[] = "content.v1.WatchCommentsRequest/resume_token";

std::string EncodeCursor(const CommentCursor& cursor) {
  return WithEpoch(absl::StrCat(cursor.revision), cursor.epoch);
}

std::optional<CommentCursor> DecodeCommentCursor(absl::string_view text) {
  auto [revision, epoch] = SplitEpoch(text);
  CommentCursor cursor{.epoch = std::move(epoch)};
  if (!absl::SimpleAtoi(revision, &cursor.revision)) return std::nullopt;
  return cursor;
}

Batch ToBatch(CommentChanges changes) {
  v1::WatchCommentsResponse heartbeat;
  heartbeat.set_article_revision(changes.article_revision);
  heartbeat.set_comment_count(changes.comment_count);
  const CommentCursor cursor{.revision = changes.article_revision, .epoch = changes.epoch};
  heartbeat.set_resume_token(CommentResumeToken(cursor));
  Batch batch{.messages = {},
              .cursor = EncodeCursor(cursor),
              .heartbeat = Share(heartbeat),
              .complete = changes.complete};
  for (auto comment = changes.comments.begin(); comment != changes.comments.end();) {
    v1::WatchCommentsResponse response;
    response.set_article_revision(comment->revision());
    response.set_comment_count(changes.comment_count);
    response.set_resume_token(
        CommentResumeToken({.revision = comment->revision(), .epoch = changes.epoch}));
    while (comment != changes.comments.end() &&
           comment->revision() == response.article_revision()) {
      *response.add_comments() = std::move(*comment++);
    }
    batch.messages.push_back(Share(response));
  }
  return batch;
}

class CommentChangesSource final : public Source {
 public:
  CommentChangesSource(ArticleSource& articles, ChangeFeed& changes)
      : articles_(articles), changes_(changes) {}

  void Poll(CallContext call, Positions positions, Callback<std::vector<bool>> done) override {
    std::vector<std::string> ids;
    for (const Position& position : *positions) {
      if (ids.empty() || ids.back() != position.key) ids.push_back(position.key);
    }
    articles_.ReadArticleStates(
        std::move(call), std::move(ids),
        [this, positions = std::move(positions), done = std::move(done)](
            absl::StatusOr<std::vector<std::optional<ArticleState>>> states) mutable {
          if (!states.ok()) return std::move(done)(states.status());
          std::move(done)(FindChanged(*positions, *states, changes_.LatestEpoch()));
        });
  }

  void Read(CallContext call, Position position, Callback<Batch> done) override {
    std::optional<CommentCursor> after = DecodeCommentCursor(position.cursor);
    if (!after) return std::move(done)(Internal("a watch of comments has a malformed cursor"));
    changes_.ReadCommentChanges(
        std::move(call), std::move(position.key), *std::move(after),
        [done = std::move(done)](absl::StatusOr<CommentChanges> changes) mutable {
          if (!changes.ok()) return std::move(done)(changes.status());
          std::move(done)(ToBatch(*std::move(changes)));
        });
  }

 private:
  // `states` has one entry per key, in the order of the positions.
  static std::vector<bool> FindChanged(const std::vector<Position>& positions,
                                       const std::vector<std::optional<ArticleState>>& states,
                                       const Epoch& epoch) {
    std::vector<bool> has_changes;
    auto state = states.begin();
    for (size_t i = 0; i < positions.size(); ++i) {
      if (i > 0 && positions[i].key != positions[i - 1].key) ++state;
      // A missing article, or one of another epoch, counts as changed: reading it then fails.
      has_changes.push_back(!*state || EncodeCursor(CommentCursor{(*state)->revision, epoch}) !=
                                           positions[i].cursor);
    }
    return has_changes;
  }

  ArticleSource& articles_;
  ChangeFeed& changes_;
};

// ---- Articles: the key is empty, the cursor is an ArticleCursor as text ----

// Cursors of watchers that have not read anything yet.
constexpr char kFromAll[] = "all";
constexpr char kFromNow[] = "now";

// The query that resume tokens are bound to.
constexpr char kTokenQuery[] = "content.v1.WatchArticlesRequest/resume_token";

std::string EncodeCursor(const ArticleCursor& cursor) {
  return WithEpoch(
      absl::StrCat(cursor.position, "/", cursor.start_position, "/", cursor.known_position),
      cursor.epoch);
}

// Schema version 6 and older: position, publish time, id, known position and sometimes a second
// time. Unless the publish time is "future", the watcher was still being sent all articles, in
// another order than today's, and begins with them again.
std::optional<ArticleCursor> DecodeOldCursor(const std::vector<absl::string_view>& parts) {
  ArticleCursor cursor;
  if (!absl::SimpleAtoi(parts[0], &cursor.position) ||
      !absl::SimpleAtoi(parts[3], &cursor.known_position)) {
    return std::nullopt;
  }
  if (parts[1] != "future") return ArticleCursor{.start_position = cursor.position};
  if (parts.size() == 5 && parts[4] == "past") cursor.known_position = 0;
  return cursor;
}

std::optional<ArticleCursor> DecodeCursor(absl::string_view text) {
  auto [place, epoch] = SplitEpoch(text);
  const std::vector<absl::string_view> parts = absl::StrSplit(place, '/');
  if (parts.size() == 4 || parts.size() == 5) return DecodeOldCursor(parts);
  ArticleCursor cursor{.epoch = std::move(epoch)};
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &cursor.position) ||
      !absl::SimpleAtoi(parts[1], &cursor.start_position) ||
      !absl::SimpleAtoi(parts[2], &cursor.known_position)) {
    return std::nullopt;
  }
  return cursor;
}

Message ArticleMessage(v1::WatchArticlesResponse response, const ArticleCursor& cursor) {
  response.set_resume_token(MakePageToken(kTokenQuery, EncodeCursor(cursor)));
  return Share(response);
}

Batch ToBatch(ArticleChanges changes) {
  Batch batch{.messages = {},
              .cursor = EncodeCursor(changes.cursor),
              .heartbeat = ArticleMessage({}, changes.cursor),
              .complete = changes.complete};
  for (ArticleChangeRecord& record : changes.changes) {
    v1::WatchArticlesResponse response;
    response.set_change(record.change);
    *response.mutable_article() = std::move(record.article);
    for (std::string& name : record.former_names) response.add_former_names(std::move(name));
    batch.messages.push_back(ArticleMessage(std::move(response), record.cursor));
  }
  return batch;
}

class ArticleChangesSource final : public Source {
 public:
  explicit ArticleChangesSource(ChangeFeed& changes) : changes_(changes) {}

  // A read costs no more than a poll would.
  void Poll(CallContext, Positions positions, Callback<std::vector<bool>> done) override {
    std::move(done)(std::vector<bool>(positions->size(), true));
  }

  void Read(CallContext call, Position position, Callback<Batch> done) override {
    const bool from_all = position.cursor == kFromAll;
    if (from_all || position.cursor == kFromNow) {
      return Begin(std::move(call), from_all, std::move(done));
    }
    std::optional<ArticleCursor> cursor = DecodeCursor(position.cursor);
    if (!cursor) return std::move(done)(Internal("a watch of articles has a malformed cursor"));
    changes_.ReadArticleChanges(
        std::move(call), *std::move(cursor),
        [done = std::move(done)](absl::StatusOr<ArticleChanges> changes) mutable {
          if (!changes.ok()) return std::move(done)(changes.status());
          std::move(done)(ToBatch(*std::move(changes)));
        });
  }

 private:
  void Begin(CallContext call, bool from_all, Callback<Batch> done) {
    changes_.GetArticleCursor(std::move(call), [from_all, done = std::move(done)](
                                                   absl::StatusOr<ArticleCursor> cursor) mutable {
      if (!cursor.ok()) return std::move(done)(cursor.status());
      if (from_all) *cursor = {.start_position = cursor->position, .epoch = cursor->epoch};
      std::move(done)(
          ToBatch({.changes = {}, .cursor = *std::move(cursor), .complete = !from_all}));
    });
  }

  ChangeFeed& changes_;
};

}  // namespace

std::unique_ptr<Source> NewCommentSource(ArticleSource& articles, ChangeFeed& changes) {
  return std::make_unique<CommentChangesSource>(articles, changes);
}

Position CommentPosition(std::string article_id, int64_t revision) {
  return {std::move(article_id), absl::StrCat(revision)};
}

std::string CommentResumeToken(const CommentCursor& cursor) {
  return MakePageToken(kCommentTokenQuery, EncodeCursor(cursor));
}

std::optional<Position> ResumedCommentPosition(std::string article_id,
                                               absl::string_view resume_token) {
  std::optional<std::string> text = ReadPageToken(kCommentTokenQuery, resume_token);
  if (!text || !DecodeCommentCursor(*text)) return std::nullopt;
  return Position{std::move(article_id), *std::move(text)};
}

std::unique_ptr<Source> NewArticleSource(ChangeFeed& changes) {
  return std::make_unique<ArticleChangesSource>(changes);
}

Position FirstArticlePosition(bool skip_existing) {
  return {"", skip_existing ? kFromNow : kFromAll};
}

std::optional<Position> ResumedArticlePosition(absl::string_view resume_token) {
  const std::optional<std::string> text = ReadPageToken(kTokenQuery, resume_token);
  if (!text || !DecodeCursor(*text)) return std::nullopt;
  return Position{"", *text};
}

FeedListeners WakeFeeds(Feed& comments, Feed& articles) {
  // Every change to an article has a higher version than all earlier ones, except those that a
  // failover has lost; comments do not change it. If two threads race here, the feed is woken once
  // too often.
  const auto newest = std::make_shared<std::atomic<int64_t>>(0);
  return {.on_change =
              [&comments, &articles, newest](const ChangeNotice& change) {
                comments.Wake();
                if (change.state.version <= *newest) return;
                *newest = change.state.version;
                articles.Wake();
              },
          .on_failover =
              [&comments, &articles, newest] {
                *newest = 0;
                comments.Wake();
                articles.Wake();
              }};
}

}  // namespace content::watch
