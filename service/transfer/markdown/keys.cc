#include "transfer/markdown/keys.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"

namespace content::transfer {
namespace {

template <size_t n>
bool IsOneOf(const std::array<absl::string_view, n>& texts, absl::string_view text) {
  return std::any_of(texts.begin(), texts.end(), [text](absl::string_view other) {
    return absl::EqualsIgnoreCase(other, text);
  });
}

}  // namespace

std::string Folded(absl::string_view key) {
  return absl::AsciiStrToLower(absl::StrReplaceAll(key, {{"_", ""}, {"-", ""}}));
}

bool IsYes(absl::string_view value) {
  static constexpr std::array<absl::string_view, 5> kYes = {"true", "yes", "on", "1", "y"};
  return IsOneOf(kYes, value);
}

bool IsNo(absl::string_view value) {
  static constexpr std::array<absl::string_view, 6> kNo = {"false", "no", "off", "0", "n", "never"};
  return IsOneOf(kNo, value);
}

bool MarksDraft(absl::string_view key, absl::string_view value) {
  static constexpr std::array<absl::string_view, 5> kMarks = {"draft", "isdraft", "private",
                                                              "hidden", "unlisted"};
  static constexpr std::array<absl::string_view, 4> kPermits = {"published", "ispublished",
                                                                "publish", "render"};
  static constexpr std::array<absl::string_view, 2> kKeysOfStates = {"status", "visibility"};
  static constexpr std::array<absl::string_view, 6> kStates = {"draft",   "hidden", "pending",
                                                               "private", "trash",  "skip"};
  const std::string folded = Folded(key);
  if (IsOneOf(kMarks, folded)) return IsYes(value);
  if (IsOneOf(kPermits, folded)) return IsNo(value);
  if (IsOneOf(kKeysOfStates, folded)) return IsOneOf(kStates, value);
  return folded == "permalink" && absl::EqualsIgnoreCase(value, "false");
}

}  // namespace content::transfer
