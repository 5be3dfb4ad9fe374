#include "cache/cache.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "cache/answers.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/shard.h"
#include "content/errors.h"
#include "telemetry/log.h"

namespace content::cache {
namespace {

constexpr int64_t kSmallestShard = int64_t{16} << 20;
constexpr int64_t kMostShards = 32;

// What is confirmed ahead of time is as old as this, as a share of `max_staleness`: the rest is for
// the time until it is looked at, and until the answer is there.
constexpr double kAgeOfDue = 0.7;

// So many are asked for together, and so many such questions are under way: then the database has
// enough to do, and what is warm and not confirmed in time is confirmed when it is read.
constexpr size_t kMostTogether = 500;
constexpr int kMostQuestions = 4;

// How long the cheapest question may take before the database counts as away, if it answers nobody
// else either.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

// How long a round takes in which all shards are looked after, and how long it rests at least
// before it goes on: waking up costs something too.
constexpr absl::Duration kShortestRound = absl::Milliseconds(10);
constexpr absl::Duration kLongestRound = absl::Milliseconds(100);
constexpr int kRoundsPerStaleness = 10;
constexpr absl::Duration kShortestRest = absl::Milliseconds(5);

// A confirmation may take this long.
constexpr absl::Duration kConfirmTimeout = absl::Seconds(10);

// Far more than any read takes, unless the source contradicts itself: says that each of two names
// stands for the other, or does not bring what it was asked for.
constexpr int kMostSteps = 16;

// How many may wait for one answer: it costs the database nothing, but each is a call that is kept.
// (How many answers may be waited for at once is the source's limit.)
constexpr size_t kMostWaiters = 10'000;
constexpr absl::Duration kCrowdRetry = absl::Milliseconds(100);

size_t ShardCount(int64_t max_bytes) {
  const int64_t count = std::clamp<int64_t>(max_bytes / kSmallestShard, 1, kMostShards);
  return std::bit_floor(static_cast<size_t>(count));
}

bool IsGone(const Read& read) { return WhyGone(read).has_value(); }

PageAnswer ToPageAnswer(Found found) {
  PageAnswer answer{.bytes = std::move(found.page), .stale_age = found.article.stale_age};
  if (found.article.text) answer.article = std::move(found.article);
  return answer;
}

}  // namespace

// What is to be done when the lock is released.
struct ArticleCache::Errands {
  void Reply(Shard& shard, Read read, Answer answer) {
    if (!read.counted) ++shard.hits;
    if (answer.ok() && answer->article.stale_age) ++shard.stale_answers;
    replies.emplace_back(std::move(read), std::move(answer));
  }

  std::vector<FlightPtr> departures;
  std::vector<FlightPtr> confirmations;  // which depart together
  std::vector<std::pair<Read, Answer>> replies;
  std::vector<Read> forwarded;
};

ArticleCache::ArticleCache(ArticleSource& source, Options options)
    : options_(std::move(options)),
      answers_(options_.max_staleness, options_.stale_if_error),
      source_(source) {
  const size_t count = ShardCount(options_.max_bytes);
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(static_cast<size_t>(options_.max_bytes) / count));
  }
  subscription_ = source_.Subscribe([this](const ChangeNotice& news) { Hear(news); });
  watch_ = std::jthread([this](const std::stop_token& stop) { Watch(stop); });
}

ArticleCache::~ArticleCache() {
  subscription_ = nullptr;
  closing_ = true;
  watch_ = {};
  std::unique_lock lock(mutex_);
  landed_.wait(lock, [this] { return flights_ == 0; });
}

// The upper bits: the tables go by the lower ones.
Shard& ArticleCache::ShardOf(const HashedName& name) const {
  constexpr int kShift = std::numeric_limits<size_t>::digits - 8;
  static_assert(kMostShards <= 1 << 8);
  return *shards_[(name.hash >> kShift) % shards_.size()];
}

void ArticleCache::Run(Errands errands) {
  for (const FlightPtr& flight : errands.departures) Send(flight);
  SendTogether(std::move(errands.confirmations));
  for (auto& [read, answer] : errands.replies) std::move(read.done)(std::move(answer));
  for (Read& read : errands.forwarded) Ask(std::move(read));
}

// ---- What is in memory: this is how nearly every read goes ----

