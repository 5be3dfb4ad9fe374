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
#include "cache/reachability.h"
#include "content/reads.h"
#include "content/store.h"

// Articles and pages of their comments, ready to be sent, and when they stop being fresh.
namespace content::cache {

struct Entry;
struct Fact;
struct Flight;
struct Found;
struct HashedName;
struct Need;
struct Read;
class Shard;
struct Want;

/// Answers reads from memory if it can, and otherwise has them share questions to the database.
///
/// What is kept is good for `max_staleness` after the question that last confirmed it was sent.
/// Then only the article's state is asked for: as long as its version is the same, so is its text,
/// and as long as its revision is, so are the pages. That promise needs no news; they make changes
/// show at once. What is read often is confirmed ahead of time, so that nobody waits for it.
///
/// A question under way is a *flight* (flight.h says for whom its answer is good). Whoever needs
/// the same meanwhile joins it: a rush on one article is one question.
///
/// No reader sees an article go back in time, whichever way it is read: what is kept is only ever
/// replaced by what is newer. The one exception is a database that has been set back (restored from
/// a copy, say): when a question that was sent after something had been learned shows less than
/// that, the database is right. (A later name of an article that is first asked for while readers
/// do not see it is missing for up to `max_staleness`, whatever is read by the first name: whose
/// name it is cannot be told then. News of that name end it.)
class ArticleCache final : public Reads {
 public:
  struct Options {
    /// For everything it holds, bookkeeping too. 0: nothing is kept, but questions are shared.
    int64_t max_bytes = int64_t{256} << 20;
    absl::Duration max_staleness = absl::Seconds(1);
    /// How much older an answer may be while the database cannot be asked.
    absl::Duration stale_if_error = absl::Minutes(5);
    /// Tells the time, and never goes back. Called from any thread.
    std::function<absl::Time()> clock = MonotonicTime;
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

  /// The time since some moment, by a clock that nobody sets.
  static absl::Time MonotonicTime();

 private:
  using FlightPtr = std::shared_ptr<Flight>;
  using Answer = absl::StatusOr<Found>;
  struct Errands;

  Shard& ShardOf(const HashedName& name) const;

  // Those that take a shard are called under its lock.
  std::optional<Found> Peek(absl::string_view name, const Want& want, Errands& errands);
  std::optional<Found> Peek(Shard& shard, Entry& entry, const Want& want, absl::Time now,
                            Errands& errands);

  void Ask(Read read);
  void Serve(Shard& shard, Entry& entry, Read read, Errands& errands);
  void Board(Shard& shard, Entry& entry, Read read, Errands& errands);
  static void Forward(const Entry& entry, Read read, Errands& errands);
  std::optional<Answer> Known(const Entry& entry, const Read& read) const;
  std::optional<Answer> Stale(Shard& shard, const Entry& entry, const Read& read) const;

  FlightPtr Begin(Shard& shard, Entry& entry, const Need& need,
                  std::shared_ptr<const LoadPage> load = nullptr);
  void Send(const FlightPtr& flight);
  CallContext ContextOf(const FlightPtr& flight) const;
  void Land(const FlightPtr& flight, const absl::StatusOr<Fact>& fact);
  void NoteReachability(const absl::Status& status);
  void Settle(const Flight& flight, const absl::StatusOr<Fact>& fact, Read read, Errands& errands);
  std::optional<Answer> Judge(const Flight& flight, const Fact& fact, const Read& read) const;
  std::optional<Answer> JudgeFailure(const Flight& flight, const absl::Status& failure,
                                     const Read& read) const;

  void Hear(const ArticleNews& news);
  void HearOfAlias(const HashedName& name, const std::string& article_id);
  void Watch(const std::stop_token& stop);
  void LookAfter(Shard& shard);
  void Run(Errands errands);

  const Options options_;
  const absl::Duration confirm_age_;  // of what is confirmed ahead of time
  ArticleSource& source_;
  std::unique_ptr<Subscription> subscription_;
  Reachability database_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<bool> closing_ = false;
  std::atomic<bool> told_of_set_back_ = false;

  std::mutex mutex_;
  std::condition_variable_any watch_time_;
  std::condition_variable landed_;
  int flights_ = 0;  // under way

  std::jthread watch_;
};

}  // namespace content::cache
