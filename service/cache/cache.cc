#include "cache/cache.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "cache/entry.h"
#include "cache/flight.h"
#include "cache/shard.h"
#include "content/errors.h"
#include "content/names.h"
#include "telemetry/log.h"

namespace content::cache {
namespace {

constexpr int64_t kSmallestShard = int64_t{16} << 20;
constexpr int64_t kMostShards = 32;

// An entry that has been read so often since it was confirmed is confirmed ahead of time;
constexpr int16_t kHotReads = 3;
// if that fails, again only after so many reads more.
constexpr int16_t kReadsAfterFailure = 1000;

// How long the database may leave everybody without an answer before it counts as away, and how
// often that is looked at.
constexpr absl::Duration kPatience = absl::Milliseconds(500);
constexpr std::chrono::milliseconds kWatchInterval(100);

// A confirmation may take this long; it is worth having even if no reader waits for it any more.
constexpr absl::Duration kConfirmTimeout = absl::Seconds(10);

// Far more than any read takes, unless the source contradicts itself: says that each of two names
// stands for the other, or does not bring what it was asked for.
constexpr int kMostSteps = 16;

constexpr char kArticleNotFound[] = "ARTICLE_NOT_FOUND";

size_t ShardCount(int64_t max_bytes) {
  const int64_t count = std::clamp<int64_t>(max_bytes / kSmallestShard, 1, kMostShards);
  return std::bit_floor(static_cast<size_t>(count));
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<ArticleState>> answer) {
  // The time that was up was not a caller's.
  if (absl::IsDeadlineExceeded(answer.status())) return StoreUnavailable();
  if (!answer.ok()) return answer.status();
  if (!*answer) return Fact{};
  return Fact{.article = Article(**answer), .article_id = std::move((*answer)->article_id)};
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<std::optional<EncodedArticle>> answer) {
  if (!answer.ok()) return answer.status();
  if (!*answer) return Fact{};
  return Fact{.article = Article(**answer), .article_id = std::move((*answer)->state.article_id)};
}

absl::StatusOr<Fact> ToFact(absl::StatusOr<LoadedPage> answer) {
  if (!answer.ok()) {
    const bool is_missing = ReasonOf(answer.status()) == kArticleNotFound;
    return is_missing ? absl::StatusOr<Fact>(Fact{}) : answer.status();
  }
  Article article = answer->article ? Article(*answer->article) : Article(answer->state);
  return Fact{.article = std::move(article),
              .article_id = std::move(answer->state.article_id),
              .page = std::move(answer->bytes)};
}

// Why its caller does not wait any more; nothing if it does.
std::optional<absl::Status> WhyGone(const Read& read) {
  if (read.context.deadline <= absl::Now()) return DeadlineExceeded();
  if (read.context.cancelled && read.context.cancelled()) return Cancelled();
  return std::nullopt;
}

bool IsGone(const Read& read) { return WhyGone(read).has_value(); }

Need Confirmation() { return {.kind = Need::Kind::kState}; }

bool IsBeingConfirmed(const Entry& entry) { return entry.FindFlight(Confirmation()) != nullptr; }

// What is to be asked for this read.
Need NeedOf(const Entry& entry, const Read& read) {
  Want want = read.want();
  // A page that is there is of the revision that is known; of a later one it is another.
  if (!want.page) want.min_revision = 0;
  if (entry.Find(want)) return Confirmation();
  if (read.page) return {.kind = Need::Kind::kPage, .view = read.view, .page = *read.page};
  return {.kind = Need::Kind::kArticle, .view = read.view};
}

PageAnswer ToPageAnswer(Found found) {
  PageAnswer answer{.bytes = std::move(found.page), .stale_age = found.article.stale_age};
  if (found.article.text) answer.article = std::move(found.article);
  return answer;
}

}  // namespace

// What is to be done when the lock is released: no code but the cache's own runs under it.
struct ArticleCache::Errands {
  void Reply(Read read, Answer answer) { replies.emplace_back(std::move(read), std::move(answer)); }

