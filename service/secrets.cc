#include "secrets.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

constexpr absl::string_view kFlag = "--database-url";
constexpr char kVariable[] = "CONTENT_DATABASE_URL";

void Overwrite(char* text) { std::memset(text, 'x', std::strlen(text)); }

bool ChangesSessions(absl::string_view variable) {
  return variable == "PGOPTIONS" || variable == "PGCLIENTENCODING" || variable == "PGDATESTYLE" ||
         variable == "PGTZ" || variable == "PGGEQO" || variable == "PGAPPNAME";
}

}  // namespace

void HideDatabaseUrl(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == kFlag && i + 1 < argc) {
      Overwrite(argv[++i]);
    } else if (absl::StartsWith(argument, kFlag)) {
      Overwrite(argv[i] + kFlag.size());
    }
  }
  if (char* const value = std::getenv(kVariable)) Overwrite(value);
}

void IgnoreLibpqVariables(bool is_external) {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view text = *variable;
    const absl::string_view name = text.substr(0, text.find('='));
    if (absl::StartsWith(name, "PG") && (!is_external || ChangesSessions(name))) {
      names.emplace_back(name);
    }
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

}  // namespace content
