#include "transfer/exports/shortcodes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <queue>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "transfer/among.h"
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

constexpr absl::string_view kQuoteMarks = "\"'";
constexpr absl::string_view kBlanks = " \t\r\n";

// The names of SyntaxHighlighter and others.
bool IsShortcodeOfCode(absl::string_view name) {
  return IsAmong({"bash", "cc", "code", "cpp", "crayon", "csharp", "css", "html", "java",
                  "javascript", "js", "php", "python", "ruby", "sourcecode", "sql", "xml"},
                 name);
}

bool IsShortcode(absl::string_view name) {
  return IsAmong({"archives",
                  "audio",
                  "bandcamp",
                  "caption",
                  "code",
                  "contact-field",
                  "contact-form",
                  "contact-form-7",
                  "dailymotion",
                  "embed",
                  "flickr",
                  "gallery",
                  "gist",
                  "googlemaps",
                  "gravityform",
                  "instagram",
                  "jetpack_subscription_form",
                  "mc4wp_form",
                  "nggallery",
                  "playlist",
                  "polldaddy",
                  "slideshare",
                  "slideshow",
                  "soundcloud",
                  "sourcecode",
                  "ted",
                  "twitter",
                  "video",
                  "vimeo",
                  "wp_caption",
                  "wpforms",
                  "wpvideo",
                  "youtube"},
                 name);
}

// Returns whether a shortcode or a block of this name is likely to hide what is in it from the
// public. Plugins for that are many.
bool SpeaksOfAccess(absl::string_view name) {
  constexpr std::array<absl::string_view, 17> kWords = {
      "access",   "armif",   "groups", "ihc-", "locker",  "logged",  "member",   "mepr",   "paid",
      "password", "paywall", "pmpro",  "ppwp", "private", "protect", "restrict", "subscri"};
  // Accessibility, accessories and access keys are something else.
  const std::string rest =
      absl::StrReplaceAll(name, {{"accessib", ""}, {"accesskey", ""}, {"accessor", ""}});
  return std::any_of(kWords.begin(), kWords.end(),
                     [&rest](absl::string_view word) { return absl::StrContains(rest, word); });
}

// Returns whether one of the words that a name consists of begins like one for those who may see
// something, or for hiding: [vip_only], [login-required], [hidepost].
bool BeginsLikeAccess(absl::string_view name) {
  constexpr std::array<absl::string_view, 8> kBeginnings = {
      "hidden", "hide", "login", "patreon", "patron", "registered", "secret", "vip"};
  const std::vector<absl::string_view> words = absl::StrSplit(name, absl::ByAnyChar("-_/"));
  return std::any_of(words.begin(), words.end(), [&kBeginnings](absl::string_view word) {
    return std::any_of(kBeginnings.begin(), kBeginnings.end(), [word](absl::string_view beginning) {
      return absl::StartsWith(word, beginning);
    });
  });
}

// `!logged_in`, `is_logged`, `for="logged`, but neither `blogged` nor the word of a sentence.
bool SpeaksOfLogin(absl::string_view word) {
  constexpr absl::string_view kLogged = "logged";
  for (size_t at = word.find(kLogged); at != absl::string_view::npos;
       at = word.find(kLogged, at + kLogged.size())) {
    if (at > 0 && absl::StrContains("\"'=!_-,", word[at - 1])) return true;
  }
  return false;
}

// Returns whether the value of an attribute `role` says what an element is, as in HTML, and not who
// may see it.
bool IsRoleOfElement(absl::string_view value) {
  const bool is_quoted =
      value.size() > 2 && absl::StrContains(kQuoteMarks, value[0]) && value.front() == value.back();
  const absl::string_view role = is_quoted ? value.substr(1, value.size() - 2) : value;
  return IsAmong(
      {"alert",        "article", "banner",   "button", "complementary", "contentinfo", "dialog",
       "document",     "feed",    "figure",   "form",   "group",         "heading",     "img",
       "link",         "list",    "listitem", "main",   "navigation",    "none",        "note",
       "presentation", "region",  "search",   "status", "tab",           "table",       "tablist",
       "tabpanel",     "toolbar", "tooltip"},
      role);
}

// Returns whether attributes of a shortcode say for whom its content is: `roles="editor"`, or
// `for="!logged"`. A level may also be that of a heading. Builders of pages also write attributes
// that have no value.
bool AttributesSpeakOfAccess(absl::string_view name, absl::string_view attributes) {
  const std::string lower = absl::AsciiStrToLower(attributes);
  const bool is_heading = absl::StrContains(name, "head") || absl::StrContains(name, "title");
  const std::vector<absl::string_view> words =
      absl::StrSplit(lower, absl::ByAnyChar(kBlanks), absl::SkipEmpty());
  return std::any_of(words.begin(), words.end(), [is_heading](absl::string_view word) {
    const absl::string_view key = word.substr(0, word.find('='));
    const bool is_attribute = key.size() < word.size();
    const absl::string_view value = is_attribute ? word.substr(key.size() + 1) : "";
    if (is_attribute && IsAmong({"", "\"\"", "''"}, value)) return false;
    if (SpeaksOfLogin(word)) return true;
    if (!is_attribute) return false;
    return SpeaksOfAccess(key) || (key == "role" && !IsRoleOfElement(value)) ||
           IsAmong({"cap", "capability", "plan", "plans", "roles", "user_role"}, key) ||
           (IsAmong({"level", "levels"}, key) && !is_heading);
  });
}

