#include "server/library_logs.h"

#include <grpc/support/log.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

void LogFromGrpc(gpr_log_func_args* args) {
  const std::string place = absl::StrCat(args->file, ":", args->line);
  const auto write = args->severity == GPR_LOG_SEVERITY_ERROR ? log::Warning : log::Debug;
  write({"grpc", place}, {{"message", args->message}, {"file", args->file}, {"line", args->line}});
  // What GPR_ASSERT says before it ends the process.
  if (absl::StartsWith(args->message, "assertion failed")) log::Flush();
}

void LogFromProtobuf(google::protobuf::LogLevel level, const char* file, int line,
                     const std::string& message) {
  const std::string place = absl::StrCat(file, ":", line);
  const auto write = level == google::protobuf::LOGLEVEL_FATAL ? log::Error : log::Debug;
  write({"protobuf", place}, {{"message", message}, {"file", file}, {"line", line}});
}

}  // namespace

void LogMessagesOfLibraries() {
  gpr_set_log_function(LogFromGrpc);
  google::protobuf::SetLogHandler(LogFromProtobuf);
}

}  // namespace content::server
