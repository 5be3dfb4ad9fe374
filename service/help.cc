#include "help.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace content {
namespace {

constexpr size_t kWidth = 80;
// Where the second column begins.
constexpr size_t kColumn = 30;

using Options = std::vector<const CLI::Option*>;

// Returns the words of `text`. What is in parentheses, such as a range, is one word if it fits into
// a line.
std::vector<std::string> WordsOf(absl::string_view text) {
  std::vector<std::string> words;
  bool is_open = false;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (is_open && kColumn + words.back().size() + 1 + word.size() <= kWidth) {
      absl::StrAppend(&words.back(), " ", word);
    } else {
      words.emplace_back(word);
    }
    is_open = (is_open || absl::StrContains(word, '(')) && !absl::StrContains(word, ')');
  }
  return words;
}

// Appends an entry in two columns. The second is wrapped; it begins on a line of its own if the
// first is too long.
void AppendEntry(std::string& help, absl::string_view left, absl::string_view right) {
  std::string line = absl::StrCat("  ", left);
  if (line.size() + 2 > kColumn) {
    absl::StrAppend(&help, line, "\n");
    line.clear();
  }
  line.resize(kColumn, ' ');
  bool is_first_word = true;
  for (const std::string& word : WordsOf(right)) {
    if (!is_first_word && line.size() + 1 + word.size() > kWidth) {
      absl::StrAppend(&help, line, "\n");
      line.assign(kColumn, ' ');
      is_first_word = true;
    }
    absl::StrAppend(&line, is_first_word ? "" : " ", word);
    is_first_word = false;
  }
  absl::StrAppend(&help, absl::StripTrailingAsciiWhitespace(line), "\n");
}

std::string NamesOf(const CLI::Option& option) {
  if (option.get_positional()) return absl::StrCat(option.get_name(true), option.get_option_text());
  const std::string names = absl::StrReplaceAll(
      option.get_name(/*positional=*/false, /*all_options=*/true), {{",", ", "}});
  return option.get_option_text().empty() ? names
                                          : absl::StrCat(names, " ", option.get_option_text());
}

void AppendOptions(std::string& help, absl::string_view heading, const Options& options) {
  if (options.empty()) return;
  absl::StrAppend(&help, "\n", heading, ":\n");
  for (const CLI::Option* option : options) {
    AppendEntry(help, NamesOf(*option), option->get_description());
  }
}

Options ArgumentsOf(const CLI::App& command) {
  return command.get_options([](const CLI::Option* option) { return option->get_positional(); });
}

Options OptionsIn(const CLI::App& command, const std::string& group) {
  return command.get_options([&group](const CLI::Option* option) {
    return option->nonpositional() && option->get_group() == group;
  });
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

std::string UsageOf(const CLI::App& command, const std::string& name) {
  std::string usage = absl::StrCat("Usage: ", name);
  absl::StrAppend(&usage, CommandsOf(command).empty() ? " [OPTION...]" : " COMMAND");
  for (const CLI::Option* argument : ArgumentsOf(command)) {
    absl::StrAppend(&usage, " ", NamesOf(*argument));
  }
  return usage;
}

}  // namespace

std::string MakeHelp(const CLI::App& command, const std::string& name) {
  std::string help = absl::StrCat(absl::StripTrailingAsciiWhitespace(command.get_description()),
                                  "\n\n", UsageOf(command, name), "\n");
  const std::vector<const CLI::App*> commands = CommandsOf(command);
  if (!commands.empty()) absl::StrAppend(&help, "\nCommands:\n");
  for (const CLI::App* subcommand : commands) {
    const std::string description = subcommand->get_description();
    AppendEntry(help, subcommand->get_name(), description.substr(0, description.find("\n\n")));
  }
  AppendOptions(help, "Arguments", ArgumentsOf(command));
  for (const std::string& group : command.get_groups()) {
    AppendOptions(help, group, OptionsIn(command, group));
  }
  return absl::StrCat(help, "\n", command.get_footer(), "\n");
}

}  // namespace content
