#include "transfer/author_name.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "transfer/html/plain_text.h"

namespace content::transfer {
namespace {

// What stands between a name and an address.
constexpr char kSeparators[] = " \t\n<>()[]{},;:|\"/";

// "ada@mail.example", but not "@ada" and "R@y".
bool IsEmailAddress(absl::string_view word) {
  const size_t at = word.find('@');
  if (at == absl::string_view::npos || at == 0) return false;
  const size_t dot = word.rfind('.');
  return dot != absl::string_view::npos && dot > at + 1 && dot + 1 < word.size();
}

// Returns a name as readers see it where it is taken for HTML: "ada&#64;mail.example" is an
// address.
std::string WithoutReferences(absl::string_view name) {
  const std::string html = absl::StrReplaceAll(name, {{"<", "&lt;"}, {">", "&gt;"}});
  return absl::StrContains(html, '&') ? HtmlToPlainText(html) : html;
}

absl::string_view WithoutSeparatorsAround(absl::string_view text) {
  constexpr char kMarks[] = " \t\n<>,;:|-";
  const size_t begin = std::min(text.find_first_not_of(kMarks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(kMarks) + 1);
}

}  // namespace

std::string WithoutEmailAddresses(absl::string_view written) {
  const std::string read = WithoutReferences(written);
  absl::string_view name = read;
  if (!absl::StrContains(name, '@')) return std::string(written);
  std::string kept;
  bool has_address = false;
  while (!name.empty()) {
    const size_t length = std::min(name.find_first_of(kSeparators), name.size());
    absl::string_view word = name.substr(0, length);
    while (absl::ConsumeSuffix(&word, ".")) continue;
    if (IsEmailAddress(word)) {
      has_address = true;
    } else {
      absl::StrAppend(&kept, name.substr(0, length));
    }
    name.remove_prefix(length);
    if (name.empty()) break;
    kept.push_back(name[0]);
    name.remove_prefix(1);
  }
  if (!has_address) return std::string(written);
  kept = absl::StrReplaceAll(kept, {{"mailto:", ""}});
  kept = absl::StrReplaceAll(kept, {{"()", ""}, {"<>", ""}, {"[]", ""}, {"{}", ""}, {"\"\"", ""}});
  absl::RemoveExtraAsciiWhitespace(&kept);
  absl::string_view rest = WithoutSeparatorsAround(kept);
  if (absl::StartsWith(rest, "(") && absl::EndsWith(rest, ")")) {
    rest = WithoutSeparatorsAround(rest.substr(1, rest.size() - 2));
  }
  return std::string(rest);
}

void RemoveEmailAddresses(ParsedFile& file) {
  google::protobuf::RepeatedPtrField<v1::Author> kept;
  bool has_address = false;
  for (v1::Author& author : *file.article.mutable_authors()) {
    std::string name = WithoutEmailAddresses(author.display_name());
    const bool has_address_as_id = IsEmailAddress(author.id());
    if (has_address_as_id) author.clear_id();
    has_address = has_address || has_address_as_id || name != author.display_name();
    if (name.empty() && !author.display_name().empty()) continue;
    author.set_display_name(std::move(name));
    *kept.Add() = std::move(author);
  }
  file.article.mutable_authors()->Swap(&kept);
  if (!has_address) return;
  file.notes.emplace_back("left out the e-mail address of an author");
  if (file.article.authors().empty()) file.places.erase("authors");
}

}  // namespace content::transfer
