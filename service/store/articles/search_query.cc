#include "store/articles/search_query.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "content/search_text.h"
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
  size_t place;  // its number in its term
  bool is_pair;
};

// A character that stands alone is found as the beginning of a pair. The last one of a run is in
// the pair before.
std::vector<PlacedWord> WordsOf(absl::string_view text) {
  std::vector<PlacedWord> words;
  const std::vector<SearchUnit> units = SplitForSearch(text);
  for (size_t i = 0; i < units.size(); ++i) {
    const bool is_pair = units[i].is_paired;
    const bool is_in_last_pair = i > 0 && units[i - 1].is_paired;
    if (is_in_last_pair && !is_pair) continue;
    const bool is_alone = units[i].is_character && !is_pair;
    words.push_back({absl::StrCat(IndexedWord(units, i), is_alone ? "*" : ""), i, is_pair});
  }
  return words;
}

std::string Quoted(absl::string_view word) {
  const bool is_beginning = absl::ConsumeSuffix(&word, "*");
  return absl::StrCat("'", word, "'", is_beginning ? ":*" : "");
}

// Returns whether these words are pairs of characters, not all the same.
bool ArePairs(const std::vector<PlacedWord>& words) {
  return std::all_of(words.begin(), words.end(),
                     [](const PlacedWord& word) { return word.is_pair; }) &&
         std::any_of(words.begin(), words.end(),
                     [&words](const PlacedWord& word) { return word.text != words[0].text; });
}

// Returns a query for words that follow one another. A tsvector has all words after the 16,382nd at
// one position. Long texts without spaces have many words, so there it is enough that all of the
// pairs of a term occur.
std::string Phrase(const std::vector<PlacedWord>& words) {
  std::string in_order = Quoted(words[0].text);
  std::string at_the_end = in_order;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string word = Quoted(words[i].text);
    absl::StrAppend(&in_order, " <", words[i].place - words[i - 1].place, "> ", word);
    absl::StrAppend(&at_the_end, " <0> ", word);
  }
  if (ArePairs(words)) return absl::StrCat("(", in_order, " | ", at_the_end, ")");
  return words.size() == 1 ? in_order : absl::StrCat("(", in_order, ")");
}

void AppendWith(absl::string_view separator, absl::string_view text, std::string& list) {
  absl::StrAppend(&list, list.empty() ? "" : separator, text);
}

// Adds a term to the last alternative.
void AddTerm(const Term& term, ParsedQuery& query) {
  const std::vector<PlacedWord> words = WordsOf(term.text);
  if (words.empty()) return;
  if (term.is_excluded) return AppendWith(" | ", Phrase(words), query.excluded.back());
  AppendWith(" & ", Phrase(words), query.wanted.back());
  for (const PlacedWord& word : words) query.words.push_back(word.text);
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

bool ParsedQuery::Wants(absl::string_view word) const {
  return std::any_of(words.begin(), words.end(), [word](absl::string_view one) {
    return absl::ConsumeSuffix(&one, "*") ? absl::StartsWith(word, one) : word == one;
  });
}

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
