#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

// Writes events to standard error, one line each. An event has a short name ("article imported",
// "database unreachable") and fields. On a terminal a line is text for people, in local time.
// Elsewhere it is a JSON object with `time` (UTC), `level`, `event` and the fields, which must not
// use these three names, nor `suppressed` and `kind`. Fields must never contain secrets, nor text
// that a user wrote, such as bodies and names. Thread-safe.
//
//   log::Info("article imported", {{"name", article.name()}, {"revision", 3}});
//
// Whatever a field contains, a line remains one line of printable text: characters that control
// terminals or the direction of text are escaped, and values are cut after 1 KiB.
namespace content::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kAuto, kText, kJson };

/// Sets the minimum level to log, and the format; kAuto is text on a terminal and JSON elsewhere.
/// Call it once at startup, before other threads log. The default is Configure(kInfo, kAuto).
void Configure(Level level, Format format);

/// Sets another minimum level for `duration`, which is more than 0. After that the level of
/// Configure holds again.
void OverrideLevel(Level level, std::chrono::nanoseconds duration);

/// The minimum level that holds now.
struct CurrentLevel {
  Level level;
  /// For how much longer; nullopt if it is the level of Configure.
  std::optional<std::chrono::nanoseconds> left;
};

CurrentLevel GetLevel();

/// From now on a thread of its own writes to standard error, and logging never blocks. While the
/// thread cannot write, 8,192 lines or 4 MiB wait; further events are dropped, counted, and told as
/// `log events dropped` once it can. An exiting process waits a second for what is still unwritten.
/// Until this is called, events are written on the calling thread. Call it before other threads
/// log.
void WriteInBackground();

/// From now on ten events of a kind are written at once, and one a second after that. An event that
/// comes after suppressed ones has their number as `suppressed`; if none comes, an event of that
/// name has nothing else.
void LimitEachKind();

/// Waits until everything that was logged is written, for at most `timeout`. For a process that is
/// about to end without returning from main().
void Flush(std::chrono::milliseconds timeout = std::chrono::seconds(1));

/// Writes a line that is no event: the last words of a command, for the person who started it.
void Print(absl::string_view line);

/// The name of an event. Events of one level, name and `kind` are limited together. `kind` must be
/// one of a few: each is remembered.
struct Event {
  Event(const char* name_) : name(name_) {}  // NOLINT(google-explicit-constructor)
  Event(absl::string_view name_, absl::string_view kind_) : name(name_), kind(kind_) {}

  absl::string_view name;
  absl::string_view kind;
};

/// A key, and a value that is a bool or that absl::StrCat accepts. JSON keeps numbers and bools.
struct Field {
  template <class T>
  Field(absl::string_view key_, const T& value_)
      : key(key_), value(absl::StrCat(value_)), is_literal(std::is_arithmetic_v<T>) {}
  Field(absl::string_view key_, bool value_)
      : key(key_), value(value_ ? "true" : "false"), is_literal(true) {}

  absl::string_view key;
  std::string value;
  bool is_literal;  ///< `value` is a number or bool, not text.
};

using Fields = absl::Span<const Field>;

/// Returns how many events there were of at least the minimum level, whether or not they were
/// written.
uint64_t EventCount(Level level);

/// Returns how many lines could not be written, or found no place to wait.
uint64_t DroppedCount();

/// The warnings and errors of one kind, written or not.
struct RecentEvent {
  Level level;
  std::string name;
  std::string kind;
  uint64_t count;  ///< since the process began
  absl::Time last;
};

/// Returns the last 64 kinds of warnings and errors, the last one first.
std::vector<RecentEvent> RecentWarningsAndErrors();

void Debug(Event event, Fields fields = {});
void Info(Event event, Fields fields = {});
void Warning(Event event, Fields fields = {});
void Error(Event event, Fields fields = {});

/// Writes an event that a setting asks for, one of many: neither the minimum level nor
/// LimitEachKind applies. It is shown as Info. Records take at most half of what may wait for the
/// thread that writes, so they never displace other events.
void Record(Event event, Fields fields);

/// Writes what an operator did to this process. Like Record, but an act has a place of its own
/// beside everything that waits for the thread that writes: 8,192 lines or 4 MiB for acts alone.
void RecordAct(Event event, Fields fields);

}  // namespace content::log
