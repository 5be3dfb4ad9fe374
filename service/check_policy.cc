#include "check_policy.h"

#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "access/explanation.h"
#include "access/methods.h"
#include "access/policy.h"
#include "access/policy_file.h"
#include "base/small_file.h"
#include "telemetry/log.h"

namespace content {
namespace {

constexpr int kAllowed = 0;
constexpr int kWrongFile = 1;
constexpr int kWrongArgument = 2;
constexpr int kDenied = 3;

int Fail(const absl::Status& status, int exit_status) {
  log::Print(absl::StrCat("contentd: ", status.message()));
  return exit_status;
}

absl::StatusOr<access::Policy> ReadPolicy(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path);
  if (!text.ok()) return text.status();
  return access::ParsePolicy(path, *text);
}

absl::StatusOr<std::string> ParseCaller(const std::string& text) {
  if (!absl::EndsWith(text, "*")) return access::ParseCallerName(text);
  return absl::InvalidArgumentError(absl::StrCat(text, " is a pattern, not a caller"));
}

}  // namespace

int CheckPolicy(const PolicyQuestion& question) {
  const absl::StatusOr<std::string> caller = ParseCaller(question.caller);
  if (!caller.ok()) return Fail(caller.status(), kWrongArgument);
  const absl::StatusOr<absl::string_view> method = access::ResolveMethod(question.method);
  if (!method.ok()) return Fail(method.status(), kWrongArgument);
  const absl::StatusOr<access::Policy> policy = ReadPolicy(question.file);
  if (!policy.ok()) return Fail(policy.status(), kWrongFile);
  const access::Explanation explanation = access::Explain(*policy, *caller, *method);
  std::cout << explanation.text;
  return explanation.is_allowed ? kAllowed : kDenied;
}

}  // namespace content
