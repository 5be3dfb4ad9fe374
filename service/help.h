#pragma once

#include <string>

namespace CLI {
class App;
}

namespace content {

/// Returns the help of `command`, whose full name is `name` ("contentd serve"): description, usage,
/// arguments, options by group, commands, footer. Texts of options are wrapped; descriptions of
/// commands and footers are printed as they are. Written by hand because CLI11's versions print
/// different things.
std::string MakeHelp(const CLI::App& command, const std::string& name);

}  // namespace content
