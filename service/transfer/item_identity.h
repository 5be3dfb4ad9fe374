#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "content/v1/article.pb.h"
#include "transfer/parse.h"

// Whether two articles that could have one id are one item: two of a run, or one of a run and one
// in the store.
namespace content::transfer {

/// What tells an article from others, in few bytes. Texts are digests that are valid in this
/// process, or 0 if they are empty.
struct ItemIdentity {
  uint64_t source = 0;   ///< ParsedArticle::source
  uint64_t key = 0;      ///< ParsedArticle::key
  uint64_t address = 0;  ///< As in NormalAddress.
  uint64_t host = 0;
  uint64_t title = 0;
  uint64_t name = 0;      ///< In this service. 0 for what comes from elsewhere.
  absl::Time time;        ///< In whole seconds.
  bool is_dated = false;  ///< Whether the time tells anything.
  /// ParsedArticle::may_be_redated
  bool may_be_redated = false;
  std::optional<absl::CivilDay> day_in_name = std::nullopt;  ///< ParsedArticle::day_in_name
};

ItemIdentity IdentityOf(const ParsedArticle& article);

/// That of an article in the store, which does not remember where it came from.
ItemIdentity IdentityOf(const v1::Article& stored);

enum class Likeness {
  kSame,
  kSameTitle,  ///< Rather the same, but nothing else tells: many have the title "Introduction".
  kOther,
  kUnknown
};

/// Compares what could have one id. Items of one source and one site are the same if their keys
/// are. Otherwise they are the same if their addresses are; or if their titles are and they are
/// less than a day apart. Items with two addresses must have the same second, which a site that
/// moves keeps; without dates, nothing tells. Articles of this service are the same if their names
/// and seconds are. Those that are not the same are clearly other ones if their dates say so, or
/// both their sites and their titles. A date that may have been corrected does not say so.
Likeness Compare(const ItemIdentity& one, const ItemIdentity& other);

}  // namespace content::transfer
