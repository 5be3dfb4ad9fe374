#include "transfer/item_identity.h"

#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/addresses.h"

namespace content::transfer {
namespace {

uint64_t Digested(absl::string_view text) { return text.empty() ? 0 : absl::HashOf(text); }

bool AreKnown(uint64_t one, uint64_t other) { return one != 0 && other != 0; }

// Returns whether an item of another date than this one is another item.
bool IsKnownByDate(const ItemIdentity& item, const ItemIdentity& other) {
  if (!item.may_be_redated) return true;
  return item.day_in_name && *item.day_in_name != absl::ToCivilDay(other.time, absl::UTCTimeZone());
}

bool AreEqual(uint64_t one, uint64_t other) { return AreKnown(one, other) && one == other; }

}  // namespace

ItemIdentity IdentityOf(const v1::Article& stored) {
  return {.address = Digested(NormalAddress(stored.source_uri())),
          .host = Digested(HostOf(stored.source_uri())),
          .title = Digested(stored.title()),
          .name = Digested(stored.name()),
          .time = absl::FromUnixSeconds(stored.publish_time().seconds()),
          .is_dated = true};
}

ItemIdentity IdentityOf(const ParsedArticle& article) {
  ItemIdentity identity = IdentityOf(article.article);
  identity.source = Digested(article.source);
  identity.key = Digested(article.key);
  const bool is_of_this_service = article.restoration && article.restoration->key > 0;
  if (!is_of_this_service) identity.name = 0;
  identity.is_dated = article.is_dated;
  identity.may_be_redated = article.may_be_redated;
  identity.day_in_name = article.day_in_name;
  return identity;
}

Likeness Compare(const ItemIdentity& one, const ItemIdentity& other) {
  // Whoever gives two sites one --source may still give them equal keys.
  const bool may_be_one_site = !AreKnown(one.host, other.host) || one.host == other.host;
  if (may_be_one_site && AreEqual(one.source, other.source) && AreKnown(one.key, other.key)) {
    return one.key == other.key ? Likeness::kSame : Likeness::kOther;
  }
  if (AreEqual(one.address, other.address)) return Likeness::kSame;
  const bool has_same_title = one.title == other.title;
  const bool are_two_pages = AreKnown(one.address, other.address);
  if (!one.is_dated || !other.is_dated) {
    return has_same_title && !are_two_pages ? Likeness::kSameTitle : Likeness::kUnknown;
  }
  const absl::Duration apart = absl::AbsDuration(one.time - other.time);
  // Whoever edits an article here keeps its name and its time.
  if (AreEqual(one.name, other.name) && apart == absl::ZeroDuration()) return Likeness::kSame;
  // Two pages are two items, unless a site has moved them.
  if (apart >= (are_two_pages ? absl::Seconds(1) : absl::Hours(24))) {
    const bool are_known_by_dates = IsKnownByDate(one, other) && IsKnownByDate(other, one);
    return are_known_by_dates ? Likeness::kOther : Likeness::kUnknown;
  }
  if (has_same_title) return Likeness::kSame;
  return are_two_pages && one.host != other.host ? Likeness::kOther : Likeness::kUnknown;
}

}  // namespace content::transfer
