#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/call.h"
#include "base/clock.h"
#include "cache/flights.h"
#include "cache/freshness_policy.h"
#include "cache/lookup.h"
#include "cache/reachability.h"
#include "cache/refresher.h"
#include "cache/shard.h"
#include "cache/work_signal.h"
#include "content/article_source.h"
#include "content/read_cache.h"
#include "telemetry/metrics.h"

// Caches articles, and pages of their comments, as bytes that are ready to be sent.
//
//   entry      what the cache knows about a name
//   confirmed  the database said that the entry was current when the question was sent
//   fresh      confirmed at most `max_staleness` ago; answered without querying the database
//   warm       read while fresh; confirmed ahead of time a few more times
//   flight     a question that was sent to the database, and the reads that wait for its answer
//   alias      a name of an article that is cached under another name, its key
//   tick       number of an event in a shard; orders two events when the clock cannot
namespace content::cache {

/// Answers reads from memory where it can. Other reads share queries to the database:
///
///   ArticleCache cache(store, {.max_bytes = int64_t{256} << 20});
///   cache.GetArticle(context, "some-id", v1::ARTICLE_VIEW_FULL, /*min_revision=*/0, done);
///
/// A read moves in one direction. It is looked up (article_cache.cc). If the entry is fresh
/// (freshness_policy.h), it is answered. Otherwise it joins a flight (flights.h) and is answered
/// when the flight lands. The refresher (refresher.h) confirms articles ahead of time and answers
/// reads that cannot wait any longer.
///
/// An entry is fresh for `max_staleness`, counted from the moment at which the question that last
/// confirmed it was sent. After that, only the article's state is queried: the text is unchanged if
/// the version is unchanged, and the pages are unchanged if the revision is unchanged. This promise
/// does not depend on change notices, which only make changes visible sooner.
///
/// No reader sees an article go back in time, however it is read, because an entry is replaced only
/// by newer data. (One exception: if a later name of an article is first requested while readers
/// cannot see the article, that name counts as missing for up to `max_staleness`, whatever its
/// first name shows: the cache cannot know whose name it is. A change notice with that name ends
/// this.)
///
/// If a question shows an older state than one learned before it was sent, the database was rolled
/// back, for example restored from a backup. The cache then accepts the older state and logs this
/// once. That repairs this article only; other entries may stay newer than the database until a
/// restart. If the database has failed over to a standby, the source says so, and the cache forgets
/// everything and drops the answers to questions under way: the standby may lack the last commits
/// and use their revisions again.
///
/// Thread-safe. A read from memory locks one of up to 32 shards (two, one after the other, under an
/// alias).
class ArticleCache final : public ReadCache {
 public:
  struct Options {
    /// Limit of all memory in bytes, bookkeeping included. 0: nothing is kept, but questions are
    /// shared.
    int64_t max_bytes = int64_t{256} << 20;
    absl::Duration max_staleness = absl::Seconds(1);
    /// Additional age that is allowed while the database cannot be queried.
    absl::Duration stale_if_error = absl::Minutes(5);
    /// How many times an article is confirmed ahead of time after a read while fresh. Many articles
    /// share one question, which costs a tenth per article of a question for which a read waits. So
    /// this pays even if most articles are not read again.
    uint8_t confirmations_ahead = 6;
    SteadyClock& clock = SteadyClock::System();
  };

  /// `source` and the clock must outlive the cache.
  ArticleCache(ArticleSource& source, const Options& options);

  /// Waits until the source has answered all questions. No reads may be under way or begin.
  ~ArticleCache() override;

  ArticleCache(const ArticleCache&) = delete;
  ArticleCache& operator=(const ArticleCache&) = delete;

  void GetArticle(CallContext context, std::string id, v1::ArticleView view, int64_t min_revision,
                  Callback<ArticleAnswer> done) override;

  /// Checks `request.min_revision` itself. `load` must not require a minimum revision, because
  /// other reads may share its page.
  void GetPage(CallContext context, PageRequest request, LoadPage load,
               Callback<PageAnswer> done) override;

  v1::CacheInfo GetInfo() override;

  struct Numbers {
    Shard::Counters counters;
    int64_t bytes = 0;
    int64_t entries = 0;
    /// The questions under way.
    int64_t flights = 0;
  };

  Numbers GetNumbers();

  int64_t max_bytes() const { return options_.max_bytes; }

  /// How long ago the answers from memory had been confirmed.
  const metrics::Histogram& ages() const { return ages_; }

 private:
  std::optional<PageAnswer> FindFresh(const Lookup& lookup);
  std::optional<PageAnswer> FindFreshIn(Shard& shard, Entry& entry, const Lookup& lookup,
                                        SteadyTime now);
  void Resolve(WaitingRead read);
  void AnswerOrJoin(Shard& shard, Entry& entry, WaitingRead read, PendingActions& actions);
  void OnChange(const ChangeNotice& notice);
  void OnAlias(const HashedName& name, const std::string& article_id);
  void OnFailover();

  const Options options_;
  const FreshnessPolicy policy_;
  metrics::Histogram ages_{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600};
  Reachability database_;
  WorkSignal maintenance_;
  ShardSet shards_;
  Flights flights_;
  Refresher refresher_;
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<Subscription> failover_subscription_;
};

}  // namespace content::cache