bool IsForMembers(const Shortcode& tag) {
  return SpeaksOfAccess(tag.name) || BeginsLikeAccess(tag.name) ||
         absl::StrContains(tag.name, "premium") ||
         IsAmong({"passster", "s2if", "um_show_content"}, tag.name) ||
         AttributesSpeakOfAccess(tag.name, tag.attributes);
}

// Blocks `premium/...` are for anything.
bool IsBlockForMembers(absl::string_view name) {
  return SpeaksOfAccess(name) || BeginsLikeAccess(name) ||
         absl::StartsWith(name, "premium-content/");
}

// Returns whether the attributes of a block hide it, as WordPress and Block Visibility have them.
bool AttributesHideBlock(absl::string_view attributes) {
  constexpr std::array<absl::string_view, 4> kHiding = {
      R"("blockVisibility":false)", R"("hideBlock":true)", R"("visibilityByRole":"logged-in")",
      R"("visibilityByRole":"user-role")"};
  return std::any_of(kHiding.begin(), kHiding.end(), [attributes](absl::string_view hiding) {
    return absl::StrContains(attributes, hiding);
  });
}

// Reads the tag that `text` begins with.
Shortcode ReadShortcode(absl::string_view text) {
  Shortcode tag;
  absl::string_view inside = absl::StripPrefix(text.substr(0, kMaxShortcodeBytes), "[");
  tag.is_end = absl::ConsumePrefix(&inside, "/");
  const auto* const name_end = std::find_if_not(inside.begin(), inside.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  const auto length = static_cast<size_t>(name_end - inside.begin());
  const bool is_name = length > 0 && length < inside.size() &&
                       absl::ascii_isalpha(static_cast<unsigned char>(inside[0])) &&
                       absl::StrContains("] \t\r\n=/\xC2", inside[length]);
  const size_t end = is_name ? inside.find(']', length) : absl::string_view::npos;
  if (end == absl::string_view::npos) return tag;
  tag.name = absl::AsciiStrToLower(inside.substr(0, length));
  tag.attributes = inside.substr(length, end - length);
  tag.size = static_cast<size_t>(inside.data() - text.data()) + end + 1;
  return tag;
}

// Returns whether attributes are those of a shortcode that nobody knows, and no words or code:
// `id="1"`, after a space.
bool HasQuotedAttribute(absl::string_view attributes) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(attributes);
  if (rest.size() == attributes.size()) return false;
  const auto* const key_end = std::find_if_not(rest.begin(), rest.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  if (key_end == rest.begin()) return false;
  rest.remove_prefix(static_cast<size_t>(key_end - rest.begin()));
  return absl::ConsumePrefix(&rest, "=") && !rest.empty() &&
         absl::StrContains(kQuoteMarks, rest[0]);
}

// Returns the name of the element of code whose tag `text` begins with; empty if it is no such tag.
absl::string_view ElementOfCode(absl::string_view text) {
  for (const absl::string_view name : {"pre", "code"}) {
    absl::string_view rest = absl::StripPrefix(text, "<");
    if (!absl::StartsWithIgnoreCase(rest, name)) continue;
    rest.remove_prefix(name.size());
    const absl::string_view next = rest.substr(0, 1);
    if (next == ">" || next.find_first_of(kBlanks) == 0) return name;
  }
  return "";
}

// Returns where the text of an element ends that `text` begins with.
size_t FindEndOfElement(absl::string_view text, absl::string_view name) {
  size_t end = text.find("</");
  while (end != absl::string_view::npos &&
         !absl::StartsWithIgnoreCase(text.substr(end + 2), name)) {
    end = text.find("</", end + 2);
  }
  return std::min(end, text.size());
}

// Returns the value of an attribute such as `src="..."`; empty if there is none.
std::string ValueIn(absl::string_view attributes, absl::string_view name) {
  const size_t at = attributes.find(absl::StrCat(name, "="));
  if (at == absl::string_view::npos) return "";
  absl::string_view value = attributes.substr(at + name.size() + 1);
  const bool is_quoted = !value.empty() && absl::StrContains(kQuoteMarks, value[0]);
  const std::string end = is_quoted ? std::string(1, value[0]) : std::string(" ");
  if (is_quoted) value.remove_prefix(1);
  return std::string(value.substr(0, value.find(end)));
}

// Returns the address in the tag of a thing that is embedded; empty if there is none.
std::string AddressIn(const Shortcode& tag) {
  // Editors escape "&" in the text of a post.
  const std::string attributes =
      absl::StrReplaceAll(tag.attributes, {{"&amp;", "&"}, {"&#038;", "&"}});
  for (const absl::string_view name : {"src", "mp4", "mp3", "m4a", "ogg", "webm", "url"}) {
    if (std::string value = ValueIn(attributes, name); IsWebAddress(value)) return value;
  }
  absl::string_view bare = absl::StripAsciiWhitespace(attributes);
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
      Keep(std::min(text_.find_first_of("[<"), text_.size()));
      if (absl::StartsWith(text_, "<")) {
        ReadTag();
      } else if (!text_.empty()) {
        ReadBracket();
      }
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

  void ReadTag() {
    const absl::string_view name = IsInCode() ? "" : ElementOfCode(text_);
    if (!name.empty()) code_end_ = Here() + FindEndOfElement(text_, name);
    Keep(1);
  }

  // Returns how much of the whole text has been read.
  size_t Here() const { return static_cast<size_t>(text_.data() - begin_); }

  bool IsInCode() const { return Here() < code_end_; }

  void ReadBracket() {
    if (absl::StartsWith(text_, "[[")) return KeepEscaped();
    const Shortcode tag = ReadShortcode(text_);
    if (tag.size > 0 && IsReplaced(tag)) return Replace(tag);
    Keep(1);
  }

  // Brackets in code are code, but not those around what only members see.
  bool IsReplaced(const Shortcode& tag) {
    const bool has_end = !tag.is_end && FindEnd(tag) != absl::string_view::npos;
    if (IsInCode()) return has_end && IsForMembers(tag);
    return has_end || IsShortcode(tag.name) || dropped_.contains(tag.name) ||
           (!tag.is_end && HasQuotedAttribute(tag.attributes));
  }

  // "[[gallery]]" is how people write of a shortcode. In code, lists may be in lists.
  void KeepEscaped() {
    const Shortcode tag = ReadShortcode(text_.substr(1));
    const bool is_escaped = tag.size > 0 && absl::StartsWith(text_.substr(tag.size + 1), "]") &&
                            (!IsInCode() || IsShortcode(tag.name));
    if (!is_escaped) return Keep(1);
    text_.remove_prefix(1);
    Keep(tag.size);
    text_.remove_prefix(1);
  }

  // Returns where the end tag begins; npos if there is none.
  size_t FindEnd(const Shortcode& tag) {
    const auto ends = end_tags_.find(tag.name);
    if (ends == end_tags_.end()) return absl::string_view::npos;
    const size_t here = Here();
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
    if (!content.empty() && IsForMembers(tag)) {
      Note(absl::StrCat("left out the text in the shortcode [", tag.name,
                        "], which may not be for all readers"));
    } else if (IsAmong({"caption", "wp_caption"}, tag.name) && !content.empty()) {
      absl::StrAppend(&result_, Figure(ReadWithin(content), tag));
    } else if (IsShortcodeOfCode(tag.name) && !content.empty()) {
      absl::StrAppend(&result_, CodeBlock(content));
    } else if (!AddLinks(tag, content)) {
      dropped_.insert(tag.name);
      Note(absl::StrCat("left out the shortcode [", tag.name, "]"));
      // What is within may have shortcodes too.
      text_.remove_prefix(tag.size);
      return;
    }
    text_.remove_prefix(size);
  }

  // Adds links to the addresses that a shortcode has. Returns whether they say all that it says.
  bool AddLinks(const Shortcode& tag, absl::string_view content) {
    const std::string address = AddressIn(tag);
    const std::string inside = AddressThatIs(content);
    if (!address.empty()) absl::StrAppend(&result_, LinkTo(address));
    if (!inside.empty() && inside != address) absl::StrAppend(&result_, LinkTo(inside));
    return !inside.empty() || (!address.empty() && absl::StripAsciiWhitespace(content).empty());
  }

  void Note(std::string note) {
    if (noted_.insert(note).second) notes_.push_back(std::move(note));
  }

  const char* const begin_;
  absl::string_view text_;  // what is still to be read
  EndTags end_tags_;        // of the rest of the text, and maybe some before
  size_t code_end_ = 0;     // of the last element of code
  std::vector<std::string>& notes_;
  std::string result_;
  absl::flat_hash_set<std::string> dropped_;
  absl::flat_hash_set<std::string> noted_;
};

// A comment that begins or ends a block: `<!-- wp:name {"attribute":1} -->`.
struct BlockTag {
  std::string name;  // empty if it is another comment
  absl::string_view attributes;
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
  tag.attributes = comment.substr(tag.name.size());
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
      const bool is_hidden =
          is_paywall ||
          (begins && (IsBlockForMembers(tag.name) || AttributesHideBlock(tag.attributes)));
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
