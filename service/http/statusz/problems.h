#pragma once

#include <map>
#include <vector>

#include "absl/time/time.h"
#include "http/statusz/status.h"

namespace content::statusz {

/// Returns what is wrong, the worst first, without saying since when. Does not read
/// `status.problems`.
std::vector<Problem> FindProblems(const Status& status);

/// Remembers since when there have been problems. Not thread-safe.
class Onsets {
 public:
  /// Sets `since` of the problems that have an onset and do not say themselves when it was: to the
  /// time of the first of all calls in a row that were given such a problem.
  void Date(std::vector<Problem>& problems, absl::Time now);

 private:
  std::map<Trouble, absl::Time> onsets_;
};

}  // namespace content::statusz
