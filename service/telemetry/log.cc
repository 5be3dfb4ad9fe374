#include "telemetry/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/logger.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_color_sinks.h"

namespace content::log {
namespace {

using Json = nlohmann::ordered_json;

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

absl::string_view LevelName(spdlog::level::level_enum level) {
  const spdlog::string_view_t name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

// Escapes U+0080 to U+009F, which control terminals as the ASCII controls do, but which JSON leaves
// alone. `json` must be valid UTF-8.
std::string EscapeC1Controls(absl::string_view json) {
  std::string escaped;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '\xC2' && static_cast<unsigned char>(json[i + 1]) < 0xA0) {
      absl::StrAppend(&escaped, "\\u00", absl::Hex(static_cast<unsigned char>(json[++i])));
    } else {
      escaped += json[i];
    }
  }
  return escaped;
}

// Replaces invalid UTF-8, because writing a log line must not fail.
std::string ToLine(const Json& json) {
  return EscapeC1Controls(
      json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace));
}

Json JsonValue(const Field& field) {
  if (!field.is_literal) return field.value;
  Json literal = Json::parse(field.value, nullptr, /*allow_exceptions=*/false);
  return literal.is_discarded() ? Json(field.value) : literal;  // `nan` and `inf` become text.
}

std::string JsonLine(absl::string_view level, absl::string_view event, Fields fields) {
  Json line;
  line["time"] = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  line["level"] = level;
  line["event"] = event;
  for (const Field& field : fields) line[std::string(field.key)] = JsonValue(field);
  return ToLine(line);
}

bool IsPlain(absl::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && c != '"' && c != '=';
  });
}

std::string TextLine(absl::string_view event, Fields fields) {
  std::string line(event);
  absl::string_view separator = "  ";
  for (const Field& field : fields) {
    absl::StrAppend(&line, separator, field.key, "=",
                    IsPlain(field.value) ? field.value : ToLine(field.value));
    separator = " ";
  }
  return line;
}

// Writes the level for `%*` in a pattern: in capitals, padded to the same width.
class LevelFlag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    std::string name = message.level == spdlog::level::warn
                           ? "WARN"
                           : absl::AsciiStrToUpper(LevelName(message.level));
    name.resize(absl::string_view("ERROR").size(), ' ');
    line.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelFlag>();
  }
};

// Thread-safe, except that Configure() must not run while another thread logs.
struct Output {
  Output() { Configure(Level::kInfo, Format::kAuto); }

  void Configure(Level level, Format format) {
    as_json = format == Format::kJson || (format == Format::kAuto && isatty(STDERR_FILENO) == 0);
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<LevelFlag>('*').set_pattern(as_json ? "%v" : "%H:%M:%S.%e %^%*%$ %v");
    logger.set_formatter(std::move(formatter));
    logger.set_level(ToSpdlog(level));
    sink->set_color_mode(spdlog::color_mode::automatic);
  }

  const std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> sink =
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  spdlog::logger logger{"", sink};
  std::atomic<bool> as_json;
};

// Never destroyed, because threads may log until the process ends.
Output& GlobalOutput() {
  static Output& output = *new Output;
  return output;
}

void Write(Level level, absl::string_view event, Fields fields) {
  Output& output = GlobalOutput();
  const spdlog::level::level_enum spdlog_level = ToSpdlog(level);
  if (!output.logger.should_log(spdlog_level)) return;
  output.logger.log(spdlog_level, output.as_json ? JsonLine(LevelName(spdlog_level), event, fields)
                                                 : TextLine(event, fields));
}

}  // namespace

void Configure(Level level, Format format) { GlobalOutput().Configure(level, format); }

void Debug(absl::string_view event, Fields fields) { Write(Level::kDebug, event, fields); }
void Info(absl::string_view event, Fields fields) { Write(Level::kInfo, event, fields); }
void Warning(absl::string_view event, Fields fields) { Write(Level::kWarning, event, fields); }
void Error(absl::string_view event, Fields fields) { Write(Level::kError, event, fields); }

}  // namespace content::log
