#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"

namespace content::transfer {

/// Returns the text of a post of Ghost's, a row of its table, as HTML: that which Ghost made of it,
/// or what the formats of its editors hold: Lexical, Mobiledoc, or Markdown before version 1. Any
/// value will do. What only members or readers of e-mails see is left out.
std::string GhostBodyHtml(const nlohmann::json& post);

/// Returns a picture above a text as HTML. `caption` is HTML.
std::string GhostImageHtml(absl::string_view address, absl::string_view alt,
                           absl::string_view caption);

}  // namespace content::transfer
