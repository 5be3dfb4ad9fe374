#pragma once

#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Logs: one line per event. An event has a short name in the past tense or the present
// ("article imported", "database unreachable") and fields. On a terminal lines are for people
// (local time), otherwise they are JSON objects with `time` (UTC), `level`, `event` and the fields;
// no field may have one of these three names. Thread-safe.
// Nothing that a user wrote (bodies, names) and no secret is ever a field.
namespace content::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kAuto, kText, kJson };

/// Where lines go is standard error; kAuto is text if that is a terminal. Called once at start,
/// before other threads log; until then it is as Configure(kInfo, kAuto).
void Configure(Level level, Format format);

/// A key, and a value that absl::StrCat takes, or a bool. Numbers and bools stay such in JSON.
struct Field {
  template <class T>
  Field(absl::string_view key_, const T& value_)
      : key(key_), value(absl::StrCat(value_)), is_literal(std::is_arithmetic_v<T>) {}
  Field(absl::string_view key_, bool value_)
      : key(key_), value(value_ ? "true" : "false"), is_literal(true) {}

  absl::string_view key;
  std::string value;
  bool is_literal;
};

using Fields = std::initializer_list<Field>;

void Debug(absl::string_view event, Fields fields = {});
void Info(absl::string_view event, Fields fields = {});
void Warning(absl::string_view event, Fields fields = {});
void Error(absl::string_view event, Fields fields = {});

}  // namespace content::log
