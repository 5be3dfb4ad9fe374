#include "transfer/exports/shortcodes.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "absl/container/flat_hash_map.h"
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

std::string LinkTo(absl::string_view address) {
  const std::string escaped = absl::StrReplaceAll(
      address, {{"&", "&amp;"}, {"\"", "&quot;"}, {"<", "&lt;"}, {">", "&gt;"}});
  return absl::StrCat("\n\n<a href=\"", escaped, "\">", escaped, "</a>\n\n");
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
      : text_(text), notes_(notes) {}

  std::string Read() {
    while (!text_.empty()) {
      const size_t bracket = std::min(text_.find('['), text_.size());
      Keep(bracket);
      if (!text_.empty()) ReadBracket();
    }
    return std::move(result_);
  }

 private:
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

  // Returns where the end tag begins; npos if there is none. A name is looked for at most once
  // without success.
  size_t FindEnd(const Shortcode& tag) {
    const std::string end = absl::StrCat("[/", tag.name, "]");
    const auto [missing, is_new] = has_end_.try_emplace(tag.name, true);
    if (!missing->second) return absl::string_view::npos;
    const size_t found = text_.find(end, tag.size);
    if (found == absl::string_view::npos) missing->second = false;
    return found;
  }

  void Replace(const Shortcode& tag) {
    const size_t end = tag.is_end ? absl::string_view::npos : FindEnd(tag);
    const absl::string_view content =
        end == absl::string_view::npos ? "" : text_.substr(tag.size, end - tag.size);
    const size_t size =
        end == absl::string_view::npos ? tag.size : end + tag.name.size() + sizeof("[/]") - 1;
    if (IsNameOf(tag.name, {"caption", "wp_caption"}) && !content.empty()) {
      absl::StrAppend(&result_, Figure(content, tag));
    } else if (IsNameOf(tag.name, {"code", "sourcecode"}) && !content.empty()) {
      absl::StrAppend(&result_, CodeBlock(content));
    } else if (const std::string address = AddressIn(tag); !address.empty()) {
      absl::StrAppend(&result_, LinkTo(address));
    } else if (IsWebAddress(absl::StripAsciiWhitespace(content))) {
      absl::StrAppend(&result_, LinkTo(absl::StripAsciiWhitespace(content)));
    } else {
      Drop(tag.name);
      // What is within may have shortcodes too.
      text_.remove_prefix(tag.size);
      return;
    }
    text_.remove_prefix(size);
  }

  void Drop(const std::string& name) {
    if (dropped_.try_emplace(name, true).second) {
      notes_.push_back(absl::StrCat("left out the shortcode [", name, "]"));
    }
  }

  absl::string_view text_;
  std::vector<std::string>& notes_;
  std::string result_;
  absl::flat_hash_map<std::string, bool> dropped_;
  absl::flat_hash_map<std::string, bool> has_end_;
};

}  // namespace

std::string WithoutShortcodes(absl::string_view text, std::vector<std::string>& notes) {
  return ShortcodeReader(text, notes).Read();
}

}  // namespace content::transfer
