#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "telemetry/log.h"

// How an event looks as a line.
namespace content::log {

enum class Style { kJson, kText, kColouredText };

/// Values that are longer are cut, with a note of how much is missing.
inline constexpr size_t kMaxValueBytes = 1024;

/// Returns the event as a line, with its end. `suppressed`, the number of events of its kind that
/// were not written, is shown unless it is 0.
std::string EventLine(Style style, Level level, Event event, Fields fields, uint64_t suppressed);

/// Returns the line that stands for `suppressed` events of a kind that no other event follows.
std::string SuppressedLine(Style style, Level level, Event event, uint64_t suppressed);

}  // namespace content::log
