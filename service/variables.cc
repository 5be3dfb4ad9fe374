#include "variables.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace content {
namespace {

constexpr absl::string_view kPrefix = "CONTENT_";
// The program's name is a likely mistake.
constexpr absl::string_view kProgramPrefix = "CONTENTD_";

// Variables that Kubernetes sets for a service of the name `content`, without the prefix.
bool IsOfKubernetes(absl::string_view name) {
  return name == "PORT" || absl::StartsWith(name, "PORT_") || name == "SERVICE_HOST" ||
         absl::StartsWith(name, "SERVICE_PORT");
}

// Names without the prefix that others than contentd read, or set. The service may also be called
// `content-service`.
bool IsOfOthers(absl::string_view name) {
  return name == "DB_PASSWORD" || IsOfKubernetes(name) ||
         IsOfKubernetes(absl::StripPrefix(name, "SERVICE_"));
}

// Returns the number of characters to insert, delete or replace to turn `a` into `b`.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// Returns the most similar of `known`; empty if more than a third of it would have to change.
std::string MostSimilar(absl::string_view name, const std::set<std::string>& known) {
  std::string best;
  size_t best_distance = name.size();
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(name, absl::StripPrefix(candidate, kPrefix));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return 3 * best_distance <= name.size() ? best : "";
}

}  // namespace

std::string VariableOf(absl::string_view flag) {
  const std::string name = absl::StrReplaceAll(absl::StripPrefix(flag, "--"), {{"-", "_"}});
  return absl::StrCat(kPrefix, absl::AsciiStrToUpper(name));
}

std::vector<UnknownVariable> FindUnknownVariables(const std::set<std::string>& known) {
  std::set<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view text = *variable;
    names.emplace(text.substr(0, text.find('=')));
  }
  std::vector<UnknownVariable> unknown;
  for (const std::string& name : names) {
    absl::string_view suffix = name;
    const bool is_ours =
        absl::ConsumePrefix(&suffix, kPrefix) || absl::ConsumePrefix(&suffix, kProgramPrefix);
    if (!is_ours || IsOfOthers(suffix) || known.contains(name)) continue;
    unknown.push_back({name, MostSimilar(suffix, known)});
  }
  return unknown;
}

}  // namespace content