  std::vector<FlightPtr> departures;
  std::vector<std::pair<Read, Answer>> replies;
  std::vector<Read> forwarded;
};

absl::Time ArticleCache::MonotonicTime() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

ArticleCache::ArticleCache(ArticleSource& source, Options options)
    : options_(std::move(options)), confirm_age_(options_.max_staleness / 2), source_(source) {
  const size_t count = ShardCount(options_.max_bytes);
  for (size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(static_cast<size_t>(options_.max_bytes) / count));
  }
  subscription_ = source_.Subscribe([this](const ArticleNews& news) { Hear(news); });
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
  for (auto& [read, answer] : errands.replies) std::move(read.done)(std::move(answer));
  for (Read& read : errands.forwarded) Ask(std::move(read));
}

// ---- What is in memory: this is how nearly every read goes ----

void ArticleCache::GetArticle(CallContext context, std::string id, v1::ArticleView view,
                              int64_t min_revision, Callback<ArticleAnswer> done) {
  Errands errands;
  const Want want{.view = view, .min_revision = min_revision};
  if (std::optional<Found> found = Peek(id, want, errands)) {
    std::move(done)(std::move(found->article));
    return Run(std::move(errands));
  }
  auto reply = [done = std::move(done)](Answer answer) mutable {
    if (!answer.ok()) return std::move(done)(answer.status());
    std::move(done)(std::move(answer->article));
  };
  Ask({.context = std::move(context),
       .id = std::move(id),
       .view = view,
       .min_revision = min_revision,
       .done = std::move(reply),
       .asked_at = options_.clock()});
}

void ArticleCache::GetPage(CallContext context, PageRequest request, LoadPage load,
                           Callback<PageAnswer> done) {
  Errands errands;
  const Want want{.view = request.view, .page = request.key, .min_revision = request.min_revision};
  if (std::optional<Found> found = Peek(request.article_id, want, errands)) {
    std::move(done)(ToPageAnswer(*std::move(found)));
    return Run(std::move(errands));
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
       .done = std::move(reply),
       .asked_at = options_.clock()});
}

// What is wanted, if it is there and fresh.
std::optional<Found> ArticleCache::Peek(absl::string_view name, const Want& want,
                                        Errands& errands) {
  const absl::Time now = options_.clock();
  const HashedName hashed(name);
  Shard& shard = ShardOf(hashed);
  const std::lock_guard lock(shard.mutex);
  Entry* const entry = shard.Find(hashed);
  if (entry == nullptr) return std::nullopt;
  std::optional<Found> found = Peek(shard, *entry, want, now, errands);
  if (found) entry->Use();
  return found;
}

std::optional<Found> ArticleCache::Peek(Shard& shard, Entry& entry, const Want& want,
                                        absl::Time now, Errands& errands) {
  const absl::Duration age = now - entry.validated_at;
  if (age > options_.max_staleness) return std::nullopt;
  std::optional<Found> found = entry.Find(want);
  if (!found) return std::nullopt;
  ++shard.hits;
  if (entry.reads < kHotReads) {
    ++entry.reads;
  } else if (age > confirm_age_ && !IsBeingConfirmed(entry)) {
    errands.departures.push_back(Begin(shard, entry, Confirmation()));
  }
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
    read.joined = shard.tick();
    read.floor = entry->learned;
    Serve(shard, *entry, std::move(read), errands);
    shard.Refit(*entry);
  }
  Run(std::move(errands));
}

// Answers a read, or has it wait for a flight.
void ArticleCache::Serve(Shard& shard, Entry& entry, Read read, Errands& errands) {
  if (entry.kind == Entry::Kind::kAlias) return Forward(entry, std::move(read), errands);
  if (std::optional<Found> found = Peek(shard, entry, read.want(), read.asked_at, errands)) {
    return errands.Reply(std::move(read), *std::move(found));
  }
  if (std::optional<Answer> answer = Known(entry, read)) {
    ++shard.hits;
    return errands.Reply(std::move(read), *std::move(answer));
  }
  if (database_.IsAway(read.asked_at)) {
    if (std::optional<Answer> answer = Stale(shard, entry, read)) {
      if (!IsBeingConfirmed(entry) && database_.MayTry(read.asked_at)) {
        errands.departures.push_back(Begin(shard, entry, Confirmation()));
      }
      return errands.Reply(std::move(read), *std::move(answer));
    }
  }
  Board(shard, entry, std::move(read), errands);
}

