#include "content/html.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace content {
namespace {

// Elements that may stand within a word.
constexpr std::array<absl::string_view, 27> kInlineElements = {
    "a",    "abbr",  "b",    "bdi",    "bdo",    "big",  "cite", "code", "del",
    "em",   "font",  "i",    "ins",    "kbd",    "mark", "q",    "ruby", "s",
    "samp", "small", "span", "strike", "strong", "sub",  "sup",  "u",    "wbr"};

bool IsNameCharacter(char c) { return absl::ascii_isalnum(c) || c == '-'; }

}  // namespace

bool HtmlTag::SeparatesWords() const {
  return !name.empty() &&
         std::find(kInlineElements.begin(), kInlineElements.end(), name) == kInlineElements.end();
}

bool HtmlTag::HidesText() const { return !is_closing && (name == "script" || name == "style"); }

size_t EndOfHiddenText(absl::string_view html, const HtmlTag& tag) {
  for (size_t at = html.find("</", tag.end); at != absl::string_view::npos;
       at = html.find("</", at + 2)) {
    if (absl::StartsWithIgnoreCase(html.substr(at + 2), tag.name)) return at;
  }
  return html.size();
}

std::optional<HtmlTag> HtmlTags::At(size_t at) {
  const absl::string_view rest = text_.substr(at);
  // A comment may be as short as `<!-->`.
  if (absl::StartsWith(rest, "<!--")) return EndingWith(kCommentEnd, at + 2);
  if (absl::StartsWith(rest, "<![CDATA[")) return EndingWith(kCdataEnd, at);
  if (absl::StartsWith(rest, "<?")) return EndingWith(kInstructionEnd, at);
  if (absl::StartsWith(rest, "<!") && rest.size() > 2 && absl::ascii_isalpha(rest[2])) {
    return EndingWith(kDeclarationEnd, at);
  }
  return NamedTag(at);
}

std::optional<HtmlTag> HtmlTags::EndingWith(Terminator end, size_t from) {
  constexpr std::array<absl::string_view, 4> kTerminators = {"-->", "]]>", "?>", ">"};
  if (is_missing_[end]) return std::nullopt;
  const size_t found = text_.find(kTerminators[end], from);
  if (found == absl::string_view::npos) {
    is_missing_[end] = true;
    return std::nullopt;
  }
  return HtmlTag{.end = found + kTerminators[end].size()};
}

std::optional<HtmlTag> HtmlTags::NamedTag(size_t at) {
  HtmlTag tag{.end = at + 1};
  tag.is_closing = absl::StartsWith(text_.substr(tag.end), "/");
  if (tag.is_closing) ++tag.end;
  const size_t name = tag.end;
  while (tag.end < text_.size() && IsNameCharacter(text_[tag.end])) ++tag.end;
  tag.name = absl::AsciiStrToLower(text_.substr(name, tag.end - name));
  if (tag.name.empty() || !absl::ascii_isalpha(tag.name[0]) || tag.end == text_.size()) {
    return std::nullopt;
  }
  // An address in angle brackets is not a tag: <https://example.org>, <ana@example.org>.
  const char after_name = text_[tag.end];
  if (!absl::ascii_isspace(after_name) && after_name != '/' && after_name != '>') {
    return std::nullopt;
  }
  const std::optional<size_t> end = EndOfAttributes(tag.end);
  if (!end) return std::nullopt;
  tag.end = *end;
  return tag;
}

std::optional<size_t> HtmlTags::EndOfAttributes(size_t at) {
  std::vector<size_t> quotes;
  char before = '\0';  // the last character other than a space
  for (; at < text_.size(); ++at) {
    const char c = text_[at];
    if (c == '<') break;
    if (c == '>') return at + 1;
    if ((c == '"' || c == '\'') && before == '=') {
      if (endless_quotes_.contains(at)) break;
      quotes.push_back(at);
      at = std::min(text_.find(c, at + 1), text_.size() - 1);
    }
    if (!absl::ascii_isspace(c)) before = c;
  }
  endless_quotes_.insert(quotes.begin(), quotes.end());
  return std::nullopt;
}

size_t CharacterReferenceLength(absl::string_view text) {
  constexpr size_t kMaxLength = 33;
  if (!absl::StartsWith(text, "&")) return 0;
  const size_t end = text.substr(0, kMaxLength).find(';');
  if (end == absl::string_view::npos) return 0;
  absl::string_view name = text.substr(1, end - 1);
  if (absl::StartsWith(name, "#")) name.remove_prefix(1);
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), absl::ascii_isalnum);
  return is_name ? end + 1 : 0;
}

std::string HtmlText(absl::string_view html) {
  std::string text;
  HtmlTags tags(html);
  for (size_t at = 0; at < html.size();) {
    const std::optional<HtmlTag> tag = html[at] == '<' ? tags.At(at) : std::nullopt;
    if (!tag) {
      text.push_back(html[at++]);
      continue;
    }
    if (tag->SeparatesWords()) text.push_back(' ');
    at = tag->HidesText() ? EndOfHiddenText(html, *tag) : tag->end;
  }
  absl::RemoveExtraAsciiWhitespace(&text);
  return text;
}

}  // namespace content
