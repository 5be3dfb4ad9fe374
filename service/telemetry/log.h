#pragma once

#include <initializer_list>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// Writes events to standard error, one line each. An event has a short name ("article imported",
// "database unreachable") and fields. On a terminal a line is text for people, in local time.
// Elsewhere it is a JSON object with `time` (UTC), `level`, `event` and the fields, which must not
// use these three names. Fields must never contain secrets, nor text that a user wrote, such as
// bodies and names. Thread-safe.
//
//   log::Info("article imported", {{"name", article.name()}, {"revision", 3}});
namespace content::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kAuto, kText, kJson };

/// Sets the minimum level to log, and the format; kAuto is text on a terminal and JSON elsewhere.
/// Call it once at startup, before other threads log. The default is Configure(kInfo, kAuto).
void Configure(Level level, Format format);

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

using Fields = std::initializer_list<Field>;

void Debug(absl::string_view event, Fields fields = {});
void Info(absl::string_view event, Fields fields = {});
void Warning(absl::string_view event, Fields fields = {});
void Error(absl::string_view event, Fields fields = {});

}  // namespace content::log
