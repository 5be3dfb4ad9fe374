#pragma once

#include <string>

#include "http/statusz/status.h"

namespace content::statusz {

/// What the page may load and run: nothing. The value of the header Content-Security-Policy.
inline constexpr char kContentSecurityPolicy[] =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

/// Returns the page, in HTML that is well-formed XML too. It reloads itself.
std::string RenderPage(const Status& status);

}  // namespace content::statusz
