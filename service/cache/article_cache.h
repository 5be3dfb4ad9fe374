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

// Articles, and pages of their comments, as bytes that are ready to be sent.
//
//   confirmed  the database has said that what is known is current, as of when it was asked
//   fresh      confirmed no longer than `max_staleness` ago; answered without asking the database
//   warm       read while fresh; confirmed ahead of time a few more times
//   flight     a question to the database that is under way, and the reads that wait for its answer
//   alias      a name of an article that is kept under another name, its key
//   tick       an event in a shard; tells which of two events came first when the clock cannot
namespace content::cache {

/// Answers reads from memory if it can. Reads that it cannot answer share questions to the
/// database:
///
///   ArticleCache cache(store, {.max_bytes = int64_t{256} << 20});
///   cache.GetArticle(context, "some-id", v1::ARTICLE_VIEW_FULL, /*min_revision=*/0, done);
///
/// A read goes one way: it is looked up (article_cache.cc); if what is known is fresh
/// (freshness_policy.h) it is answered; otherwise it joins a flight (flights.h), and is answered
/// when that lands. The refresher (refresher.h) confirms ahead of time and answers those who cannot
/// wait.
///
/// What is known is fresh for `max_staleness`, counted from when the question that last confirmed
/// it was sent. After that only the article's state is asked for: its text is the same if the
/// version is the same, and its pages are the same if the revision is the same. This promise does
/// not depend on change notices. They only make changes visible at once.
///
/// No reader sees an article go back in time, whichever way it is read, because what is known is
/// replaced only by what is newer. (One exception: if a later name of an article is first asked for
/// while readers cannot see the article, that name is missing for up to `max_staleness`, whatever
/// is read by the first name. It cannot be known whose name it is. A change notice for it ends
/// that.)
///
/// If a question that was sent after something had been learned shows an older state, the database
/// was rolled back, restored from a backup for example, and is believed. That is logged, once, and
/// repairs this one article. Others may still be newer than the database until a restart.
///
/// Thread-safe. A read from memory takes one lock, of one of up to 32 shards.
class ArticleCache final : public ReadCache {
 public:
  struct Options {
    /// Limit of all memory, bookkeeping included. 0: nothing is kept, but questions are shared.
    int64_t max_bytes = int64_t{256} << 20;
    absl::Duration max_staleness = absl::Seconds(1);
    /// How much older an answer may be while the database cannot be asked.
    absl::Duration stale_if_error = absl::Minutes(5);
    /// How often an article is confirmed ahead of time after it was read while fresh. Many are
    /// asked for together, which costs a tenth of asking for one when a read waits. So it pays even
    /// if most are not read again.
    uint8_t confirmations_ahead = 6;
    SteadyClock& clock = SteadyClock::System();
  };

  /// `source` and the clock must outlive it.
  ArticleCache(ArticleSource& source, const Options& options);

  /// Waits until the source has answered all questions. There must be no more reads.
  ~ArticleCache() override;

  ArticleCache(const ArticleCache&) = delete;
  ArticleCache& operator=(const ArticleCache&) = delete;

  void GetArticle(CallContext context, std::string id, v1::ArticleView view, int64_t min_revision,
                  Callback<ArticleAnswer> done) override;

  /// `request.min_revision` is checked here. `load` must not ask for one: other reads may share the
  /// page that it makes.
  void GetPage(CallContext context, PageRequest request, LoadPage load,
               Callback<PageAnswer> done) override;

  v1::CacheInfo GetInfo() override;

 private:
  std::optional<PageAnswer> FindFresh(const Lookup& lookup);
  std::optional<PageAnswer> FindFreshIn(Shard& shard, Entry& entry, const Lookup& lookup,
                                        SteadyTime now) const;
  void Resolve(WaitingRead read);
  void AnswerOrJoin(Shard& shard, Entry& entry, WaitingRead read, PendingActions& actions);
  void OnChange(const ChangeNotice& notice);
  void OnAlias(const HashedName& name, const std::string& article_id);

  const Options options_;
  const FreshnessPolicy policy_;
  Reachability database_;
  WorkSignal maintenance_;
  ShardSet shards_;
  Flights flights_;
  Refresher refresher_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace content::cache
