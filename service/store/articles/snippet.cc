#include "store/articles/snippet.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "content/text.h"

namespace content::store {
namespace {

constexpr size_t kPassageBytes = 300;
// Bytes of a passage before its first marked word.
constexpr size_t kLeadBytes = 80;

// Returns the index of the first mark in the best passage.
size_t BestFirstMark(absl::string_view text, const std::vector<Mark>& marks) {
  const auto word = [&](const Mark& mark) {
    return absl::AsciiStrToLower(text.substr(mark.begin, mark.end - mark.begin));
  };
  std::map<std::string, int> words;  // the words from `first` on that fit, with their number
  size_t best = 0;
  size_t most = 0;
  size_t next = 0;
  for (size_t first = 0; first < marks.size(); ++first) {
    for (;
         next < marks.size() && marks[next].end <= marks[first].begin + kPassageBytes - kLeadBytes;
         ++next) {
      ++words[word(marks[next])];
    }
    if (words.size() > most) {
      most = words.size();
      best = first;
    }
    if (next == first) {  // the word is longer than a passage
      ++next;
    } else if (const auto it = words.find(word(marks[first])); --it->second == 0) {
      words.erase(it);
    }
  }
  return best;
}

// Returns the last beginning of a character at or before `at`.
size_t CharacterBoundary(absl::string_view text, size_t at) {
  constexpr size_t kMaxCharacterBytes = 32;  // of one with several marks
  size_t boundary = at;
  for (size_t i = 0; i < kMaxCharacterBytes && boundary > 0; ++i, --boundary) {
    if (IsCharacterStart(text, boundary)) return boundary;
  }
  while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
  return at;
}

// Returns where a passage that should start at `wanted` starts: after the next space, if there is
// one before `latest`.
size_t BeginOf(absl::string_view text, size_t wanted, size_t latest) {
  if (wanted == 0) return 0;
  for (size_t at = wanted; at < latest; ++at) {
    if (absl::ascii_isspace(text[at - 1]) && !absl::ascii_isspace(text[at])) return at;
  }
  return CharacterBoundary(text, wanted);
}

// Returns where a passage that should end at `wanted` ends: before the last space, if there is one
// after `earliest`.
size_t EndOf(absl::string_view text, size_t wanted, size_t earliest) {
  if (wanted >= text.size()) return text.size();
  for (size_t at = wanted; at > earliest; --at) {
    if (absl::ascii_isspace(text[at])) return at;
  }
  return CharacterBoundary(text, wanted);
}

void AddPart(absl::string_view text, bool highlighted, std::vector<v1::SnippetPart>& parts) {
  if (text.empty()) return;
  v1::SnippetPart part;
  part.set_text(std::string(text));
  part.set_highlighted(highlighted);
  parts.push_back(std::move(part));
}

}  // namespace

std::vector<v1::SnippetPart> MakeSnippet(absl::string_view text, const std::vector<Mark>& marks) {
  const Mark shown = marks.empty() ? Mark{0, 0} : marks[BestFirstMark(text, marks)];
  const size_t begin = BeginOf(text, shown.begin - std::min(shown.begin, kLeadBytes), shown.begin);
  const size_t end = EndOf(text, begin + kPassageBytes, shown.end);

  std::vector<v1::SnippetPart> parts;
  size_t at = begin;
  for (const Mark& mark : marks) {
    if (mark.end <= at) continue;
    if (mark.begin >= end) break;
    const size_t word_begin = std::max(mark.begin, at);
    const size_t word_end = std::min(mark.end, end);
    const absl::string_view word = text.substr(word_begin, word_end - word_begin);
    AddPart(text.substr(at, word_begin - at), false, parts);
    if (mark.begin < at && !parts.empty()) {  // overlaps the one before
      absl::StrAppend(parts.back().mutable_text(), word);
    } else {
      AddPart(word, true, parts);
    }
    at = word_end;
  }
  AddPart(text.substr(at, end - at), false, parts);
  return parts;
}

}  // namespace content::store
