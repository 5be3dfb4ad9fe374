#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/call.h"
#include "base/clock.h"
#include "content/read_cache.h"

// What the cache is asked for, and what it answers.
namespace content::cache {

/// Counts the events of a shard. Two events may happen at the same time of the clock; their ticks
/// tell which came first.
using Tick = uint64_t;

/// What a caller asks for.
struct Lookup {
  /// A name of the article, as the caller gave it.
  std::string id = {};
  /// If set, the article is wanted, in this view.
  std::optional<v1::ArticleView> view = {};
  /// If set, the page with this key is wanted.
  std::optional<std::string> page = {};
  int64_t min_revision = 0;
};

/// What a lookup is answered with. It has a page and an article only if they were asked for.
using Answer = absl::StatusOr<PageAnswer>;

/// A lookup that could not be answered at once. Guarded by the mutex of the shard in which it waits
/// for a flight.
struct WaitingRead {
  /// No read takes this many steps, unless the source contradicts itself: it says of two names that
  /// each is an alias of the other, or does not bring what it was asked for.
  static constexpr int kMaxSteps = 16;

  CallContext context;
  Lookup lookup;
  /// The name under which the article is looked for: lookup.id, or what that is an alias of.
  std::string name = lookup.id;
  /// Makes the page, if one is wanted.
  std::shared_ptr<const LoadPage> load = {};
  Callback<PageAnswer> done = {};

  /// When the read came to the entry of `name`.
  SteadyTime asked_at = {};
  Tick joined_tick = 0;
  /// When the entry last learned something. The caller may know of that, and nothing newer.
  Tick known_tick = 0;
  /// How often the read has joined a flight or has gone on to another name.
  int steps = 0;
  /// Whether it has been counted as a miss.
  bool is_miss = false;
};

}  // namespace content::cache
