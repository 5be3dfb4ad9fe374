#include "store/articles/highlight.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "absl/strings/match.h"

namespace content::store {
namespace {

using Units = std::vector<SearchUnit>;

bool HasCharacters(const Units& term) {
  return std::any_of(term.begin(), term.end(),
                     [](const SearchUnit& unit) { return unit.is_character; });
}

// Returns, for each beginning of `term`, how many units at its end are also at its beginning.
std::vector<size_t> Borders(const Units& term) {
  std::vector<size_t> borders(term.size());
  for (size_t i = 1; i < term.size(); ++i) {
    size_t border = borders[i - 1];
    while (border > 0 && term[i].text != term[border].text) border = borders[border - 1];
    borders[i] = term[i].text == term[border].text ? border + 1 : 0;
  }
  return borders;
}

// Marks every occurrence of a term, by the algorithm of Knuth, Morris and Pratt.
void MarkSequence(const Units& units, const Units& term, std::vector<Mark>& marks) {
  const std::vector<size_t> borders = Borders(term);
  size_t matched = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    while (matched > 0 && units[i].text != term[matched].text) matched = borders[matched - 1];
    if (units[i].text == term[matched].text) ++matched;
    if (matched < term.size()) continue;
    marks.push_back({units[i + 1 - matched].begin, units[i].end});
    matched = borders[matched - 1];
  }
}

// Marks every occurrence of one character, with any marks.
void MarkCharacter(const Units& units, const SearchUnit& character, std::vector<Mark>& marks) {
  for (const SearchUnit& unit : units) {
    if (unit.is_character && absl::StartsWith(unit.text, character.text)) {
      marks.push_back({unit.begin, unit.end});
    }
  }
}

}  // namespace

std::vector<Mark> FindMarks(const Units& units, const ParsedQuery& query,
                            const std::vector<size_t>& found, size_t first_unknown) {
  std::vector<Mark> marks;
  std::unordered_set<std::string> words;
  std::unordered_set<std::string> parts;  // words of terms that are marked as a whole
  for (const Units& term : query.terms) {
    const bool has_characters = HasCharacters(term);
    for (const SearchUnit& unit : term) (has_characters ? parts : words).insert(unit.text);
    if (!has_characters) continue;
    if (term.size() == 1) {
      MarkCharacter(units, term[0], marks);
    } else {
      MarkSequence(units, term, marks);
    }
  }
  const auto mark = [&](size_t i) { marks.push_back({units[i].begin, units[i].end}); };
  for (const size_t i : found) {
    if (i >= units.size() || units[i].is_character) continue;
    if (!parts.contains(units[i].text) || words.contains(units[i].text)) mark(i);
  }
  for (size_t i = first_unknown; i < units.size(); ++i) {
    if (words.contains(units[i].text)) mark(i);
  }
  std::sort(marks.begin(), marks.end(), [](const Mark& one, const Mark& other) {
    return one.begin < other.begin || (one.begin == other.begin && one.end < other.end);
  });
  return marks;
}

}  // namespace content::store
