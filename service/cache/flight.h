#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cache/entry.h"
#include "content/read_cache.h"
#include "content/store.h"

namespace content::cache {

class Shard;

/// A read that could not be answered at once.
struct Read {
  CallContext context;
  /// As the caller gave it.
  std::string id;
  /// Under which the article is looked for.
  std::string name = id;
  std::optional<v1::ArticleView> view = {};
  /// The key of a page, and what makes it.
  std::optional<std::string> page = {};
  std::shared_ptr<const LoadPage> load = {};
  int64_t min_revision = 0;
  absl::AnyInvocable<void(absl::StatusOr<Found>) &&> done;

  /// When it came to the entry.
  SteadyTime asked_at = {};
  Tick joined = 0;
  /// When the newest was learned that its caller may know of.
  Tick floor = 0;
  /// How often it has been sent on, to a flight or to another name.
  int steps = 0;
  /// Whether it is counted as a read for which the database was asked.
  bool counted = false;

  Want want() const { return {.view = view, .page = page, .min_revision = min_revision}; }
};

/// Why the caller of a read does not wait any more; nothing if it does.
std::optional<absl::Status> WhyGone(const Read& read);

/// What is to be asked about the entry for this read.
Need NeedOf(const Entry& entry, const Read& read);

/// A question to the database about one entry, and the reads that wait for the answer.
///
/// The answer shows everything that had been learned before the flight began, because the database
/// had it by then. So it is good for every read that joined before anything newer was learned. The
/// caller of a later one may know of that, from an answer or because it is a write of its own: for
/// that read the answer is good if it shows as much as is known by then; if not, the read goes on
/// to another flight. That one begins after the read has joined and is good in any case, so no read
/// waits for more than three flights of a kind, however often an article changes. (Only where one
/// flight finds an article and another, under way at the same time, finds none, the first is good
/// for nobody.)
///
/// Who waits is answered when it lands, or once their time is up or they have gone, which is looked
/// at ten times a second. So many may wait for one flight (cache.cc), and so many flights be under
/// way as the source takes questions: it refuses more at once. Those that nobody waits for are a
/// few thousand at most.
struct Flight {
  Shard& shard;
  /// Stays while the flight is under way, and is not to be touched afterwards.
  Entry& entry;
  const Need need;
  /// What makes the page, if one is needed.
  const std::shared_ptr<const LoadPage> load;
  const Tick begun;
  const SteadyTime begun_at;
  std::vector<Read> waiters = {};
};

/// What a flight has brought, by what the source has answered.
absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<ArticleState>> answer);
absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<EncodedArticle>> answer);
absl::StatusOr<Fact> ToFact(absl::StatusOr<LoadedPage> answer);

}  // namespace content::cache
