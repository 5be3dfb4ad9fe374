#include "http/statusz/failures.h"

#include <algorithm>
#include <array>

namespace content::statusz {

bool IsFailure(absl::string_view grpc_code) {
  static constexpr std::array<absl::string_view, 5> kFailures = {
      "DataLoss", "DeadlineExceeded", "Internal", "Unavailable", "Unknown"};
  return std::find(kFailures.begin(), kFailures.end(), grpc_code) != kFailures.end();
}

double FailureCount(const Numbers& numbers, Numbers::Labels labels) {
  double failures = 0;
  for (const auto& [code, count] :
       numbers.SumBy("grpc_code", "grpc_server_handled_total", labels)) {
    if (IsFailure(code)) failures += count;
  }
  return failures;
}

}  // namespace content::statusz
