#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cache/eviction.h"
#include "content/article.h"
#include "content/read_cache.h"

namespace content::cache {

struct Flight;

/// A moment in the life of a shard. Clocks may show the same time for two events; this tells which
/// was first.
using Tick = uint64_t;

/// What a read asks for.
struct Want {
  /// The article; unset: it is not wanted.
  std::optional<v1::ArticleView> view = {};
  /// The page of this key; unset: none.
  std::optional<absl::string_view> page = {};
  int64_t min_revision = 0;
};

/// What the database is to be asked about an entry.
struct Need {
  enum class Kind : uint8_t {
    kState,    // whether what is known is still so
    kArticle,  // the article in `view`
    kPage,     // a page, and the article if there is a `view`
  };

  /// Whether it brings all that `other` is to bring.
  bool Covers(const Need& other) const;

  Kind kind = Kind::kState;
  std::optional<v1::ArticleView> view = {};
  /// The key of the page.
  std::string page = {};
};

inline Need Confirmation() { return {.kind = Need::Kind::kState}; }

/// What a read is answered with.
struct Found {
  /// Without text if it was not asked for.
  ArticleAnswer article;
  SharedBytes page = {};
};

/// What is known of an article: an EncodedArticle without its key. The text may be missing.
struct Article {
  Article() = default;
  explicit Article(const ArticleState& state);
  explicit Article(const EncodedArticle& encoded);

  /// The article and `page`, which may be missing, as far as that is all that is wanted.
  std::optional<Found> Find(const Want& want, const SharedBytes& page) const;

  SharedBytes text;
  int64_t revision = 0;
  int64_t comment_count = 0;
  int64_t version = 0;
  uint32_t basic_size = 0;
  bool full = false;
};

/// What a flight has brought.
struct Fact {
  /// Nothing: there is no article that readers see.
  std::optional<Article> article = {};
  /// The key of the article, if there is one.
  std::string article_id = {};
  SharedBytes page = {};
};

/// What is known of a name. There may be a million of these: what most have no need of is in Extra.
/// Belongs to its shard, under whose lock everything here is done.
struct Entry : Evictable {
  enum class Kind : uint8_t {
    kUnknown,  // nothing is known yet
    kArticle,  // the state of an article is known, and maybe more
    kAlias,    // the article is kept under another key; no other article will have this name
    kMissing,  // there is no article that readers see
  };

  struct Page {
    std::string key;
    SharedBytes bytes;
  };

  struct Extra {
    std::vector<std::shared_ptr<Flight>> flights;
    /// Of the article's revision.
    std::vector<Page> pages;
    /// The key that an alias stands for.
    std::string alias_of;
  };

  explicit Entry(absl::string_view name_) : name(name_) {}

  /// What is wanted, if it is known.
  std::optional<Found> Find(const Want& want) const;

  /// Takes in what a flight has brought, as far as it is sure that nothing newer is known. Says
  /// whether by that the database has been set back.
  bool Learn(const Flight& flight, const Fact& fact, Tick now);

  /// Takes in what the news say.
  void Hear(const ArticleState& state, Tick now);

  void BecomeAliasOf(const std::string& key);

  void DropPages();

  /// A flight under way that brings what is needed, or nullptr.
  Flight* FindFlight(const Need& need) const;

  /// Whether its state is being asked for.
  bool IsBeingConfirmed() const { return FindFlight(Confirmation()) != nullptr; }

  void AddFlight(std::shared_ptr<Flight> flight);
  void RemoveFlight(const Flight& flight);
  bool has_flights() const { return extra != nullptr && !extra->flights.empty(); }

  /// How many bytes of memory it takes, everything counted but flights.
  size_t Bytes() const;

  const std::string name;
  Article article;
  /// The time before the question was sent that last confirmed what is known. News do not count.
  SteadyTime validated_at = SteadyTime::InfinitePast();
  /// When the newest was learned that is, or was, known of an article.
  Tick learned = 0;
  /// When a flight last said that there was none.
  Tick missing_at = 0;
  std::unique_ptr<Extra> extra;
  /// How often it is to be confirmed ahead of time even if nobody reads it meanwhile.
  uint8_t confirmations = 0;
  Kind kind = Kind::kUnknown;
  /// Whether the shard counts it as an article.
  bool counted = false;

 private:
  void LearnMissing(const Flight& flight, Tick now);
  void TakeOlder(const Flight& flight, const Article& older);
  void Confirm(const Flight& flight);
  void TakeState(const Article& newer);
  void TakeText(const Article& other);
  void TakePage(const std::string& key, const SharedBytes& bytes);
  void Forget();
  Extra& NeedExtra();
  void DropExtraIfEmpty();
};

}  // namespace content::cache
