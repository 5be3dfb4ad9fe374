#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/clock.h"
#include "content/read_cache.h"

// Requests to the cache and their answers.
namespace content::cache {

/// Number of an event in a shard. Orders events that happened at the same time by the clock.
using Tick = uint64_t;

/// What a caller requests.
struct Lookup {
  /// A name of the article, as the caller gave it.
  std::string id = {};
  /// If set, the article is requested, in this view.
  std::optional<v1::ArticleView> view = {};
  /// If set, the page with this key is requested.
  std::optional<std::string> page = {};
  int64_t min_revision = 0;
};

/// The answer to a Lookup. It has a page and an article only if they were requested.
using Answer = absl::StatusOr<PageAnswer>;

/// A read that could not be answered at once. Guarded by the mutex of the shard in which it waits.
struct WaitingRead {
  /// No read needs more steps, unless the source contradicts itself: it calls each of two names an
  /// alias of the other, or its answers lack what they were asked for.
  static constexpr int kMaxSteps = 16;

  CallContext context;
  Lookup lookup;
  /// The name that is looked up: lookup.id or, if that is an alias, its key.
  std::string name = lookup.id;
  /// Loads the page; nullptr unless one is requested.
  std::shared_ptr<const LoadPage> load = {};
  Callback<PageAnswer> done = {};

  /// When the read reached the entry of `name`.
  SteadyTime reached_entry_at = {};
  Tick joined_tick = 0;
  /// When the entry had last learned something by then. The caller may know that, but nothing
  /// newer.
  Tick known_tick = 0;
  /// How many times the read has joined a flight or moved to another name.
  int steps = 0;
  /// Whether it has waited for a flight that was refused, and that another account had begun.
  bool was_refused_with_another = false;
  /// Whether this read has been counted as a miss.
  bool is_miss = false;
};

}  // namespace content::cache
