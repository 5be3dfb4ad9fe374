#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Goes over HTML before it is parsed, so that no page is too much for the parser.
namespace content::transfer {

/// What is left of some HTML.
struct CleanHtml {
  std::string html;
  /// The contents of its scripts of type application/ld+json.
  std::vector<std::string> json_ld;
  /// What readers of the page saw and is gone, for people.
  std::vector<std::string> notes;
};

/// Returns `html`, any UTF-8, without what cannot become part of an article: comments, scripts,
/// styles, embedded pages, controls, drawings, elements that are not HTML's, and attributes other
/// than those that the readers of this room look at. A formula that the page also has as TeX, as
/// KaTeX, MathJax and Wikipedia do, becomes `<code class="math">`.
///
/// The parser takes quadratic time for deep nesting, and for many attributes of one element; it
/// repeats open elements such as <b> in every paragraph; and it frees its tree recursively. So tags
/// are left out, and their text kept, where elements would be nested more than some 100 deep, and
/// where the tree would have more than some 200,000 elements, or would repeat attributes of more
/// than some 8 MB. What is returned takes linear time.
/// So does this function.
CleanHtml CleanUp(absl::string_view html);

}  // namespace content::transfer
