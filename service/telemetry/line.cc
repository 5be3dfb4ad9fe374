#include "telemetry/line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace content::log {
namespace {

struct LevelStyle {
  absl::string_view name;
  absl::string_view text;    // in capitals, all of the same width
  absl::string_view colour;  // of a terminal
};

LevelStyle StyleOf(Level level) {
  switch (level) {
    case Level::kDebug:
      return {"debug", "DEBUG", "\033[36m"};
    case Level::kInfo:
      return {"info", "INFO ", "\033[32m"};
    case Level::kWarning:
      return {"warning", "WARN ", "\033[33m\033[1m"};
    case Level::kError:
      break;
  }
  return {"error", "ERROR", "\033[31m\033[1m"};
}

struct Character {
  uint32_t code_point;
  size_t size;  // in bytes
};

// Returns the first character of `text`, which must be valid UTF-8.
Character FirstCharacter(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  uint32_t code_point = lead & (0x7FU >> size);
  for (const char c : text.substr(1, size - 1)) code_point = code_point << 6 | (c & 0x3FU);
  return {code_point, size};
}

// The characters that JSON leaves alone although they control a terminal, end a line for some
// programs, or change the direction in which the rest of the line is shown.
bool ControlsDisplay(uint32_t code_point) {
  return (code_point >= 0x7F && code_point <= 0x9F) || code_point == 0x61C ||
         code_point == 0x200E || code_point == 0x200F ||
         (code_point >= 0x2028 && code_point <= 0x202E) ||
         (code_point >= 0x2066 && code_point <= 0x2069);
}

bool NeedsNoEscape(char c) {
  return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '"' && c != '\\';
}

// Returns a JSON string. Replaces invalid UTF-8, because writing a log line must not fail.
std::string Quoted(absl::string_view text) {
  if (std::all_of(text.begin(), text.end(), NeedsNoEscape)) return absl::StrCat("\"", text, "\"");
  const std::string valid = nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/false,
                                                      nlohmann::json::error_handler_t::replace);
  std::string line;
  for (absl::string_view rest = valid; !rest.empty();) {
    const Character character = FirstCharacter(rest);
    if (ControlsDisplay(character.code_point)) {
      absl::StrAppend(&line, "\\u", absl::Hex(character.code_point, absl::kZeroPad4));
    } else {
      absl::StrAppend(&line, rest.substr(0, character.size));
    }
    rest.remove_prefix(character.size);
  }
  return line;
}

bool IsInsideCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

std::string Cut(absl::string_view value) {
  if (value.size() <= kMaxValueBytes) return std::string(value);
  constexpr size_t kMaxCharacterBytes = 4;
  size_t end = kMaxValueBytes;
  while (end > kMaxValueBytes - kMaxCharacterBytes && IsInsideCharacter(value[end])) --end;
  return absl::StrCat(value.substr(0, end), "... (", value.size() - end, " more bytes)");
}

// JSON has no numbers for `nan` and `inf`.
bool IsJson(const Field& field) {
  return field.is_literal && !absl::EndsWith(field.value, "nan") &&
         !absl::EndsWith(field.value, "inf");
}

std::string JsonLine(Level level, Event event, Fields fields, uint64_t suppressed) {
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  std::string line = absl::StrCat(R"({"time":")", time, R"(","level":")", StyleOf(level).name,
                                  R"(","event":)", Quoted(event.name));
  for (const Field& field : fields) {
    absl::StrAppend(&line, ",", Quoted(field.key), ":",
                    IsJson(field) ? field.value : Quoted(Cut(field.value)));
  }
  if (suppressed > 0) absl::StrAppend(&line, R"(,"suppressed":)", suppressed);
  return line + "}\n";
}

bool IsPlain(absl::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '=';
  });
}

void AppendField(std::string& line, absl::string_view key, const std::string& value) {
  absl::StrAppend(&line, " ", key, "=", IsPlain(value) ? value : Quoted(value));
}

std::string TextLine(Level level, Event event, Fields fields, uint64_t suppressed,
                     bool is_coloured) {
  const LevelStyle style = StyleOf(level);
  std::string line = absl::FormatTime("%H:%M:%E3S ", absl::Now(), absl::LocalTimeZone());
  if (is_coloured) {
    absl::StrAppend(&line, style.colour, style.text, "\033[m");
  } else {
    absl::StrAppend(&line, style.text);
  }
  absl::StrAppend(&line, " ", event.name);
  if (!fields.empty() || suppressed > 0) line += ' ';
  for (const Field& field : fields) AppendField(line, field.key, Cut(field.value));
  if (suppressed > 0) AppendField(line, "suppressed", absl::StrCat(suppressed));
  return line + "\n";
}

}  // namespace

std::string EventLine(Style style, Level level, Event event, Fields fields, uint64_t suppressed) {
  if (style == Style::kJson) return JsonLine(level, event, fields, suppressed);
  return TextLine(level, event, fields, suppressed, style == Style::kColouredText);
}

std::string SuppressedLine(Style style, Level level, Event event, uint64_t suppressed) {
  if (event.kind.empty()) return EventLine(style, level, event, {}, suppressed);
  return EventLine(style, level, event, {{"kind", event.kind}}, suppressed);
}

}  // namespace content::log
