#include "access/methods.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace content::access {
namespace {

using Places = absl::flat_hash_map<absl::string_view, size_t>;

Places IndexMethods() {
  Places places;
  for (size_t place = 0; place < kMethods.size(); ++place) places[kMethods[place]] = place;
  return places;
}

}  // namespace

std::optional<size_t> FindMethod(absl::string_view method) {
  static const Places places = IndexMethods();
  const auto found = places.find(method);
  if (found == places.end()) return std::nullopt;
  return found->second;
}

MethodSet MatchMethods(absl::string_view pattern) {
  absl::string_view service = pattern;
  const bool is_service = absl::ConsumeSuffix(&service, "*") && absl::EndsWith(service, "/");
  MethodSet methods;
  for (size_t place = 0; place < kMethods.size(); ++place) {
    methods[place] = is_service ? absl::StartsWith(kMethods[place], service)  //
                                : kMethods[place] == pattern;
  }
  return methods;
}

absl::StatusOr<absl::string_view> ResolveMethod(absl::string_view text) {
  const std::string without_package = absl::StrCat(".", text);
  const auto is_meant = [&](absl::string_view method) {
    return method == text || absl::EndsWith(method, without_package);
  };
  const auto found = std::find_if(kMethods.begin(), kMethods.end(), is_meant);
  if (found == kMethods.end()) {
    return absl::InvalidArgumentError(absl::StrCat("there is no method ", text));
  }
  if (std::any_of(found + 1, kMethods.end(), is_meant)) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are several methods ", text, "; name the package too"));
  }
  return *found;
}

bool IsHealthCheck(absl::string_view method) {
  return absl::StartsWith(method, "grpc.health.v1.Health/");
}

}  // namespace content::access
