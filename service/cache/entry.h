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

/// What is known of a name. There may be a million entries, so what few of them need is in Extra.
///
/// Belongs to a shard, whose mutex guards every member.
struct Entry : Evictable {
  enum class Kind : uint8_t {
    kUnknown,  // nothing is known yet
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
    /// Pages of the article's revision, the oldest first.
    std::vector<Page> pages;
    /// The key of the article that an alias stands for.
    std::string alias_of;
  };

  explicit Entry(absl::string_view name_) : name(name_) {}

  /// What `lookup` asks for; nullopt if it is not known.
  std::optional<PageAnswer> Find(const Lookup& lookup) const;

  /// Whether the text and the page that `lookup` asks for are known, of whatever revision.
  bool Holds(const Lookup& lookup) const;

  /// Takes in what a flight has brought, unless something newer is known. Returns whether it shows
  /// that the database was rolled back.
  bool Learn(const Flight& flight, const Snapshot& snapshot, Tick now);

  /// Takes in a change that was announced.
  void OnChange(const ArticleState& state, Tick now);

  void BecomeAliasOf(const std::string& key);

  void DropPages();

  /// A flight under way that answers `question`, or nullptr.
  Flight* FindFlight(const Question& question) const;

  /// Whether a flight asks for its state.
  bool IsBeingConfirmed() const;

  void AddFlight(std::shared_ptr<Flight> flight);
  void RemoveFlight(const Flight& flight);
  bool has_flights() const { return extra != nullptr && !extra->flights.empty(); }

  /// Bytes of memory that it takes. Flights are not counted.
  size_t Bytes() const;

  const std::string name;
  CachedArticle article;
  /// When the question was sent that last confirmed what is known. Changes that are announced do
  /// not confirm anything.
  SteadyTime confirmed_at = SteadyTime::InfinitePast();
  /// When the newest state of the article was learned, even if it has been forgotten since.
  Tick learned_tick = 0;
  /// When a flight last found no article.
  Tick missing_tick = 0;
  std::unique_ptr<Extra> extra;
  /// How often it will be confirmed ahead of time if nobody reads it in the meantime. It is warm
  /// while this is not 0.
  uint8_t confirmations = 0;
  Kind kind = Kind::kUnknown;
  /// Whether the shard counts it as an article.
  bool counted = false;

 private:
  void LearnMissing(const Flight& flight, Tick now);
  void TakeOlder(const Flight& flight, const CachedArticle& older);
  void Confirm(const Flight& flight);
  void TakeState(const CachedArticle& newer);
  void TakeText(const CachedArticle& other);
  void TakePage(const std::string& key, const SharedBytes& bytes);
  void Forget();
  const SharedBytes* FindPage(const std::string& key) const;
  Extra& NeedExtra();
  void DropExtraIfEmpty();
};

}  // namespace content::cache
