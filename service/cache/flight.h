#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/clock.h"
#include "cache/cached_article.h"
#include "cache/lookup.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::cache {

struct Entry;
class Shard;

/// A question to the database about an entry.
struct Question {
  enum class Kind : uint8_t {
    kState,    // whether what is known is still current
    kArticle,  // the article in `view`
    kPage,     // a page, and the article if there is a `view`
  };

  /// Returns whether an answer to this question contains everything that an answer to `other`
  /// contains.
  bool Covers(const Question& other) const;

  Kind kind = Kind::kState;
  std::optional<v1::ArticleView> view = {};
  /// The key of the page.
  std::string page = {};
};

/// Returns the question that confirms an entry.
inline Question StateQuestion() { return {.kind = Question::Kind::kState}; }

/// Returns the question whose answer, together with the contents of `entry`, answers `lookup`.
Question QuestionFor(const Entry& entry, const Lookup& lookup);

/// A question that was sent to the database, and the reads that wait for its answer.
///
/// The answer includes everything that the entry had learned before the flight began, because the
/// database had it by then. So it is valid for every read that joined before anything newer was
/// learned. The caller of a later read may know something newer, from another answer or because it
/// wrote it. For such a read the answer is valid if it is at least as new as the entry when the
/// flight lands; otherwise the read joins another flight. That flight begins after the read has
/// joined, so its answer is always valid. No read waits for more than three flights of a kind,
/// however often the article changes. (One exception: if one flight finds an article and another,
/// under way at the same time, finds none, the answer of the first is valid for nobody.)
///
/// Reads are answered when the flight lands. Reads that were cancelled or whose deadline has passed
/// are answered earlier, by the maintenance thread. flights.cc limits the number of reads that wait
/// for one flight. The source limits the number of flights: it refuses questions when its queue is
/// full. The refresher limits the questions that confirm ahead of time.
struct Flight {
  Shard& shard;
  /// Exists while the flight is under way and must not be accessed afterwards. Guarded by
  /// shard.mutex.
  Entry& entry;
  const Question question;
  /// Loads the page; nullptr unless the question asks for one.
  const std::shared_ptr<const LoadPage> load;
  const Tick begun_tick;
  const SteadyTime begun_at;
  /// Whether the thread that begins it may wait for its answer. Used by that thread only.
  bool may_run_here = false;
  /// The account of the read that began it; the server's own work if none did. Guarded by
  /// shard.mutex until it is sent, then constant.
  Account account = kOwnWork;
  /// Of the read that began it; nullptr if it has none. Guarded like `account`.
  std::shared_ptr<CallTrace> trace = nullptr;
  /// Whether its answer is useless, because the database has failed over since it began. Nobody
  /// waits for it. Guarded by shard.mutex.
  bool is_abandoned = false;
  /// Guarded by shard.mutex.
  std::vector<WaitingRead> waiters = {};
};

using FlightPtr = std::shared_ptr<Flight>;

/// Converts the source's answer to a Snapshot.
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<ArticleState>> answer);
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<EncodedArticle>> answer);
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<LoadedPage> answer);

}  // namespace content::cache