void ArticleCache::GetArticle(CallContext context, std::string id, v1::ArticleView view,
                              int64_t min_revision, Callback<ArticleAnswer> done) {
  const Want want{.view = view, .min_revision = min_revision};
  if (std::optional<Found> found = Peek(id, want)) {
    return std::move(done)(std::move(found->article));
  }
  auto reply = [done = std::move(done)](Answer answer) mutable {
    if (!answer.ok()) return std::move(done)(answer.status());
    std::move(done)(std::move(answer->article));
  };
  Ask({.context = std::move(context),
       .id = std::move(id),
       .view = view,
       .min_revision = min_revision,
       .done = std::move(reply)});
}

void ArticleCache::GetPage(CallContext context, PageRequest request, LoadPage load,
                           Callback<PageAnswer> done) {
  const Want want{.view = request.view, .page = request.key, .min_revision = request.min_revision};
  if (std::optional<Found> found = Peek(request.article_id, want)) {
    return std::move(done)(ToPageAnswer(*std::move(found)));
  }
  auto reply = [done = std::move(done)](Answer answer) mutable {
    if (!answer.ok()) return std::move(done)(answer.status());
    std::move(done)(ToPageAnswer(*std::move(answer)));
  };
  Ask({.context = std::move(context),
       .id = std::move(request.article_id),
       .view = request.view,
       .page = std::move(request.key),
       .load = std::make_shared<const LoadPage>(std::move(load)),
       .min_revision = request.min_revision,
       .done = std::move(reply)});
}

// What is wanted, if it is there and fresh: under this name, or under that which it stands for.
std::optional<Found> ArticleCache::Peek(absl::string_view name, const Want& want) {
  const SteadyTime now = options_.clock();
  std::string alias_of;
  for (int names = 1; names <= 2; ++names) {
    const HashedName hashed(name);
    Shard& shard = ShardOf(hashed);
    const std::lock_guard lock(shard.mutex);
    Entry* const entry = shard.Find(hashed);
    if (entry == nullptr) return std::nullopt;
    if (entry->kind != Entry::Kind::kAlias) return FindFresh(shard, *entry, want, now);
    entry->Use();
    name = alias_of = entry->extra->alias_of;
  }
  return std::nullopt;
}

std::optional<Found> ArticleCache::FindFresh(Shard& shard, Entry& entry, const Want& want,
                                             SteadyTime now) const {
  if (!answers_.IsFresh(entry, now)) return std::nullopt;
  std::optional<Found> found = entry.Find(want);
  if (!found) return std::nullopt;
  ++shard.hits;
  entry.Use();
  shard.KeepWarm(entry, options_.confirmations_ahead);
  return found;
}

// ---- What is not: reads join flights ----

void ArticleCache::Ask(Read read) {
  Errands errands;
  const HashedName name(read.name);
  Shard& shard = ShardOf(name);
  {
    const std::lock_guard lock(shard.mutex);
    Entry* entry = shard.Find(name);
    if (entry != nullptr) {
      entry->Use();
    } else {
      entry = &shard.Add(name);
    }
    read.asked_at = options_.clock();
    read.joined = shard.tick();
    read.floor = std::max(entry->learned, entry->missing_at);
    Serve(shard, *entry, std::move(read), errands);
    shard.Refit(*entry);
  }
  Run(std::move(errands));
}

// Answers a read, or has it wait for a flight.
void ArticleCache::Serve(Shard& shard, Entry& entry, Read read, Errands& errands) {
  if (entry.kind == Entry::Kind::kAlias) return Forward(shard, entry, std::move(read), errands);
  std::optional<Answer> answer = answers_.Known(entry, read);
  if (!answer && database_.IsAway(read.asked_at)) {
    answer = answers_.Stale(entry, read, read.asked_at);
    if (answer && !entry.IsBeingConfirmed() && database_.MayTry(read.asked_at)) {
      errands.departures.push_back(Begin(shard, entry, Confirmation()));
    }
  }
  if (answer) return errands.Reply(shard, std::move(read), *std::move(answer));
  Board(shard, entry, std::move(read), errands);
}

void ArticleCache::Forward(Shard& shard, const Entry& entry, Read read, Errands& errands) {
  if (++read.steps > kMostSteps)
    return errands.Reply(shard, std::move(read), Internal("a read found no end"));
  read.name = entry.extra->alias_of;
  errands.forwarded.push_back(std::move(read));
}

// Has it wait for the flight that brings what it needs.
void ArticleCache::Board(Shard& shard, Entry& entry, Read read, Errands& errands) {
  if (!std::exchange(read.counted, true)) ++shard.misses;
  if (++read.steps > kMostSteps)
    return errands.Reply(shard, std::move(read), Internal("a read found no end"));
  Need need = NeedOf(entry, read);
  Flight* flight = entry.FindFlight(need);
  if (flight == nullptr) {
    errands.departures.push_back(Begin(shard, entry, std::move(need), read.load));
    flight = errands.departures.back().get();
  }
  if (flight->waiters.size() < kMostWaiters) return flight->waiters.push_back(std::move(read));
  std::optional<Answer> answer = answers_.Stale(entry, read, options_.clock());
  errands.Reply(shard, std::move(read), answer ? *std::move(answer) : Overloaded(kCrowdRetry));
}

