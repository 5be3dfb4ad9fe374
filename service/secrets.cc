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

struct Secret {
  absl::string_view flag;
  const char* variable;
};

constexpr Secret kSecrets[] = {{"--database-url", "CONTENT_DATABASE_URL"},
                               {"--direct-database-url", "CONTENT_DIRECT_DATABASE_URL"}};

void Overwrite(char* text) { std::memset(text, 'x', std::strlen(text)); }

void Hide(const Secret& secret, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    if (argument == secret.flag && i + 1 < argc) {
      Overwrite(argv[++i]);
    } else if (absl::StartsWith(argument, secret.flag)) {
      Overwrite(argv[i] + secret.flag.size());
    }
  }
  if (char* const value = std::getenv(secret.variable)) Overwrite(value);
}

bool ChangesSessions(absl::string_view variable) {
  return variable == "PGOPTIONS" || variable == "PGCLIENTENCODING" || variable == "PGDATESTYLE" ||
         variable == "PGTZ" || variable == "PGGEQO" || variable == "PGAPPNAME";
}

}  // namespace

void HideDatabaseUrls(int argc, char** argv) {
  for (const Secret& secret : kSecrets) Hide(secret, argc, argv);
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
