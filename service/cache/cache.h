#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cache/answers.h"
#include "cache/reachability.h"
#include "content/read_cache.h"
#include "content/store.h"

// Articles and pages of their comments, ready to be sent, and when they stop being fresh.
namespace content::cache {

struct HashedName;
class Shard;

/// Answers reads from memory if it can, and otherwise has them share questions to the database.
///
/// What is kept is good for `max_staleness` after the question that last confirmed it was sent.
/// Then only the article's state is asked for: as long as its version is the same, so is its text,
/// and as long as its revision is, so are the pages. That promise needs no news; they make changes
/// show at once. What is read again while it is good is confirmed ahead of time a few times more,
/// many articles by one question, so that its readers do not wait.
///
/// A question under way is a *flight* (flight.h says for whom its answer is good). Whoever needs
/// the same meanwhile joins it: a rush on one article is one question.
///
/// No reader sees an article go back in time, whichever way it is read: what is kept is only ever
/// replaced by what is newer. (A later name of an article that is first asked for while readers
/// do not see it is missing for up to `max_staleness`, whatever is read by the first name: whose
/// name it is cannot be told then. News of that name end it.)
///
/// If a question that was sent after something had been learned shows less than that, the database
/// has been set back (restored from a copy, say), and is believed. That is logged and mends this
/// one article; what else is kept may be of before, and goes with a restart.
class ArticleCache final : public ReadCache {
 public:
  struct Options {
    /// For everything it holds, bookkeeping too. 0: nothing is kept, but questions are shared.
    int64_t max_bytes = int64_t{256} << 20;
    absl::Duration max_staleness = absl::Seconds(1);
    /// How much older an answer may be while the database cannot be asked.
    absl::Duration stale_if_error = absl::Minutes(5);
    /// How often an article that was read when it was fresh is confirmed ahead of time afterwards.
    /// Many are asked for together, which costs a tenth of what it costs to ask for one when a read
    /// waits for it: so it is worth it even if most are not read again.
    uint8_t confirmations_ahead = 6;
    /// Tells the time, and never goes back. Called from any thread.
    std::function<SteadyTime()> clock = SteadyNow;
  };

  /// `source` must outlive it.
  ArticleCache(ArticleSource& source, Options options);

  /// Waits until all that the source was asked is answered. There must be no more reads.
  ~ArticleCache() override;

  ArticleCache(const ArticleCache&) = delete;
  ArticleCache& operator=(const ArticleCache&) = delete;

  void GetArticle(CallContext context, std::string id, v1::ArticleView view, int64_t min_revision,
                  Callback<ArticleAnswer> done) override;

  /// `request.min_revision` is seen to here. `load` must not ask for one: what it makes is for
  /// others too.
  void GetPage(CallContext context, PageRequest request, LoadPage load,
               Callback<PageAnswer> done) override;

  v1::CacheInfo GetInfo() override;

 private:
  using FlightPtr = std::shared_ptr<Flight>;
  struct Errands;

  Shard& ShardOf(const HashedName& name) const;
  void Run(Errands errands);

  std::optional<Found> Peek(absl::string_view name, const Want& want);
  void Ask(Read read);

  // The next ones are called under the lock of the shard. What must wait until it is released they
  // leave as errands.
  std::optional<Found> FindFresh(Shard& shard, Entry& entry, const Want& want,
                                 SteadyTime now) const;
  void Serve(Shard& shard, Entry& entry, Read read, Errands& errands);
  static void Forward(Shard& shard, const Entry& entry, Read read, Errands& errands);
  void Board(Shard& shard, Entry& entry, Read read, Errands& errands);
  FlightPtr Begin(Shard& shard, Entry& entry, Need need,
                  std::shared_ptr<const LoadPage> load = nullptr);
  void Settle(Flight& flight, const absl::StatusOr<Fact>& fact, Errands& errands);
  void ConfirmDue(Shard& shard, SteadyTime now, Errands& errands);
  void LookAfter(Flight& flight, SteadyTime now, Errands& errands);

  // And these are not.
  void Send(const FlightPtr& flight);
  void SendTogether(std::vector<FlightPtr> flights);
  CallContext ContextOf(const FlightPtr& flight) const;
  CallContext ContextOfConfirmation() const;
  void Land(const FlightPtr& flight, const absl::StatusOr<Fact>& fact);
  void NoteReachability(const Flight& flight, const absl::Status& status);

  void Hear(const ChangeNotice& news);
  void HearOfAlias(const HashedName& name, const std::string& article_id);
  void Watch(const std::stop_token& stop);
  void LookAfter(Shard& shard);

  const Options options_;
  const Answers answers_;
  ArticleSource& source_;
  std::unique_ptr<Subscription> subscription_;
  Reachability database_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<bool> closing_ = false;
  std::atomic<int> questions_ = 0;  // under way, that confirm many
  std::atomic<bool> told_of_set_back_ = false;

  // May be taken under the lock of a shard, not the other way round.
  std::mutex mutex_;
  std::condition_variable_any watch_time_;
  std::condition_variable landed_;
  int flights_ = 0;  // under way

  std::jthread watch_;
};

}  // namespace content::cache