// ---- Flights ----

ArticleCache::FlightPtr ArticleCache::Begin(Shard& shard, Entry& entry, Need need,
                                            std::shared_ptr<const LoadPage> load) {
  auto flight = std::make_shared<Flight>(Flight{.shard = shard,
                                                .entry = entry,
                                                .need = std::move(need),
                                                .load = std::move(load),
                                                .begun = shard.NextTick(),
                                                .begun_at = options_.clock()});
  shard.Depart(flight);
  const std::lock_guard lock(mutex_);
  ++flights_;
  return flight;
}

void ArticleCache::Send(const FlightPtr& flight) {
  CallContext context = ContextOf(flight);
  auto land = [this, flight](auto answer) { Land(flight, ToFact(std::move(answer))); };
  switch (flight->need.kind) {
    case Need::Kind::kState:
      return source_.ReadArticleState(std::move(context), flight->entry.name, std::move(land));
    case Need::Kind::kArticle:
      return source_.ReadArticle(std::move(context), flight->entry.name, *flight->need.view,
                                 std::move(land));
    case Need::Kind::kPage:
      return (*flight->load)(std::move(context), std::move(land));
  }
}

// Flights that confirm.
void ArticleCache::SendTogether(std::vector<FlightPtr> flights) {
  if (flights.empty()) return;
  std::vector<std::string> ids;
  for (const FlightPtr& flight : flights) ids.push_back(flight->entry.name);
  ++questions_;
  auto land = [this, flights = std::move(flights)](
                  absl::StatusOr<std::vector<std::optional<ArticleState>>> answer) {
    --questions_;
    for (size_t i = 0; i < flights.size(); ++i) {
      using State = absl::StatusOr<std::optional<ArticleState>>;
      Land(flights[i], ToFact(answer.ok() ? State(std::move((*answer)[i])) : answer.status()));
    }
  };
  source_.ReadArticleStates(ContextOfConfirmation(), std::move(ids), std::move(land));
}

CallContext ArticleCache::ContextOf(const FlightPtr& flight) const {
  if (flight->need.kind == Need::Kind::kState) return ContextOfConfirmation();
  CallContext context{.deadline = SteadyTime::InfinitePast(), .cancelled = [flight] {
                        const std::lock_guard lock(flight->shard.mutex);
                        return std::all_of(flight->waiters.begin(), flight->waiters.end(), IsGone);
                      }};
  const std::lock_guard lock(flight->shard.mutex);
  for (const Read& read : flight->waiters) {
    context.deadline = std::max(context.deadline, read.context.deadline);
  }
  return context;
}

// It is worth having even if nobody waits for it any more.
CallContext ArticleCache::ContextOfConfirmation() const {
  return {.deadline = SteadyNow() + kConfirmTimeout,
          .cancelled = [this] { return closing_.load(); }};
}

void ArticleCache::Land(const FlightPtr& flight, const absl::StatusOr<Fact>& fact) {
  NoteReachability(*flight, fact.status());
  Shard& shard = flight->shard;
  bool set_back = false;
  Errands errands;
  {
    const std::lock_guard lock(shard.mutex);
    Entry& entry = flight->entry;
    shard.Land(flight);
    if (fact.ok()) set_back = entry.Learn(*flight, *fact, shard.NextTick());
    Settle(*flight, fact, errands);
    shard.Refit(entry);
  }
  if (set_back && !told_of_set_back_.exchange(true)) log::Warning("database set back");
  Run(std::move(errands));
  const std::lock_guard lock(mutex_);
  if (--flights_ == 0) landed_.notify_all();
}

void ArticleCache::NoteReachability(const Flight& flight, const absl::Status& status) {
  const SteadyTime now = options_.clock();
  if (status.ok() || absl::IsNotFound(status)) {
    database_.Answered(now);
  } else if (absl::IsUnavailable(status)) {
    database_.NotAnswered(flight.begun_at, now);
  }
}

