#include "transfer/exports/shortcodes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <queue>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "transfer/web_address.h"

namespace content::transfer {
namespace {

// A tag `[name attributes]` or `[/name]`.
struct Shortcode {
  std::string name;
  absl::string_view attributes;
  bool is_end = false;
  size_t size = 0;  // 0: there is none
};

constexpr size_t kMaxShortcodeBytes = 4'096;

bool IsNameOf(absl::string_view name, std::initializer_list<absl::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsShortcode(absl::string_view name) {
  return IsNameOf(name, {"audio",        "caption",       "code",
                         "contact-form", "embed",         "gallery",
                         "playlist",     "sourcecode",    "video",
                         "wp_caption",   "youtube",       "vimeo",
                         "soundcloud",   "twitter",       "instagram",
                         "wpvideo",      "contact-field", "slideshow",
                         "archives",     "polldaddy",     "jetpack_subscription_form",
                         "googlemaps",   "dailymotion",   "ted"});
}

// Returns whether a shortcode or a block of this name is likely to hide what is in it from the
// public. Plugins for that are many.
bool SpeaksOfAccess(absl::string_view name) {
  constexpr std::array<absl::string_view, 14> kWords = {
      "access",   "groups",  "ihc-",  "locker",  "logged",  "member",   "mepr",
      "password", "paywall", "pmpro", "private", "protect", "restrict", "subscri"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [name](absl::string_view word) { return absl::StrContains(name, word); });
}

bool IsShortcodeForMembers(absl::string_view name) {
  return SpeaksOfAccess(name) || absl::StrContains(name, "premium") || name == "s2if";
}

// Blocks `premium/...` are for anything.
bool IsBlockForMembers(absl::string_view name) {
  return SpeaksOfAccess(name) || absl::StartsWith(name, "premium-content/");
}

// Reads the tag that `text` begins with.
Shortcode ReadShortcode(absl::string_view text) {
  Shortcode tag;
  const size_t end = text.substr(0, kMaxShortcodeBytes).find(']');
  if (end == absl::string_view::npos) return tag;
  absl::string_view inside = text.substr(1, end - 1);
  tag.is_end = absl::ConsumePrefix(&inside, "/");
  const auto* const name_end = std::find_if_not(inside.begin(), inside.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  const auto length = static_cast<size_t>(name_end - inside.begin());
  const bool is_name =
      length > 0 && absl::ascii_isalpha(static_cast<unsigned char>(inside[0])) &&
      (length == inside.size() || absl::StrContains(" \t\n=/\xC2", inside[length]));
  if (!is_name) return tag;
  tag.name = absl::AsciiStrToLower(inside.substr(0, length));
  tag.attributes = inside.substr(length);
  tag.size = end + 1;
  return tag;
}

// Returns the value of an attribute such as `src="..."`; empty if there is none.
std::string ValueIn(absl::string_view attributes, absl::string_view name) {
  const size_t at = attributes.find(absl::StrCat(name, "="));
  if (at == absl::string_view::npos) return "";
  absl::string_view value = attributes.substr(at + name.size() + 1);
  const bool is_quoted = !value.empty() && (value[0] == '"' || value[0] == '\'');
  const std::string end = is_quoted ? std::string(1, value[0]) : std::string(" ");
  if (is_quoted) value.remove_prefix(1);
  return std::string(value.substr(0, value.find(end)));
}

// Returns the address in the tag of a thing that is embedded; empty if there is none.
std::string AddressIn(const Shortcode& tag) {
  for (const absl::string_view name : {"src", "mp4", "mp3", "m4a", "ogg", "webm", "url"}) {
    if (std::string value = ValueIn(tag.attributes, name); IsWebAddress(value)) return value;
  }
  absl::string_view bare = absl::StripAsciiWhitespace(tag.attributes);
  absl::ConsumePrefix(&bare, "=");
  bare = bare.substr(0, bare.find(' '));
  return IsWebAddress(bare) ? std::string(bare) : "";
}

// Returns the address that a content consists of; empty if it is something else.
std::string AddressThatIs(absl::string_view content) {
  if (content.size() > kMaxShortcodeBytes) return "";
  content = absl::StripAsciiWhitespace(content);
  return IsWebAddress(content) ? std::string(content) : "";
}

std::string LinkTo(absl::string_view address) {
  const std::string escaped = absl::StrReplaceAll(
      address, {{"&", "&amp;"}, {"\"", "&quot;"}, {"<", "&lt;"}, {">", "&gt;"}});
  return absl::StrCat("\n\n<a href=\"", escaped, "\">", escaped, "</a>\n\n");
}

// Where the end tags of each name begin.
using EndTags = absl::flat_hash_map<std::string, std::queue<size_t>>;

EndTags FindEndTags(absl::string_view text) {
  EndTags ends;
  for (size_t at = text.find("[/"); at != absl::string_view::npos; at = text.find("[/", at + 1)) {
    const Shortcode tag = ReadShortcode(text.substr(at));
    if (tag.size > 0 && tag.attributes.empty()) ends[tag.name].push(at);
  }
  return ends;
}

// "<img ...> text" -> a figure
std::string Figure(absl::string_view content, const Shortcode& tag) {
  const size_t image = content.find("<img");
  size_t end = image == absl::string_view::npos ? 0 : content.find('>', image);
  end = end == absl::string_view::npos ? content.size() : end == 0 ? 0 : end + 1;
  absl::string_view rest = content.substr(end);
  if (absl::ConsumePrefix(&rest, "</a>")) end += 4;
  std::string caption(absl::StripAsciiWhitespace(content.substr(end)));
  if (caption.empty()) caption = ValueIn(tag.attributes, "caption");
  return absl::StrCat("\n\n<figure>", content.substr(0, end), "<figcaption>", caption,
                      "</figcaption></figure>\n\n");
}

std::string CodeBlock(absl::string_view content) {
  const bool is_escaped = absl::StrContains(content, "&lt;");
  return absl::StrCat(
      "\n\n<pre><code>",
      is_escaped ? std::string(content)
                 : absl::StrReplaceAll(content, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}}),
      "</code></pre>\n\n");
}

class ShortcodeReader {
 public:
  ShortcodeReader(absl::string_view text, std::vector<std::string>& notes)
      : begin_(text.data()), text_(text), end_tags_(FindEndTags(text)), notes_(notes) {}

