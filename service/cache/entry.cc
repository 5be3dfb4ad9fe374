#include "cache/entry.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cache/flight.h"
#include "cache/memory.h"

namespace content::cache {
namespace {

// Callers request first pages in few ways. The oldest page is dropped to make room.
constexpr size_t kMaxPages = 8;

// Returns the same bytes without excess capacity.
SharedBytes Fitted(const SharedBytes& bytes) {
  const bool fits = bytes->capacity() - bytes->size() <= 16 + bytes->size() / 32;
  return fits ? bytes : std::make_shared<const std::string>(*bytes);
}

}  // namespace

std::optional<PageAnswer> Entry::Find(const Lookup& lookup) const {
  if (kind != Kind::kArticle) return std::nullopt;
  if (!lookup.page) return article.Find(lookup, nullptr);
  const SharedBytes* const page = FindPage(*lookup.page);
  return page == nullptr ? std::nullopt : article.Find(lookup, *page);
}

bool Entry::Holds(const Lookup& lookup) const {
  if (kind != Kind::kArticle || !article.HasText(lookup.view)) return false;
  return !lookup.page || FindPage(*lookup.page) != nullptr;
}

bool Entry::Learn(const Flight& flight, const Snapshot& snapshot, Tick now) {
  if (kind == Kind::kAlias) return false;
  if (!snapshot.article) {
    LearnMissing(flight, now);
    return false;
  }
  if (snapshot.article_id != name) {
    BecomeAliasOf(snapshot.article_id);
    return false;
  }
  // The article may have been there before it was missing, or afterwards. No revision orders the
  // two.
  if (flight.begun_tick < missing_tick) return false;
  const bool is_older = kind == Kind::kArticle && IsOlder(*snapshot.article, article);
  if (is_older && flight.begun_tick < learned_tick) {
    MergeOlder(flight, *snapshot.article);
    return false;
  }
  if (is_older) Forget();
  TakeState(*snapshot.article);
  TakeText(*snapshot.article);
  TakePage(flight.question.page, snapshot.page);
  learned_tick = now;
  Confirm(flight);
  return is_older;
}

void Entry::OnChange(const ArticleState& state, Tick now) {
  if (kind == Kind::kAlias) return;
  if (kind == Kind::kArticle && !IsOlder(article, state)) return;
  TakeState(CachedArticle(state));
  learned_tick = now;
}

void Entry::BecomeAliasOf(const std::string& key) {
  Forget();
  kind = Kind::kAlias;
  MutableExtra().alias_of = key;
}

void Entry::DropPages() {
  if (extra == nullptr) return;
  extra->pages = {};
  DropExtraIfEmpty();
}

void Entry::Clear() {
  Forget();
  confirmed_at = SteadyTime::InfinitePast();
  confirmations = 0;
  if (extra == nullptr) return;
  extra->alias_of.clear();
  DropExtraIfEmpty();
}

Flight* Entry::FindFlight(const Question& question) const {
  if (extra == nullptr) return nullptr;
  for (const auto& flight : extra->flights) {
    if (!flight->is_abandoned && flight->question.Covers(question)) return flight.get();
  }
  return nullptr;
}

bool Entry::IsBeingConfirmed() const { return FindFlight(StateQuestion()) != nullptr; }

void Entry::AddFlight(std::shared_ptr<Flight> flight) {
  MutableExtra().flights.push_back(std::move(flight));
}

void Entry::RemoveFlight(const Flight& flight) {
  std::erase_if(extra->flights, [&flight](const auto& other) { return other.get() == &flight; });
  DropExtraIfEmpty();
}

size_t Entry::Bytes() const {
  size_t bytes = HeapBytes(this) + HeapBytes(name) + HeapBytes(article.text);
  if (extra == nullptr) return bytes;
  bytes += HeapBytes(extra.get()) + HeapBytes(extra->alias_of);
  if (extra->pages.empty()) return bytes;
  bytes += HeapBytes(extra->pages.data());
  for (const Page& page : extra->pages) bytes += HeapBytes(page.key) + HeapBytes(page.bytes);
  return bytes;
}

// If the article was seen after the flight began, no revision tells which came first. The reads for
// which the flight began are answered that there is no article, which was true at some time since
// then. So the cached article must not be shown to anybody any more; but this flight does not tell
// other reads that the article is missing.
void Entry::LearnMissing(const Flight& flight, Tick now) {
  missing_tick = now;
  if (kind == Kind::kArticle) Forget();
  if (flight.begun_tick < learned_tick) return;
  kind = Kind::kMissing;
  Confirm(flight);
}

// A change notice arrived while the flight was under way. If it was only for a comment, the text
// from the flight is still current.
void Entry::MergeOlder(const Flight& flight, const CachedArticle& older) {
  if (older.version != article.version) return;
  TakeText(older);
  Confirm(flight);
}

void Entry::Confirm(const Flight& flight) {
  confirmed_at = std::max(confirmed_at, flight.begun_at);
}

void Entry::TakeState(const CachedArticle& newer) {
  if (newer.version != article.version) article.text = nullptr;
  if (newer.revision != article.revision) DropPages();
  article.revision = newer.revision;
  article.comment_count = newer.comment_count;
  article.version = newer.version;
  kind = Kind::kArticle;
}

// `other` must have the same version.
void Entry::TakeText(const CachedArticle& other) {
  if (other.text == nullptr) return;
  if (article.text != nullptr && article.full && !other.full) return;
  article.text = Fitted(other.text);
  article.basic_size = other.basic_size;
  article.full = other.full;
}

// The page must be at the cached revision.
void Entry::TakePage(const std::string& key, const SharedBytes& bytes) {
  if (bytes == nullptr) return;
  std::vector<Page>& pages = MutableExtra().pages;
  std::erase_if(pages, [&key](const Page& page) { return page.key == key; });
  if (pages.size() == kMaxPages) pages.erase(pages.begin());
  pages.push_back({.key = key, .bytes = Fitted(bytes)});
}

void Entry::Forget() {
  kind = Kind::kUnknown;
  article = {};
  DropPages();
}

const SharedBytes* Entry::FindPage(const std::string& key) const {
  if (extra == nullptr) return nullptr;
  for (const Page& page : extra->pages) {
    if (page.key == key) return &page.bytes;
  }
  return nullptr;
}

Entry::Extra& Entry::MutableExtra() {
  if (extra == nullptr) extra = std::make_unique<Extra>();
  return *extra;
}

void Entry::DropExtraIfEmpty() {
  if (extra->flights.empty() && extra->pages.empty() && extra->alias_of.empty()) extra = nullptr;
}

}  // namespace content::cache
