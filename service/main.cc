#include <csignal>
#include <exception>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "check_policy.h"
#include "commands.h"
#include "config.h"
#include "open_files.h"
#include "secrets.h"
#include "telemetry/log.h"

namespace {

void WarnOfUnknownVariables(const content::Config& config) {
  for (const content::UnknownVariable& variable : config.unknown_variables) {
    if (variable.suggestion.empty()) {
      content::log::Warning("unknown variable", {{"variable", variable.name}});
    } else {
      content::log::Warning("unknown variable",
                            {{"variable", variable.name}, {"did_you_mean", variable.suggestion}});
    }
  }
}

int Run(const content::Config& config) {
  switch (config.command) {
    case content::Config::Command::kServe:
      return content::Serve(config);
    case content::Config::Command::kMigrate:
      return content::Migrate(config);
    case content::Config::Command::kImport:
      return content::Import(config);
    case content::Config::Command::kExport:
      return content::Export(config);
    case content::Config::Command::kCheckPolicy:
      return content::CheckPolicy(config.policy_question);
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) try {
  content::OpenStandardFiles(argv);
  // The process must survive when the reader of its log or output goes away.
  std::signal(SIGPIPE, SIG_IGN);
  content::FailOnUncaughtExceptions();
  const auto config = content::ReadConfig(argc, argv);
  content::HideDatabaseUrls(argc, argv);
  if (const auto* exit = std::get_if<content::ExitNow>(&config)) return exit->status;
  const auto& settings = std::get<content::Config>(config);
  content::IgnoreLibpqVariables(/*is_external=*/!settings.database_url.empty());
  content::log::Configure(settings.log_level, settings.log_format);
  WarnOfUnknownVariables(settings);
  return Run(settings);
} catch (const std::exception& exception) {
  content::log::Print(absl::StrCat("contentd: ", exception.what()));
  return 1;
}
