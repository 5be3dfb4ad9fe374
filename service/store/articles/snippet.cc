#include "store/articles/snippet.h"

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/ascii.h"

namespace content::store {
namespace {

constexpr size_t kPassageBytes = 300;
// Bytes of a passage before its first marked word.
constexpr size_t kLeadBytes = 80;

struct Span {
  size_t begin;
  size_t end;
};

struct MarkedText {
  std::string text;
  std::vector<Span> marks;  // in order
};

MarkedText RemoveMarks(absl::string_view marked_text) {
  MarkedText result;
  for (const char c : marked_text) {
    if (c == kMarkStart) {
      result.marks.push_back({result.text.size(), result.text.size()});
    } else if (c == kMarkEnd) {
      if (!result.marks.empty()) result.marks.back().end = result.text.size();
    } else {
      result.text.push_back(c);
    }
  }
  return result;
}

// Returns the index of the first mark in the best passage.
size_t BestFirstMark(const MarkedText& marked) {
  const std::vector<Span>& marks = marked.marks;
  const auto word = [&](const Span& mark) {
    return absl::AsciiStrToLower(marked.text.substr(mark.begin, mark.end - mark.begin));
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

bool IsInsideCharacter(const std::string& text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

// Returns where a passage that should start at `wanted` starts: after the next space, if there is
// one before `latest`.
size_t BeginOf(const std::string& text, size_t wanted, size_t latest) {
  if (wanted == 0) return 0;
  for (size_t at = wanted; at < latest; ++at) {
    if (absl::ascii_isspace(text[at - 1]) && !absl::ascii_isspace(text[at])) return at;
  }
  while (IsInsideCharacter(text, wanted)) ++wanted;
  return wanted;
}

// Returns where a passage that should end at `wanted` ends: before the last space, if there is one
// after `earliest`.
size_t EndOf(const std::string& text, size_t wanted, size_t earliest) {
  if (wanted >= text.size()) return text.size();
  for (size_t at = wanted; at > earliest; --at) {
    if (absl::ascii_isspace(text[at])) return at;
  }
  while (IsInsideCharacter(text, wanted)) --wanted;
  return wanted;
}

void AddPart(absl::string_view text, bool highlighted, std::vector<v1::SnippetPart>& parts) {
  if (text.empty()) return;
  v1::SnippetPart part;
  part.set_text(std::string(text));
  part.set_highlighted(highlighted);
  parts.push_back(std::move(part));
}

}  // namespace

std::vector<v1::SnippetPart> MakeSnippet(absl::string_view marked_text) {
  const MarkedText marked = RemoveMarks(marked_text);
  const size_t first = BestFirstMark(marked);
  const Span shown = marked.marks.empty() ? Span{0, 0} : marked.marks[first];
  const size_t begin =
      BeginOf(marked.text, shown.begin - std::min(shown.begin, kLeadBytes), shown.begin);
  const size_t end = EndOf(marked.text, begin + kPassageBytes, shown.end);

  std::vector<v1::SnippetPart> parts;
  size_t at = begin;
  const absl::string_view text = marked.text;
  for (const Span& mark : marked.marks) {
    if (mark.end <= at) continue;
    if (mark.begin >= end) break;
    const size_t word_begin = std::max(mark.begin, at);
    const size_t word_end = std::min(mark.end, end);
    AddPart(text.substr(at, word_begin - at), false, parts);
    AddPart(text.substr(word_begin, word_end - word_begin), true, parts);
    at = word_end;
  }
  AddPart(text.substr(at, end - at), false, parts);
  return parts;
}

}  // namespace content::store