void ArticleCache::Forward(const Entry& entry, Read read, Errands& errands) {
  if (++read.steps > kMostSteps) return errands.Reply(std::move(read), Internal());
  read.name = entry.extra->alias_of;
  errands.forwarded.push_back(std::move(read));
}

// The answer, as far as it is known well enough for this read.
std::optional<ArticleCache::Answer> ArticleCache::Known(const Entry& entry,
                                                        const Read& read) const {
  if (read.asked_at - entry.validated_at > options_.max_staleness) return std::nullopt;
  if (std::optional<Found> found = entry.Find(read.want())) return *std::move(found);
  // Who wants a revision knows that there was an article.
  const bool is_missing = entry.kind == Entry::Kind::kMissing && read.min_revision == 0;
  if (is_missing) return ArticleNotFound(ArticleName(read.id));
  return std::nullopt;
}

// The answer while the database cannot be asked.
std::optional<ArticleCache::Answer> ArticleCache::Stale(Shard& shard, const Entry& entry,
                                                        const Read& read) const {
  const absl::Duration age = options_.clock() - entry.validated_at;
  if (age > options_.max_staleness + options_.stale_if_error) return std::nullopt;
  std::optional<Found> found = entry.Find(read.want());
  if (!found) return std::nullopt;
  if (age > options_.max_staleness) {
    found->article.stale_age = age;
    ++shard.stale_answers;
  }
  return *std::move(found);
}

// Has it wait for the flight that brings what it needs.
void ArticleCache::Board(Shard& shard, Entry& entry, Read read, Errands& errands) {
  if (++read.steps > kMostSteps) return errands.Reply(std::move(read), Internal());
  const Need need = NeedOf(entry, read);
  Flight* flight = entry.FindFlight(need);
  if (flight == nullptr) {
    errands.departures.push_back(Begin(shard, entry, need, read.load));
    flight = errands.departures.back().get();
  }
  if (!std::exchange(read.counted, true)) ++shard.misses;
  flight->waiters.push_back(std::move(read));
}

// ---- Flights ----

