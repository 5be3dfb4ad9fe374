#include "telemetry/log.h"

#include <cstdlib>

#include "telemetry/event_log.h"

namespace content::log {
namespace {

// Never destroyed, because threads may log until the process ends.
EventLog& GlobalLog() {
  static EventLog& log = *new EventLog({});
  return log;
}

}  // namespace

void Configure(Level level, Format format) { GlobalLog().Configure(level, format); }

void OverrideLevel(Level level, std::chrono::nanoseconds duration) {
  GlobalLog().OverrideLevel(level, duration);
}

CurrentLevel GetLevel() { return GlobalLog().GetLevel(); }

void WriteInBackground() {
  GlobalLog().WriteInBackground();
  std::atexit([] { Flush(); });
}

void LimitEachKind() { GlobalLog().LimitEachKind(); }

void Flush(std::chrono::milliseconds timeout) { GlobalLog().Flush(timeout); }

std::vector<RecentEvent> RecentWarningsAndErrors() { return GlobalLog().Recent(); }

void Print(absl::string_view line) { GlobalLog().Print(line); }

uint64_t EventCount(Level level) { return GlobalLog().event_count(level); }
uint64_t DroppedCount() { return GlobalLog().dropped_count(); }

void Debug(Event event, Fields fields) { GlobalLog().Write(Level::kDebug, event, fields); }
void Info(Event event, Fields fields) { GlobalLog().Write(Level::kInfo, event, fields); }
void Warning(Event event, Fields fields) { GlobalLog().Write(Level::kWarning, event, fields); }
void Error(Event event, Fields fields) { GlobalLog().Write(Level::kError, event, fields); }
void Record(Event event, Fields fields) { GlobalLog().Record(event, fields); }
void RecordAct(Event event, Fields fields) { GlobalLog().RecordAct(event, fields); }

}  // namespace content::log
