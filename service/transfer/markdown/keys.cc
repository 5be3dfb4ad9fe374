#include "transfer/markdown/keys.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "transfer/among.h"

namespace content::transfer {
namespace {

// What the keys that may mark a draft have for values.
enum class KeyKind { kOther, kMark, kPermit, kState, kPassword, kPermalink };

KeyKind KindOfKey(absl::string_view folded) {
  static constexpr std::array<absl::string_view, 5> kKeysOfMarks = {"draft", "isdraft", "private",
                                                                    "hidden", "unlisted"};
  static constexpr std::array<absl::string_view, 4> kKeysOfPermits = {"published", "ispublished",
                                                                      "publish", "render"};
  static constexpr std::array<absl::string_view, 3> kKeysOfStates = {"status", "poststatus",
                                                                     "visibility"};
  if (IsAmongIgnoringCase(kKeysOfMarks, folded)) return KeyKind::kMark;
  if (IsAmongIgnoringCase(kKeysOfPermits, folded)) return KeyKind::kPermit;
  if (IsAmongIgnoringCase(kKeysOfStates, folded)) return KeyKind::kState;
  if (folded == "password") return KeyKind::kPassword;
  return folded == "permalink" ? KeyKind::kPermalink : KeyKind::kOther;
}

// Returns a key or a value without the quotes, braces and the like around it.
absl::string_view WithoutMarkup(absl::string_view text) {
  constexpr absl::string_view kMarkup = " \t\"'{}[],*";
  text.remove_prefix(std::min(text.find_first_not_of(kMarkup), text.size()));
  return text.substr(0, text.find_last_not_of(kMarkup) + 1);
}

}  // namespace

std::string Folded(absl::string_view key) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(key, {{"_", ""}, {"-", ""}, {" ", ""}}));
}

bool IsYes(absl::string_view value) {
  static constexpr std::array<absl::string_view, 5> kYes = {"true", "yes", "on", "1", "y"};
  return IsAmongIgnoringCase(kYes, value);
}

bool IsNo(absl::string_view value) {
  static constexpr std::array<absl::string_view, 6> kNo = {"false", "no", "off", "0", "n", "never"};
  return IsAmongIgnoringCase(kNo, value);
}

bool SpeaksOfDraft(absl::string_view key) { return KindOfKey(Folded(key)) != KeyKind::kOther; }

bool MarksDraft(absl::string_view key, absl::string_view value) {
  static constexpr std::array<absl::string_view, 13> kStates = {
      "draft",   "future", "hidden", "members", "paid",     "password",   "pending",
      "private", "skip",   "tiers",  "trash",   "unlisted", "unpublished"};
  const size_t comment = std::min(value.find(" #"), value.find("\t#"));
  const absl::string_view bare = WithoutMarkup(value.substr(0, comment));
  switch (KindOfKey(Folded(key))) {
    case KeyKind::kMark:
      return IsYes(bare);
    case KeyKind::kPermit:
      return IsNo(bare);
    case KeyKind::kState:
      return IsAmongIgnoringCase(kStates, bare);
    case KeyKind::kPassword:
      return !bare.empty() && !IsNo(bare);
    case KeyKind::kPermalink:
      return absl::EqualsIgnoreCase(bare, "false");
    case KeyKind::kOther:
      return false;
  }
  return false;
}

bool IsMarkOfDraft(absl::string_view line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  absl::ConsumePrefix(&line, ".. ");  // of Nikola's keys
  const size_t sign = line.find_first_of(":=");
  return sign != absl::string_view::npos &&
         MarksDraft(WithoutMarkup(line.substr(0, sign)), line.substr(sign + 1));
}

}  // namespace content::transfer
