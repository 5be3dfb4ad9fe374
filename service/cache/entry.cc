#include "cache/entry.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cache/flight.h"
#include "cache/memory.h"

namespace content::cache {
namespace {

// First pages in the few ways callers ask for them; the one that was kept first makes room.
constexpr size_t kMostPages = 8;

// How much of an article a view is.
int Extent(std::optional<v1::ArticleView> view) {
  if (!view) return 0;
  return *view == v1::ARTICLE_VIEW_FULL ? 2 : 1;
}

// The same bytes in no more memory than they need.
SharedBytes Fitted(const SharedBytes& bytes) {
  const bool fits = bytes->capacity() - bytes->size() <= 16 + bytes->size() / 32;
  return fits ? bytes : std::make_shared<const std::string>(*bytes);
}

}  // namespace

bool Need::Covers(const Need& other) const {
  return kind == other.kind && page == other.page && Extent(view) >= Extent(other.view);
}

Article::Article(const ArticleState& state)
    : revision(state.revision), comment_count(state.comment_count), version(state.version) {}

Article::Article(const EncodedArticle& encoded) : Article(encoded.state) {
  text = encoded.text;
  basic_size = static_cast<uint32_t>(encoded.basic_size);
  full = encoded.full;
}

std::optional<Found> Article::Find(const Want& want, const SharedBytes& page) const {
  if (revision < want.min_revision) return std::nullopt;
  if (want.page && page == nullptr) return std::nullopt;
  Found found;
  found.article.revision = revision;
  found.article.comment_count = comment_count;
  if (want.page) found.page = page;
  if (want.view) {
    const bool is_full = *want.view == v1::ARTICLE_VIEW_FULL;
    if (text == nullptr || (is_full && !full)) return std::nullopt;
    found.article.text = text;
    found.article.size = is_full ? text->size() : basic_size;
  }
  return found;
}

std::optional<Found> Entry::Find(const Want& want) const {
  if (kind != Kind::kArticle) return std::nullopt;
  if (!want.page) return article.Find(want, nullptr);
  if (extra == nullptr) return std::nullopt;
  const auto page =
      std::find_if(extra->pages.begin(), extra->pages.end(),
                   [&want](const Page& candidate) { return candidate.key == *want.page; });
  if (page == extra->pages.end()) return std::nullopt;
  return article.Find(want, page->bytes);
}

bool Entry::Learn(const Flight& flight, const Fact& fact, Tick now) {
  if (kind == Kind::kAlias) return false;
  if (!fact.article) {
    LearnMissing(flight, now);
    return false;
  }
  if (fact.article_id != name) {
    BecomeAliasOf(fact.article_id);
    return false;
  }
  // It may have been there before it was missing, or afterwards: no revision tells.
  if (flight.begun < missing_at) return false;
  const bool shows_less = kind == Kind::kArticle && fact.article->revision < article.revision;
  if (shows_less && flight.begun < learned) {
    TakeOlder(flight, *fact.article);
    return false;
  }
  if (shows_less) Forget();
  TakeState(*fact.article);
  TakeText(*fact.article);
  TakePage(flight.need.page, fact.page);
  learned = now;
  Confirm(flight);
  return shows_less;
}

void Entry::Hear(const ArticleState& state, Tick now) {
  if (kind == Kind::kAlias) return;
  if (kind == Kind::kArticle && state.revision <= article.revision) return;
  TakeState(Article(state));
  learned = now;
}

void Entry::BecomeAliasOf(const std::string& key) {
  Forget();
  kind = Kind::kAlias;
  NeedExtra().alias_of = key;
}

void Entry::DropPages() {
  if (extra == nullptr) return;
  extra->pages = {};
  DropExtraIfEmpty();
}

Flight* Entry::FindFlight(const Need& need) const {
  if (extra == nullptr) return nullptr;
  for (const auto& flight : extra->flights) {
    if (flight->need.Covers(need)) return flight.get();
  }
  return nullptr;
}

void Entry::AddFlight(std::shared_ptr<Flight> flight) {
  NeedExtra().flights.push_back(std::move(flight));
}

void Entry::RemoveFlight(const Flight& flight) {
  std::erase_if(extra->flights, [&flight](const auto& other) { return other.get() == &flight; });
  DropExtraIfEmpty();
}

size_t Entry::Bytes() const {
  size_t bytes = HeapBytes(sizeof(Entry)) + HeapBytes(name) + HeapBytes(article.text);
  if (extra == nullptr) return bytes;
  bytes += HeapBytes(sizeof(Extra)) + HeapBytes(extra->alias_of);
  if (extra->pages.empty()) return bytes;
  bytes += HeapBytes(extra->pages.capacity() * sizeof(Page));
  for (const Page& page : extra->pages) bytes += HeapBytes(page.key) + HeapBytes(page.bytes);
  return bytes;
}

// If an article has been learned of since the flight began, no revision tells which was first.
// Whoever had the flight begun is told that there is none, which was so at some time since; so what
// was known is shown to nobody any more. But others are not told so by this flight.
void Entry::LearnMissing(const Flight& flight, Tick now) {
  missing_at = now;
  if (kind == Kind::kArticle) Forget();
  if (flight.begun < learned) return;
  kind = Kind::kMissing;
  Confirm(flight);
}

// What news have overtaken. But if they were of comments only, the text is still the one.
void Entry::TakeOlder(const Flight& flight, const Article& older) {
  if (older.version != article.version) return;
  TakeText(older);
  Confirm(flight);
}

void Entry::Confirm(const Flight& flight) {
  validated_at = std::max(validated_at, flight.begun_at);
}

void Entry::TakeState(const Article& newer) {
  if (newer.version != article.version) article.text = nullptr;
  if (newer.revision != article.revision) DropPages();
  article.revision = newer.revision;
  article.comment_count = newer.comment_count;
  article.version = newer.version;
  kind = Kind::kArticle;
}

// Of the same version.
void Entry::TakeText(const Article& other) {
  if (other.text == nullptr) return;
  if (article.text != nullptr && article.full && !other.full) return;
  article.text = Fitted(other.text);
  article.basic_size = other.basic_size;
  article.full = other.full;
}

// Of the same revision.
void Entry::TakePage(const std::string& key, const SharedBytes& bytes) {
  if (bytes == nullptr) return;
  std::vector<Page>& pages = NeedExtra().pages;
  std::erase_if(pages, [&key](const Page& page) { return page.key == key; });
  if (pages.size() == kMostPages) pages.erase(pages.begin());
  pages.push_back({.key = key, .bytes = Fitted(bytes)});
}

void Entry::Forget() {
  kind = Kind::kUnknown;
  article = {};
  DropPages();
}

Entry::Extra& Entry::NeedExtra() {
  if (extra == nullptr) extra = std::make_unique<Extra>();
  return *extra;
}

void Entry::DropExtraIfEmpty() {
  if (extra->flights.empty() && extra->pages.empty() && extra->alias_of.empty()) extra = nullptr;
}

}  // namespace content::cache