// Answers the reads of a flight that has ended, or has them wait for another.
void ArticleCache::Settle(Flight& flight, const absl::StatusOr<Fact>& fact, Errands& errands) {
  Shard& shard = flight.shard;
  Entry& entry = flight.entry;
  const SteadyTime now = options_.clock();
  for (Read& read : std::exchange(flight.waiters, {})) {
    if (entry.kind == Entry::Kind::kAlias) {
      Forward(shard, entry, std::move(read), errands);
      continue;
    }
    std::optional<Answer> answer = answers_.Landed(flight, fact, read, now);
    if (!answer) answer = WhyGone(read);
    if (answer) {
      errands.Reply(shard, std::move(read), *std::move(answer));
    } else {
      Board(shard, entry, std::move(read), errands);
    }
  }
}

// ---- What comes unasked ----

void ArticleCache::Hear(const ChangeNotice& news) {
  const HashedName key(news.state.article_id);
  Shard& shard = ShardOf(key);
  {
    const std::lock_guard lock(shard.mutex);
    if (Entry* const entry = shard.Find(key)) {
      entry->Hear(news.state, shard.NextTick());
      shard.Refit(*entry);
    }
  }
  if (news.name != news.state.article_id) HearOfAlias(HashedName(news.name), news.state.article_id);
}

void ArticleCache::HearOfAlias(const HashedName& name, const std::string& article_id) {
  Shard& shard = ShardOf(name);
  const std::lock_guard lock(shard.mutex);
  if (Entry* const entry = shard.Find(name)) {
    entry->BecomeAliasOf(article_id);
    shard.Refit(*entry);
  }
}

// One shard after the other, or a few, so that what is to be confirmed is not asked for all at
// once.
void ArticleCache::Watch(const std::stop_token& stop) {
  const absl::Duration round =
      std::clamp(options_.max_staleness / kRoundsPerStaleness, kShortestRound, kLongestRound);
  const size_t rests = std::min(shards_.size(), static_cast<size_t>(round / kShortestRest));
  const size_t at_once = (shards_.size() + rests - 1) / rests;
  std::unique_lock lock(mutex_);
  for (size_t next = 0; !stop.stop_requested(); next = (next + at_once) % shards_.size()) {
    watch_time_.wait_for(lock, stop, absl::ToChronoMicroseconds(round / rests),
                         [] { return false; });
    lock.unlock();
    for (size_t i = 0; i < at_once; ++i) LookAfter(*shards_[(next + i) % shards_.size()]);
    lock.lock();
  }
}

void ArticleCache::LookAfter(Shard& shard) {
  Errands errands;
  {
    const std::lock_guard lock(shard.mutex);
    const SteadyTime now = options_.clock();
    for (const FlightPtr& flight : shard.flights()) LookAfter(*flight, now, errands);
    ConfirmDue(shard, now, errands);
  }
  Run(std::move(errands));
}

void ArticleCache::ConfirmDue(Shard& shard, SteadyTime now, Errands& errands) {
  if (database_.IsAway(now) || questions_ >= kMostQuestions) return;
  const SteadyTime due = now - kAgeOfDue * options_.max_staleness;
  for (Entry* const entry : shard.TakeDue(due, kMostTogether)) {
    errands.confirmations.push_back(Begin(shard, *entry, Confirmation()));
  }
}

// Answers those who are gone and, while the database is away, those who have waited long enough.
void ArticleCache::LookAfter(Flight& flight, SteadyTime now, Errands& errands) {
  const bool overstays = now - flight.begun_at > kPatience;
  // A page may take its time, so that says nothing. An article's state is one row by its key, and
  // those of a few hundred take no time either.
  if (overstays && flight.need.kind == Need::Kind::kState) {
    database_.NotAnswered(flight.begun_at, now);
  }
  const bool waits_in_vain = overstays && database_.IsAway(now);
  for (Read& read : std::exchange(flight.waiters, {})) {
    std::optional<Answer> answer = WhyGone(read);
    if (!answer && waits_in_vain) answer = answers_.Stale(flight.entry, read, now);
    if (answer) {
      errands.Reply(flight.shard, std::move(read), *std::move(answer));
    } else {
      flight.waiters.push_back(std::move(read));
    }
  }
}

v1::CacheInfo ArticleCache::GetInfo() {
  v1::CacheInfo info;
  info.set_byte_limit(options_.max_bytes);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    info.set_byte_count(info.byte_count() + static_cast<int64_t>(shard->bytes()));
    info.set_article_count(info.article_count() + shard->articles);
    info.set_hit_count(info.hit_count() + shard->hits);
    info.set_miss_count(info.miss_count() + shard->misses);
    info.set_stale_count(info.stale_count() + shard->stale_answers);
  }
  return info;
}

}  // namespace content::cache
