#include "cache/article_cache.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/errors.h"

namespace content::cache {

ArticleCache::ArticleCache(ArticleSource& source, const Options& options)
    : options_(options),
      policy_(options_.max_staleness, options_.stale_if_error),
      shards_(options_.max_bytes, maintenance_),
      flights_(source, policy_, database_, options_.clock,
               [this](WaitingRead read) { Resolve(std::move(read)); }),
      refresher_(shards_, maintenance_, source, policy_, database_, flights_, options_.clock,
                 options_.max_staleness),
      subscription_(source.Subscribe([this](const ChangeNotice& notice) { OnChange(notice); })),
      failover_subscription_(source.SubscribeToFailovers([this] { OnFailover(); })) {}

ArticleCache::~ArticleCache() {
  failover_subscription_ = nullptr;
  subscription_ = nullptr;
  refresher_.Stop();
  flights_.Drain();
}

void ArticleCache::GetArticle(CallContext context, std::string id, v1::ArticleView view,
                              int64_t min_revision, Callback<ArticleAnswer> done) {
  Lookup lookup{.id = std::move(id), .view = view, .min_revision = min_revision};
  if (std::optional<PageAnswer> found = FindFresh(lookup)) {
    return std::move(done)(*std::move(found->article));
  }
  auto reply = [done = std::move(done)](Answer answer) mutable {
    if (!answer.ok()) return std::move(done)(answer.status());
    std::move(done)(std::move(answer->article).value());
  };
  Resolve({.context = std::move(context), .lookup = std::move(lookup), .done = std::move(reply)});
}

void ArticleCache::GetPage(CallContext context, PageRequest request, LoadPage load,
                           Callback<PageAnswer> done) {
  Lookup lookup{.id = std::move(request.article_id),
                .view = request.view,
                .page = std::move(request.key),
                .min_revision = request.min_revision};
  if (std::optional<PageAnswer> found = FindFresh(lookup)) {
    return std::move(done)(*std::move(found));
  }
  Resolve({.context = std::move(context),
           .lookup = std::move(lookup),
           .load = std::make_shared<const LoadPage>(std::move(load)),
           .done = std::move(done)});
}

// Returns what the lookup asks for if it is cached and fresh, under its name or, if that is an
// alias, under its key. Nearly all reads end here.
std::optional<PageAnswer> ArticleCache::FindFresh(const Lookup& lookup) {
  const SteadyTime now = options_.clock.Now();
  absl::string_view name = lookup.id;
  std::string alias_of;
  for (int names = 1; names <= 2; ++names) {
    const HashedName hashed(name);
    Shard& shard = shards_.ShardFor(hashed);
    const std::lock_guard lock(shard.mutex);
    Entry* const entry = shard.Find(hashed);
    if (entry == nullptr) return std::nullopt;
    if (entry->kind != Entry::Kind::kAlias) return FindFreshIn(shard, *entry, lookup, now);
    entry->Use();
    name = alias_of = entry->extra->alias_of;
  }
  return std::nullopt;
}

std::optional<PageAnswer> ArticleCache::FindFreshIn(Shard& shard, Entry& entry,
                                                    const Lookup& lookup, SteadyTime now) {
  if (!policy_.IsFresh(entry, now)) return std::nullopt;
  std::optional<PageAnswer> found = entry.Find(lookup);
  if (!found) return std::nullopt;
  shard.CountHit(lookup);
  // It may have been confirmed since `now`.
  ages_.Observe(std::max(now - entry.confirmed_at, absl::ZeroDuration()));
  entry.Use();
  shard.KeepWarm(entry, options_.confirmations_ahead);
  return found;
}

// Looks up a read that could not be answered at once, or that continues under another name.
void ArticleCache::Resolve(WaitingRead read) {
  if (read.steps > WaitingRead::kMaxSteps)
    return std::move(read.done)(Internal("a cache read took too many steps"));
  PendingActions actions;
  {
    const HashedName name(read.name);
    Shard& shard = shards_.ShardFor(name);
    const std::lock_guard lock(shard.mutex);
    Entry* entry = shard.Find(name);
    if (entry != nullptr) {
      entry->Use();
    } else {
      entry = &shard.Add(name);
    }
    read.reached_entry_at = options_.clock.Now();
    read.joined_tick = shard.tick();
    read.known_tick = std::max(entry->learned_tick, entry->missing_tick);
    AnswerOrJoin(shard, *entry, std::move(read), actions);
    shard.Reaccount(*entry);
  }
  flights_.Run(std::move(actions));
}

void ArticleCache::AnswerOrJoin(Shard& shard, Entry& entry, WaitingRead read,
                                PendingActions& actions) {
  if (entry.kind == Entry::Kind::kAlias) {
    return actions.Follow(std::move(read), entry.extra->alias_of);
  }
  if (std::optional<Answer> answer = policy_.FromMemory(entry, read)) {
    ages_.Observe(read.reached_entry_at - entry.confirmed_at);
    return actions.Reply(shard, std::move(read), *std::move(answer));
  }
  const SteadyTime now = read.reached_entry_at;
  if (database_.IsAway(now)) {
    if (std::optional<Answer> answer = policy_.FromMemoryIfStale(entry, read, now)) {
      if (!entry.IsBeingConfirmed() && database_.TryProbe(now)) {
        actions.departures.push_back(flights_.Begin(shard, entry, StateQuestion()));
      }
      ages_.Observe(now - entry.confirmed_at);
      return actions.Reply(shard, std::move(read), *std::move(answer));
    }
  }
  flights_.Join(shard, entry, std::move(read), actions);
}

void ArticleCache::OnChange(const ChangeNotice& notice) {
  const HashedName key(notice.state.article_id);
  {
    Shard& shard = shards_.ShardFor(key);
    const std::lock_guard lock(shard.mutex);
    if (Entry* const entry = shard.Find(key)) {
      entry->OnChange(notice.state, shard.NextTick());
      shard.Reaccount(*entry);
    }
  }
  if (notice.name != key.name) OnAlias(HashedName(notice.name), notice.state.article_id);
}

void ArticleCache::OnAlias(const HashedName& name, const std::string& article_id) {
  Shard& shard = shards_.ShardFor(name);
  const std::lock_guard lock(shard.mutex);
  if (Entry* const entry = shard.Find(name)) {
    entry->BecomeAliasOf(article_id);
    shard.Reaccount(*entry);
  }
}

// Aliases are forgotten too, because a renaming may be lost. So reads start over only after that.
void ArticleCache::OnFailover() {
  PendingActions actions;
  for (size_t i = 0; i < shards_.size(); ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    for (WaitingRead& read : shards_[i].Clear()) {
      read.name = read.lookup.id;
      actions.restarted.push_back(std::move(read));
    }
  }
  flights_.Run(std::move(actions));
}

v1::CacheInfo ArticleCache::GetInfo() {
  const Numbers numbers = GetNumbers();
  v1::CacheInfo info;
  info.set_byte_limit(options_.max_bytes);
  info.set_byte_count(numbers.bytes);
  info.set_article_count(numbers.counters.articles);
  info.set_hit_count(numbers.counters.hits.sum());
  info.set_miss_count(numbers.counters.misses.sum());
  info.set_stale_count(numbers.counters.stale_answers);
  return info;
}

ArticleCache::Numbers ArticleCache::GetNumbers() {
  Numbers numbers;
  for (size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = shards_[i];
    const std::lock_guard lock(shard.mutex);
    numbers.counters.Add(shard.counters());
    numbers.bytes += static_cast<int64_t>(shard.bytes());
    numbers.entries += static_cast<int64_t>(shard.entry_count());
    numbers.flights += static_cast<int64_t>(shard.flights().size());
  }
  return numbers;
}

}  // namespace content::cache
