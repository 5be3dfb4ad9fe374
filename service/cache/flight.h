#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "cache/cached_article.h"
#include "cache/lookup.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::cache {

struct Entry;
class Shard;

/// What the database is asked about an entry.
struct Question {
  enum class Kind : uint8_t {
    kState,    // whether what is known is still current
    kArticle,  // the article in `view`
    kPage,     // a page, and the article if there is a `view`
  };

  /// Whether its answer has everything that an answer to `other` has.
  bool Covers(const Question& other) const;

  Kind kind = Kind::kState;
  std::optional<v1::ArticleView> view = {};
  /// The key of the page.
  std::string page = {};
};

/// Confirms what is known.
inline Question StateQuestion() { return {.kind = Question::Kind::kState}; }

/// The question whose answer, with what `entry` holds, answers `lookup`.
Question QuestionFor(const Entry& entry, const Lookup& lookup);

/// A question to the database that is under way, and the reads that wait for its answer.
///
/// The answer shows everything that the entry had learned before the flight began, because the
/// database had it by then. So it is good for every read that joined before anything newer was
/// learned. The caller of a later read may know of something newer, from an answer or because it
/// was a write of its own. For such a read the answer is good if it shows at least what is known by
/// the time it lands; otherwise the read joins another flight. That flight begins after the read
/// has joined and is good in any case, so no read waits for more than three flights of a kind,
/// however often the article changes. (Only if one flight finds an article and another, under way
/// at the same time, finds none, the first one is good for nobody.)
///
/// Reads are answered when the flight lands. Those whose caller has gone, or whose deadline has
/// passed, are answered before that, by the maintenance thread. The number of reads that wait for
/// one flight is limited (flights.cc). The number of flights is limited by the source, which
/// refuses questions when its queue is full, and for confirmations ahead of time by the refresher.
struct Flight {
  Shard& shard;
  /// Exists while the flight is under way; must not be touched afterwards. Guarded by shard.mutex.
  Entry& entry;
  const Question question;
  /// Makes the page, if the question asks for one.
  const std::shared_ptr<const LoadPage> load;
  const Tick begun_tick;
  const SteadyTime begun_at;
  /// Whether the thread that begins it may wait for its answer. Used by that thread only.
  bool may_run_here = false;
  /// Guarded by shard.mutex.
  std::vector<WaitingRead> waiters = {};
};

using FlightPtr = std::shared_ptr<Flight>;

/// What a flight has brought, from the source's answer.
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<ArticleState>> answer);
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<std::optional<EncodedArticle>> answer);
absl::StatusOr<Snapshot> ToSnapshot(absl::StatusOr<LoadedPage> answer);

}  // namespace content::cache
