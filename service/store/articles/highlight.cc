#include "store/articles/highlight.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "absl/strings/string_view.h"

namespace content::store {
namespace {

using Units = std::vector<SearchUnit>;

bool HasCharacters(const Units& term) {
  return std::any_of(term.begin(), term.end(),
                     [](const SearchUnit& unit) { return unit.is_character; });
}

// Finds terms of several units, by the algorithm of Aho and Corasick.
class SequenceFinder {
 public:
  void Add(const Units& sequence) {
    size_t at = 0;
    for (const SearchUnit& unit : sequence) {
      const size_t child = nodes_[at].children.try_emplace(unit.text, nodes_.size()).first->second;
      if (child == nodes_.size()) nodes_.emplace_back();
      at = child;
    }
    nodes_[at].found = sequence.size();
  }

  // Called once, after the last Add.
  void Link() {
    std::vector<size_t> by_depth = {0};
    for (size_t i = 0; i < by_depth.size(); ++i) {
      const size_t parent = by_depth[i];
      for (const auto& [text, child] : nodes_[parent].children) {
        by_depth.push_back(child);
        if (parent == 0) continue;
        Node& node = nodes_[child];
        node.border = Next(nodes_[parent].border, text);
        node.found = std::max(node.found, nodes_[node.border].found);
      }
    }
  }

  // Moves `node`, which is 0 before the first unit, past the next unit. Returns how many units the
  // longest sequence that ends with it has; 0 if none does.
  size_t Pass(const SearchUnit& unit, size_t& node) const {
    node = Next(node, unit.text);
    return nodes_[node].found;
  }

 private:
  // The beginning of a sequence.
  struct Node {
    std::unordered_map<std::string, size_t> children;  // by the unit that follows
    size_t border = 0;  // its longest end that is also the beginning of a sequence
    size_t found = 0;   // the number of units of the longest sequence at its end
  };

  size_t Next(size_t node, const std::string& text) const {
    for (;; node = nodes_[node].border) {
      const auto child = nodes_[node].children.find(text);
      if (child != nodes_[node].children.end()) return child->second;
      if (node == 0) return 0;
    }
  }

  std::vector<Node> nodes_ = std::vector<Node>(1);
};

// Finds single characters, with any marks.
class CharacterFinder {
 public:
  void Add(const SearchUnit& character) {
    characters_.insert(character.text);
    sizes_.insert(character.text.size());
  }

  bool Matches(const SearchUnit& unit) const {
    if (!unit.is_character) return false;
    const absl::string_view text = unit.text;
    return std::any_of(sizes_.begin(), sizes_.end(), [&](size_t size) {
      return size <= text.size() && characters_.contains(std::string(text.substr(0, size)));
    });
  }

 private:
  std::unordered_set<std::string> characters_;
  std::set<size_t> sizes_;
};

}  // namespace

std::vector<Mark> FindMarks(const Units& units, const ParsedQuery& query,
                            const std::vector<size_t>& found, size_t first_unknown) {
  SequenceFinder sequences;
  CharacterFinder characters;
  std::unordered_set<std::string> words;
  std::unordered_set<std::string> parts;  // words of terms that are marked as a whole
  for (const Units& term : query.terms) {
    const bool has_characters = HasCharacters(term);
    for (const SearchUnit& unit : term) (has_characters ? parts : words).insert(unit.text);
    if (!has_characters) continue;
    if (term.size() == 1) {
      characters.Add(term[0]);
    } else {
      sequences.Add(term);
    }
  }
  sequences.Link();

  // For each unit, the number of units of the mark that ends with it; 0 if none does.
  std::vector<size_t> marked(units.size());
  for (const size_t i : found) {
    if (i >= units.size() || units[i].is_character) continue;
    if (!parts.contains(units[i].text) || words.contains(units[i].text)) marked[i] = 1;
  }
  size_t node = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    const bool is_same =
        (i >= first_unknown && words.contains(units[i].text)) || characters.Matches(units[i]);
    marked[i] = std::max({marked[i], size_t{is_same}, sequences.Pass(units[i], node)});
  }

  std::vector<Mark> marks;
  for (size_t i = 0; i < units.size(); ++i) {
    if (marked[i] > 0) marks.push_back({units[i + 1 - marked[i]].begin, units[i].end});
  }
  std::sort(marks.begin(), marks.end(), [](const Mark& one, const Mark& other) {
    return one.begin < other.begin || (one.begin == other.begin && one.end < other.end);
  });
  return marks;
}

}  // namespace content::store
