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
enum class KeyKind { kOther, kMark, kPermit, kStatus, kState, kPassword, kPermalink };

KeyKind KindOfKey(absl::string_view folded) {
  static constexpr std::array<absl::string_view, 9> kKeysOfMarks = {
      "draft",    "headless",    "hidden", "ignorepublish", "isdraft", "private",
      "unlisted", "unpublished", "wip"};
  static constexpr std::array<absl::string_view, 6> kKeysOfPermits = {
      "dgpublish", "ispublished", "public", "publish", "published", "render"};
  static constexpr std::array<absl::string_view, 3> kKeysOfStatus = {"status", "poststatus",
                                                                     "visibility"};
  if (IsAmongIgnoringCase(kKeysOfMarks, folded)) return KeyKind::kMark;
  if (IsAmongIgnoringCase(kKeysOfPermits, folded)) return KeyKind::kPermit;
  if (IsAmongIgnoringCase(kKeysOfStatus, folded)) return KeyKind::kStatus;
  if (folded == "state") return KeyKind::kState;
  if (folded == "password") return KeyKind::kPassword;
  return folded == "permalink" ? KeyKind::kPermalink : KeyKind::kOther;
}

// Returns a key or a value without the quotes, braces and the like around it.
absl::string_view WithoutMarkup(absl::string_view text) {
  constexpr absl::string_view kMarkup = " \t\"'{}[],*";
  text.remove_prefix(std::min(text.find_first_not_of(kMarkup), text.size()));
  return text.substr(0, text.find_last_not_of(kMarkup) + 1);
}

// Returns a value without quotes and a comment.
absl::string_view BareValue(absl::string_view value) {
  return WithoutMarkup(value.substr(0, std::min(value.find(" #"), value.find("\t#"))));
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

bool SpeaksOfDraft(absl::string_view key) {
  const KeyKind kind = KindOfKey(Folded(key));
  return kind != KeyKind::kOther && kind != KeyKind::kState;
}

bool MarksDraft(absl::string_view key, absl::string_view value) {
  static constexpr std::array<absl::string_view, 18> kStates = {
      "deleted", "draft",    "future",  "hidden",   "in progress", "members",
      "paid",    "password", "pending", "private",  "review",      "scheduled",
      "skip",    "tiers",    "trash",   "unlisted", "unpublished", "wip"};
  const absl::string_view bare = BareValue(value);
  switch (KindOfKey(Folded(key))) {
    case KeyKind::kMark:
      return IsYes(bare);
    case KeyKind::kPermit:
      return IsNo(bare);
    case KeyKind::kStatus:
    case KeyKind::kState:
      return IsAmongIgnoringCase(kStates, absl::StrReplaceAll(bare, {{"-", " "}, {"_", " "}}));
    case KeyKind::kPassword:
      return !bare.empty() && !IsNo(bare);
    case KeyKind::kPermalink:
      return absl::EqualsIgnoreCase(bare, "false");
    case KeyKind::kOther:
      return false;
  }
  return false;
}

bool IsOfUnknownStatus(absl::string_view key, absl::string_view value) {
  // Nikola features posts that are public.
  static constexpr std::array<absl::string_view, 16> kPublic = {
      "active", "complete", "completed", "done",    "everyone",  "featured", "final", "finished",
      "live",   "posted",   "public",    "publish", "published", "ready",    "sent",  "visible"};
  const absl::string_view bare = BareValue(value);
  return KindOfKey(Folded(key)) == KeyKind::kStatus && !bare.empty() && !IsYes(bare) &&
         !IsAmongIgnoringCase(kPublic, bare);
}

bool IsMarkOfDraft(absl::string_view line) {
  line = absl::StripLeadingAsciiWhitespace(line);
  absl::ConsumePrefix(&line, ".. ");  // of Nikola's keys
  const size_t sign = line.find_first_of(":=");
  return sign != absl::string_view::npos &&
         MarksDraft(WithoutMarkup(line.substr(0, sign)), line.substr(sign + 1));
}

}  // namespace content::transfer
