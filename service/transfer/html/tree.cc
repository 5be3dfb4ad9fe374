#include "transfer/html/tree.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "content/text.h"

namespace content::transfer {
namespace {

// Without a type the parser would imitate browsers of the nineties.
constexpr absl::string_view kType = "<!DOCTYPE html>";

GumboOutput* Parse(const std::string& html) {
  GumboOptions options = kGumboDefaultOptions;
  options.max_errors = 0;
  return gumbo_parse_with_options(&options, html.data(), html.size());
}

}  // namespace

HtmlTree::HtmlTree(const std::string& html) : output_(Parse(absl::StrCat(kType, html))) {}

void HtmlTree::Destroy::operator()(GumboOutput* output) const {
  gumbo_destroy_output(&kGumboDefaultOptions, output);
}

const GumboNode& HtmlTree::body() const {
  const Children children(root());
  for (size_t i = 0; i < children.size(); ++i) {
    if (IsElement(children[i], {GUMBO_TAG_BODY})) return children[i];
  }
  return root();
}

Children::Children(const GumboNode& node) {
  if (node.type != GUMBO_NODE_ELEMENT && node.type != GUMBO_NODE_TEMPLATE) return;
  const GumboVector& children = node.v.element.children;
  nodes = reinterpret_cast<const GumboNode* const*>(children.data);
  count = children.length;
}

bool IsElement(const GumboNode& node) { return node.type == GUMBO_NODE_ELEMENT; }

bool IsElement(const GumboNode& node, std::initializer_list<GumboTag> tags) {
  return IsElement(node) && std::find(tags.begin(), tags.end(), node.v.element.tag) != tags.end();
}

bool IsText(const GumboNode& node) {
  return node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE ||
         node.type == GUMBO_NODE_CDATA;
}

absl::string_view Attribute(const GumboNode& node, const char* name) {
  if (!IsElement(node)) return "";
  const GumboAttribute* const attribute = gumbo_get_attribute(&node.v.element.attributes, name);
  return attribute != nullptr ? attribute->value : "";
}

bool HasAttribute(const GumboNode& node, const char* name) {
  return IsElement(node) && gumbo_get_attribute(&node.v.element.attributes, name) != nullptr;
}

bool HasWord(const GumboNode& node, const char* attribute,
             std::initializer_list<absl::string_view> words) {
  const std::vector<absl::string_view> all =
      absl::StrSplit(Attribute(node, attribute), absl::ByAnyChar(" \t\n\f\r"));
  return std::any_of(all.begin(), all.end(), [words](absl::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  });
}

// The tree is never so deep that this would need much stack.
void Visit(const GumboNode& node, absl::FunctionRef<bool(const GumboNode&)> visit) {
  if (!visit(node)) return;
  const Children children(node);
  for (size_t i = 0; i < children.size(); ++i) Visit(children[i], visit);
}

std::string TextOf(const GumboNode& node) {
  constexpr size_t kMaxCharacters = 10'000;
  std::string text;
  Visit(node, [&text](const GumboNode& at) {
    if (text.size() > kMaxCharacters) return false;
    if (IsText(at)) absl::StrAppend(&text, FirstCharacters(at.v.text.text, kMaxCharacters));
    if (IsElement(at, {GUMBO_TAG_BR})) text.push_back(' ');
    return true;
  });
  return OneLine(text);
}

}  // namespace content::transfer
