#include "http/statusz/statusz.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <optional>
#include <utility>

#include "http/statusz/page.h"
#include "http/statusz/read_status.h"

namespace content::statusz {
namespace {

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

std::string PageOutOfService(std::vector<prometheus::MetricFamily> numbers, Phase phase) {
  Status status = ReadStatus(Numbers(std::move(numbers)), absl::Now());
  status.host = HostName();
  status.phase = phase;
  status.events = log::RecentWarningsAndErrors();
  status.problems = FindProblems(status);
  return RenderPage(status);
}

Statusz::Statusz(Sources sources)
    : sources_(std::move(sources)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

std::string Statusz::Page() { return RenderPage(Look(Numbers(sources_.numbers()))); }

void Statusz::Run(const std::stop_token& stop) {
  Sampler sampler;
  for (SteadyTime at = sources_.clock->Now(); !stop.stop_requested(); at += History::kInterval) {
    const Numbers numbers(sources_.numbers());
    const std::optional<Sample> sample = sampler.Look(numbers, sources_.clock->Now());
    if (sample) history_.Add(*sample);
    Look(numbers);  // Dates problems that nobody is there to read about.
    sources_.clock->SleepUntil(at + History::kInterval, stop);
  }
}

Status Statusz::Look(const Numbers& numbers) {
  Status status = ReadStatus(numbers, sources_.now());
  status.host = HostName();
  status.phase = sources_.phase();
  status.events = sources_.events();
  status.history = history_.List();
  status.problems = FindProblems(status);
  const std::lock_guard lock(mutex_);
  onsets_.Date(status.problems, status.now);
  return status;
}

}  // namespace content::statusz