  std::string Read() {
    while (!text_.empty()) {
      const size_t bracket = std::min(text_.find('['), text_.size());
      Keep(bracket);
      if (!text_.empty()) ReadBracket();
    }
    return std::move(result_);
  }

 private:
  // Reads the content of a shortcode, which is ahead.
  std::string ReadWithin(absl::string_view content) {
    const absl::string_view text = std::exchange(text_, content);
    std::string result = std::exchange(result_, "");
    std::string inside = Read();
    text_ = text;
    result_ = std::move(result);
    return inside;
  }

  void Keep(size_t size) {
    absl::StrAppend(&result_, text_.substr(0, size));
    text_.remove_prefix(size);
  }

  void ReadBracket() {
    if (absl::StartsWith(text_, "[[")) return KeepEscaped();
    const Shortcode tag = ReadShortcode(text_);
    const bool is_shortcode =
        tag.size > 0 && (IsShortcode(tag.name) || dropped_.contains(tag.name) ||
                         (!tag.is_end && absl::StrContains(tag.attributes, '=')) ||
                         (!tag.is_end && FindEnd(tag) != absl::string_view::npos));
    if (!is_shortcode) return Keep(1);
    Replace(tag);
  }

  // "[[gallery]]" is how people write of a shortcode.
  void KeepEscaped() {
    const Shortcode tag = ReadShortcode(text_.substr(1));
    if (tag.size == 0 || !absl::StartsWith(text_.substr(tag.size + 1), "]")) return Keep(2);
    text_.remove_prefix(1);
    Keep(tag.size);
    text_.remove_prefix(1);
  }

  // Returns where the end tag begins; npos if there is none.
  size_t FindEnd(const Shortcode& tag) {
    const auto ends = end_tags_.find(tag.name);
    if (ends == end_tags_.end()) return absl::string_view::npos;
    const auto here = static_cast<size_t>(text_.data() - begin_);
    while (!ends->second.empty() && ends->second.front() < here + tag.size) ends->second.pop();
    if (ends->second.empty()) return absl::string_view::npos;
    const size_t end = ends->second.front() - here;
    return end < text_.size() ? end : absl::string_view::npos;
  }

