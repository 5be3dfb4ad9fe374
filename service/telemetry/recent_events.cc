#include "telemetry/recent_events.h"

#include <algorithm>

namespace content::log {

void RecentEvents::Add(Level level, Event event, absl::Time now) {
  const std::lock_guard lock(mutex_);
  auto kind = kinds_.find(std::tuple(level, event.name, event.kind));
  if (kind == kinds_.end()) {
    if (kinds_.size() == kMaxKinds) ForgetOldest();
    kind = kinds_.emplace(Kind(level, event.name, event.kind), Seen{}).first;
  }
  ++kind->second.count;
  kind->second.last = now;
}

std::vector<RecentEvent> RecentEvents::List() const {
  std::vector<RecentEvent> events;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [kind, seen] : kinds_) {
      const auto& [level, name, part] = kind;
      events.push_back({level, name, part, seen.count, seen.last});
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const RecentEvent& a, const RecentEvent& b) { return a.last > b.last; });
  return events;
}

void RecentEvents::ForgetOldest() {
  kinds_.erase(std::min_element(kinds_.begin(), kinds_.end(), [](const auto& a, const auto& b) {
    return a.second.last < b.second.last;
  }));
}

}  // namespace content::log
