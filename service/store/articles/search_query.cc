#include "store/articles/search_query.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/text.h"

namespace content::store {
namespace {

// A word of the query, or what stands in quotes.
struct Term {
  absl::string_view text;
  bool is_quoted = false;
  bool is_excluded = false;
};

// Takes terms from the beginning of a query.
class TermReader {
 public:
  explicit TermReader(absl::string_view query) : rest_(query) {}

  // Returns false at the end.
  bool Next(Term& term) {
    rest_ = TrimWhiteSpace(rest_);
    if (rest_.empty()) return false;
    term.is_excluded = absl::ConsumePrefix(&rest_, "-");
    term.is_quoted = absl::ConsumePrefix(&rest_, "\"");
    term.text = rest_.substr(0, term.is_quoted ? rest_.find('"') : WordLength());
    rest_.remove_prefix(term.text.size());
    if (term.is_quoted) absl::ConsumePrefix(&rest_, "\"");
    return true;
  }

 private:
  size_t WordLength() const { return std::min(FindWhiteSpace(rest_), rest_.find('"')); }

  absl::string_view rest_;
};

// A word as an index has it.
struct PlacedWord {
  std::string text;
  size_t place;       // its number in its term
  bool is_beginning;  // whether only the beginning of a word
};

// A character that stands alone is found as the beginning of a pair. The last one of a run is in
// the pair before.
std::vector<PlacedWord> WordsOf(const std::vector<SearchUnit>& units) {
  std::vector<PlacedWord> words;
  for (size_t i = 0; i < units.size(); ++i) {
    const bool is_pair = units[i].is_paired;
    const bool is_in_last_pair = i > 0 && units[i - 1].is_paired;
    if (is_in_last_pair && !is_pair) continue;
    words.push_back({IndexedWord(units, i), i, units[i].is_character && !is_pair});
  }
  return words;
}

// Returns `word` in PostgreSQL's notation. `weight` is the letter of the only weight that it may
// have, or empty.
std::string Quoted(const PlacedWord& word, absl::string_view weight = "") {
  const absl::string_view prefix = word.is_beginning ? "*" : "";
  const absl::string_view colon = prefix.empty() && weight.empty() ? "" : ":";
  return absl::StrCat("'", word.text, "'", colon, prefix, weight);
}

// Returns a query for words that follow one another. Where an index does not know the order of
// words (weight D, see search.cc), it is enough that all of them occur, if `may_be_apart`.
std::string Phrase(const std::vector<PlacedWord>& words, bool may_be_apart) {
  std::string in_order = Quoted(words[0]);
  if (words.size() == 1) return in_order;
  std::string apart = Quoted(words[0], "D");
  for (size_t i = 1; i < words.size(); ++i) {
    absl::StrAppend(&in_order, " <", words[i].place - words[i - 1].place, "> ", Quoted(words[i]));
    absl::StrAppend(&apart, " & ", Quoted(words[i], "D"));
  }
  return may_be_apart ? absl::StrCat("(", in_order, " | ", apart, ")")
                      : absl::StrCat("(", in_order, ")");
}

void AppendWith(absl::string_view separator, absl::string_view text, std::string& list) {
  absl::StrAppend(&list, list.empty() ? "" : separator, text);
}

bool IsSameTerm(const std::vector<SearchUnit>& one, const std::vector<SearchUnit>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](const SearchUnit& a, const SearchUnit& b) { return a.text == b.text; });
}

// Adds a term to the last alternative.
void AddTerm(const Term& term, ParsedQuery& query) {
  std::vector<SearchUnit> units = SplitForSearch(term.text);
  if (units.empty()) return;
  // Long texts without spaces have many words.
  const bool has_pair = std::any_of(units.begin(), units.end(),
                                    [](const SearchUnit& unit) { return unit.is_paired; });
  const std::string phrase = Phrase(WordsOf(units), has_pair || !term.is_quoted);
  if (term.is_excluded) return AppendWith(" | ", phrase, query.excluded.back());
  AppendWith(" & ", phrase, query.wanted.back());
  const bool is_new =
      std::none_of(query.terms.begin(), query.terms.end(),
                   [&](const std::vector<SearchUnit>& known) { return IsSameTerm(known, units); });
  if (is_new) query.terms.push_back(std::move(units));
}

void StartAlternative(ParsedQuery& query) {
  query.wanted.emplace_back();
  query.excluded.emplace_back();
}

void DropLastIfEmpty(ParsedQuery& query) {
  if (!query.wanted.back().empty() || !query.excluded.back().empty()) return;
  query.wanted.pop_back();
  query.excluded.pop_back();
}

bool IsOr(const Term& term) {
  return !term.is_quoted && !term.is_excluded && absl::EqualsIgnoreCase(term.text, "or");
}

}  // namespace

ParsedQuery ParseSearchQuery(absl::string_view text) {
  ParsedQuery query;
  StartAlternative(query);
  TermReader terms(text);
  for (Term term; terms.Next(term);) {
    if (IsOr(term)) {
      DropLastIfEmpty(query);
      StartAlternative(query);
    } else {
      AddTerm(term, query);
    }
  }
  DropLastIfEmpty(query);
  return query;
}

}  // namespace content::store