ArticleCache::FlightPtr ArticleCache::Begin(Shard& shard, Entry& entry, const Need& need,
                                            std::shared_ptr<const LoadPage> load) {
  auto flight = std::make_shared<Flight>(Flight{.shard = shard,
                                                .entry = entry,
                                                .need = need,
                                                .load = std::move(load),
                                                .begun = shard.NextTick(),
                                                .begun_at = options_.clock()});
  entry.AddFlight(flight);
  shard.flights.insert(flight);
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

CallContext ArticleCache::ContextOf(const FlightPtr& flight) const {
  // A confirmation is worth having even if nobody waits for it any more.
  if (flight->need.kind == Need::Kind::kState) {
    return {.deadline = absl::Now() + kConfirmTimeout,
            .cancelled = [this] { return closing_.load(); }};
  }
  CallContext context{.deadline = absl::InfinitePast(), .cancelled = [flight] {
                        const std::lock_guard lock(flight->shard.mutex);
                        return std::all_of(flight->waiters.begin(), flight->waiters.end(), IsGone);
                      }};
  const std::lock_guard lock(flight->shard.mutex);
  for (const Read& read : flight->waiters) {
    context.deadline = std::max(context.deadline, read.context.deadline);
  }
  return context;
}

void ArticleCache::Land(const FlightPtr& flight, const absl::StatusOr<Fact>& fact) {
  NoteReachability(fact.status());
  bool set_back = false;
  Errands errands;
  {
    const std::lock_guard lock(flight->shard.mutex);
    Entry& entry = flight->entry;
    flight->shard.flights.erase(flight);
    entry.RemoveFlight(*flight);
    if (fact.ok()) {
      set_back = entry.Learn(*flight, *fact, flight->shard.NextTick());
    } else if (flight->need.kind == Need::Kind::kState) {
      entry.reads = -kReadsAfterFailure;
    }
    for (Read& read : std::exchange(flight->waiters, {})) {
      Settle(*flight, fact, std::move(read), errands);
    }
    flight->shard.Refit(entry);
  }
  if (set_back && !told_of_set_back_.exchange(true)) {
    log::Warning("database shows less than before, it must have been set back");
  }
  Run(std::move(errands));
  const std::lock_guard lock(mutex_);
  if (--flights_ == 0) landed_.notify_all();
}

void ArticleCache::NoteReachability(const absl::Status& status) {
  if (status.ok() || absl::IsNotFound(status)) {
    database_.Answered(options_.clock());
  } else if (absl::IsUnavailable(status)) {
    database_.Refused(options_.clock());
  }
}

// Answers a read whose flight has ended, or has it wait for another.
void ArticleCache::Settle(const Flight& flight, const absl::StatusOr<Fact>& fact, Read read,
                          Errands& errands) {
  Entry& entry = flight.entry;
  if (entry.kind == Entry::Kind::kAlias) return Forward(entry, std::move(read), errands);
  std::optional<Answer> answer = Known(entry, read);
  if (!answer) {
    answer = fact.ok() ? Judge(flight, *fact, read) : JudgeFailure(flight, fact.status(), read);
  }
  if (!answer) answer = WhyGone(read);
  if (answer) return errands.Reply(std::move(read), *std::move(answer));
  Board(flight.shard, entry, std::move(read), errands);
}

// The answer by what the flight has brought, if that is good for this read.
std::optional<ArticleCache::Answer> ArticleCache::Judge(const Flight& flight, const Fact& fact,
                                                        const Read& read) const {
  const Entry& entry = flight.entry;
  const bool asked_since = flight.begun > read.joined;
  // That it is missing is no answer for anybody if an article is known, nor the other way round: it
  // cannot be told which was first, and others are answered with what is known.
  if (fact.article.has_value() != (entry.kind == Entry::Kind::kArticle)) return std::nullopt;
  if (!fact.article && asked_since) return ArticleNotFound(ArticleName(read.id));
  if (!fact.article) return std::nullopt;

  const bool is_fresh = read.asked_at - flight.begun_at <= options_.max_staleness;
  if (is_fresh && flight.begun > std::max(read.floor, entry.missing_at)) {
    if (auto found = fact.article->Find(read.want(), fact.page)) return *std::move(found);
  }
  if (asked_since && entry.article.revision < read.min_revision) {
    return RevisionNotReached(ArticleName(read.id), read.min_revision, entry.article.revision);
  }
  return std::nullopt;
}

// The answer if the flight has brought nothing but an error.
std::optional<ArticleCache::Answer> ArticleCache::JudgeFailure(const Flight& flight,
                                                               const absl::Status& failure,
                                                               const Read& read) const {
  // It cannot be asked: because it is away, or because too many are asking it already.
  if (absl::IsUnavailable(failure) || absl::IsResourceExhausted(failure)) {
    if (std::optional<Answer> answer = Stale(flight.shard, flight.entry, read)) return answer;
  }
  // The flight had the time that those had who waited at its start.
  const bool was_cut_short = absl::IsDeadlineExceeded(failure) || absl::IsCancelled(failure);
  const bool joined_later = flight.begun <= read.joined;
  if (was_cut_short && joined_later) return std::nullopt;
  return failure;
}

// ---- What comes unasked ----

void ArticleCache::Hear(const ArticleNews& news) {
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

void ArticleCache::Watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    watch_time_.wait_for(lock, stop, kWatchInterval, [] { return false; });
    if (flights_ == 0) continue;
    lock.unlock();
    for (const auto& shard : shards_) LookAfter(*shard);
    lock.lock();
  }
}

// Answers those whose flight takes too long, and those who are gone.
void ArticleCache::LookAfter(Shard& shard) {
  Errands errands;
  {
    const std::lock_guard lock(shard.mutex);
    const absl::Time now = options_.clock();
    for (const FlightPtr& flight : shard.flights) {
      const bool hangs =
          now - flight->begun_at > kPatience && database_.IsSilent(flight->begun_at, now);
      for (Read& read : std::exchange(flight->waiters, {})) {
        std::optional<Answer> answer = WhyGone(read);
        if (!answer && hangs) answer = Stale(shard, flight->entry, read);
        if (answer) {
          errands.Reply(std::move(read), *std::move(answer));
        } else {
          flight->waiters.push_back(std::move(read));
        }
      }
    }
  }
  Run(std::move(errands));
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