  void Replace(const Shortcode& tag) {
    const size_t end = tag.is_end ? absl::string_view::npos : FindEnd(tag);
    const absl::string_view content =
        end == absl::string_view::npos ? "" : text_.substr(tag.size, end - tag.size);
    const size_t size =
        end == absl::string_view::npos ? tag.size : end + tag.name.size() + sizeof("[/]") - 1;
    if (!content.empty() && IsShortcodeForMembers(tag.name)) {
      Note(absl::StrCat("left out the text in the shortcode [", tag.name,
                        "], which may not be for all readers"));
    } else if (IsNameOf(tag.name, {"caption", "wp_caption"}) && !content.empty()) {
      absl::StrAppend(&result_, Figure(ReadWithin(content), tag));
    } else if (IsNameOf(tag.name, {"code", "sourcecode"}) && !content.empty()) {
      absl::StrAppend(&result_, CodeBlock(content));
    } else if (const std::string address = AddressIn(tag); !address.empty()) {
      absl::StrAppend(&result_, LinkTo(address));
    } else if (const std::string inside = AddressThatIs(content); !inside.empty()) {
      absl::StrAppend(&result_, LinkTo(inside));
    } else {
      dropped_.insert(tag.name);
      Note(absl::StrCat("left out the shortcode [", tag.name, "]"));
      // What is within may have shortcodes too.
      text_.remove_prefix(tag.size);
      return;
    }
    text_.remove_prefix(size);
  }

  void Note(std::string note) {
    if (noted_.insert(note).second) notes_.push_back(std::move(note));
  }

  const char* const begin_;
  absl::string_view text_;  // what is still to be read
  EndTags end_tags_;        // of the rest of the text, and maybe some before
  std::vector<std::string>& notes_;
  std::string result_;
  absl::flat_hash_set<std::string> dropped_;
  absl::flat_hash_set<std::string> noted_;
};

// A comment that begins or ends a block: `<!-- wp:name {"attribute":1} -->`.
struct BlockTag {
  std::string name;  // empty if it is another comment
  bool is_end = false;
  bool is_whole = false;  // the block has nothing in it
};

BlockTag ReadBlockTag(absl::string_view comment) {
  BlockTag tag;
  absl::ConsumePrefix(&comment, "<!--");
  absl::ConsumeSuffix(&comment, "-->");
  tag.is_whole = absl::EndsWith(comment, "/");
  comment = absl::StripAsciiWhitespace(comment);
  tag.is_end = absl::ConsumePrefix(&comment, "/");
  if (!absl::ConsumePrefix(&comment, "wp:")) return {};
  tag.name = std::string(comment.substr(0, comment.find_first_of(" \t\r\n{")));
  return tag;
}

}  // namespace

std::string WithoutBlocksForMembers(absl::string_view text, std::vector<std::string>& notes) {
  std::string result;
  std::string hidden;  // the name of the block that is being left out; empty if none is
  size_t depth = 0;    // how many blocks of that name are open
  while (!text.empty()) {
    const size_t begin = std::min(text.find("<!--"), text.size());
    const size_t end = text.find("-->", begin);
    const size_t next = end == absl::string_view::npos ? text.size() : end + 3;
    const BlockTag tag = ReadBlockTag(text.substr(begin, next - begin));
    const bool begins = !tag.is_end && !tag.is_whole;
    if (hidden.empty()) {
      absl::StrAppend(&result, text.substr(0, begin));
      // What follows it is for those who pay.
      const bool is_paywall = tag.name == "jetpack/paywall";
      const bool is_hidden = is_paywall || (begins && IsBlockForMembers(tag.name));
      if (is_hidden) {
        notes.push_back(absl::StrCat("left out the text in the block ", tag.name,
                                     ", which is not for all readers"));
      } else {
        absl::StrAppend(&result, text.substr(begin, next - begin));
      }
      if (is_paywall) break;
      if (is_hidden) hidden = tag.name;
      depth = 1;
    } else if (tag.name == hidden && !tag.is_whole) {
      depth = tag.is_end ? depth - 1 : depth + 1;
      if (depth == 0) hidden.clear();
    }
    text.remove_prefix(next);
  }
  return result;
}

std::string WithoutShortcodes(absl::string_view text, std::vector<std::string>& notes) {
  return ShortcodeReader(text, notes).Read();
}

}  // namespace content::transfer
