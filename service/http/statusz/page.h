#pragma once

#include <string>

#include "http/statusz/status.h"

namespace content::statusz {

/// Returns the page, in HTML that is well-formed XML too. It reloads itself.
std::string RenderPage(const Status& status);

}  // namespace content::statusz
