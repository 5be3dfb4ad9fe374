#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace content::statusz {

/// Markup that may be part of a page, in HTML that is well-formed XML too. Text becomes markup only
/// by being escaped, and an element only as a whole, so a page can be neither broken nor injected
/// into.
class Html {
 public:
  Html() = default;

  /// Text. Characters that XML does not allow, or that change how the text around them is shown,
  /// and bytes that are not UTF-8 become U+FFFD.
  // NOLINTBEGIN(google-explicit-constructor)
  Html(absl::string_view text);
  Html(const char* text) : Html(absl::string_view(text)) {}
  Html(const std::string& text) : Html(absl::string_view(text)) {}
  // NOLINTEND(google-explicit-constructor)

  /// A constant that is markup already.
  static Html Verbatim(absl::string_view markup);

  Html& operator+=(const Html& other) {
    markup_ += other.markup_;
    return *this;
  }
  friend Html operator+(Html a, const Html& b) { return std::move(a += b); }

  bool empty() const { return markup_.empty(); }
  const std::string& markup() const { return markup_; }

 private:
  std::string markup_;
};

/// Names are constants; values are text.
using Attributes = std::vector<std::pair<absl::string_view, std::string>>;

/// Returns <name attributes>content</name>.
Html Element(absl::string_view name, const Attributes& attributes, const Html& content);
inline Html Element(absl::string_view name, const Html& content) {
  return Element(name, {}, content);
}

/// Returns <name attributes/>, an element without content, such as <meta/>.
Html EmptyElement(absl::string_view name, const Attributes& attributes);

}  // namespace content::statusz
