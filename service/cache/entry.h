#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "cache/cached_article.h"
#include "cache/eviction.h"
#include "cache/lookup.h"
#include "content/article.h"

namespace content::cache {

struct Flight;
struct Question;

/// What the cache knows about a name. There may be a million entries, so members that few of them
/// need are in Extra.
///
/// Belongs to a shard. Every member is guarded by the shard's mutex.
struct Entry : Evictable {
  enum class Kind : uint8_t {
    kUnknown,  // nothing yet
    kArticle,  // at least the state of an article is known
    kAlias,    // the article is kept under another key; no other article ever gets this name
    kMissing,  // there is no article that readers see
  };

  struct Page {
    std::string key;
    SharedBytes bytes;
  };

  struct Extra {
    std::vector<std::shared_ptr<Flight>> flights;
    /// Pages at the article's revision, oldest first.
    std::vector<Page> pages;
    /// If the entry is an alias: the key of its article.
    std::string alias_of;
  };

  explicit Entry(absl::string_view name_) : name(name_) {}

  /// Returns what `lookup` asks for; nullopt if it is not cached.
  std::optional<PageAnswer> Find(const Lookup& lookup) const;

  /// Returns whether the text and the page that `lookup` asks for are cached, at any revision.
  bool Holds(const Lookup& lookup) const;

  /// Takes over the answer of a flight, unless something newer is known. Returns true if the answer
  /// shows that the database was rolled back.
  bool Learn(const Flight& flight, const Snapshot& snapshot, Tick now);

  /// Takes over the state from a change notice.
  void OnChange(const ArticleState& state, Tick now);

  void BecomeAliasOf(const std::string& key);

  void DropPages();

  /// Forgets everything except the flights.
  void Clear();

  /// Returns a flight under way that answers `question` and is not abandoned; nullptr if there is
  /// none.
  Flight* FindFlight(const Question& question) const;

  /// Returns whether a flight under way asks for the state.
  bool IsBeingConfirmed() const;

  void AddFlight(std::shared_ptr<Flight> flight);
  void RemoveFlight(const Flight& flight);
  bool has_flights() const { return extra != nullptr && !extra->flights.empty(); }

  /// Returns the memory that the entry uses, in bytes. Flights are not counted.
  size_t Bytes() const;

  const std::string name;
  CachedArticle article;
  /// When the question was sent that last confirmed the entry. Change notices do not confirm
  /// anything.
  SteadyTime confirmed_at = SteadyTime::InfinitePast();
  /// When the newest state of the article was learned, even if it has since been forgotten.
  Tick learned_tick = 0;
  /// When a flight last found no article.
  Tick missing_tick = 0;
  std::unique_ptr<Extra> extra;
  /// How many more times the entry is confirmed ahead of time if it is not read. It is warm while
  /// this is not 0.
  uint8_t confirmations = 0;
  Kind kind = Kind::kUnknown;
  /// Whether the shard counts this entry as an article.
  bool counted = false;

 private:
  void LearnMissing(const Flight& flight, Tick now);
  void MergeOlder(const Flight& flight, const CachedArticle& older);
  void Confirm(const Flight& flight);
  void TakeState(const CachedArticle& newer);
  void TakeText(const CachedArticle& other);
  void TakePage(const std::string& key, const SharedBytes& bytes);
  void Forget();
  const SharedBytes* FindPage(const std::string& key) const;
  Extra& MutableExtra();
  void DropExtraIfEmpty();
};

}  // namespace content::cache
