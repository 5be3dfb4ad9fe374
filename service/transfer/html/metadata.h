#pragma once

#include <gumbo.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

// What a page says about itself.
namespace content::transfer {

/// Empty is what the page does not say.
struct HtmlMetadata {
  struct Author {
    std::string name;
    std::string address;
  };

  std::string title;
  std::vector<Author> authors;
  std::optional<absl::Time> publish_time;
  std::string language;
  std::string summary;
  std::string address;  ///< The canonical one.
  std::vector<std::string> tags;
};

/// Returns whether an element says when an article was published, and by whom, as what it is called
/// says.
bool IsByline(const GumboNode& node);

/// Reads microformats (h-entry), JSON-LD of an article, the tags that are meant for social networks
/// (Open Graph), schema.org's attributes, the classes of blogs and elements of HTML. What stands
/// earlier in this list counts more. `text` is the element with the text of the article; what the
/// page says of its other articles, and in comments and menus, does not count. `json_ld` are
/// scripts as the page has them, which may be anything.
HtmlMetadata ReadHtmlMetadata(const GumboNode& root, const GumboNode& text,
                              const std::vector<std::string>& json_ld);

}  // namespace content::transfer
