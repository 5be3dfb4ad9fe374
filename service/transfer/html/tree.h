#pragma once

#include <gumbo.h>

#include <initializer_list>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

// The tree of an HTML page as browsers build it.
namespace content::transfer {

class HtmlTree {
 public:
  /// Parses HTML that has been cleaned up (html/cleaner.h): other HTML may take quadratic time.
  explicit HtmlTree(const std::string& html);

  /// The element <html>. Lives as long as the object.
  const GumboNode& root() const { return *output_->root; }

  /// The element <body>. Lives as long as the object.
  const GumboNode& body() const;

 private:
  struct Destroy {
    void operator()(GumboOutput* output) const;
  };

  std::unique_ptr<GumboOutput, Destroy> output_;
};

/// Returns the children of an element; none of other nodes.
struct Children {
  explicit Children(const GumboNode& node);
  size_t size() const { return count; }
  const GumboNode& operator[](size_t i) const { return *nodes[i]; }

  const GumboNode* const* nodes = nullptr;
  size_t count = 0;
};

/// Returns whether a node is an element with one of these tags.
bool IsElement(const GumboNode& node);
bool IsElement(const GumboNode& node, std::initializer_list<GumboTag> tags);

/// Returns whether a node is text, which may be nothing but white space.
bool IsText(const GumboNode& node);

/// Returns the value of an attribute; empty if the element has none, or the node is no element.
absl::string_view Attribute(const GumboNode& node, const char* name);
bool HasAttribute(const GumboNode& node, const char* name);

/// Returns whether an attribute is a list of words, separated by spaces, with one of `words`.
bool HasWord(const GumboNode& node, const char* attribute,
             std::initializer_list<absl::string_view> words);

/// Calls `visit` for `node` and for each node in it, in the order of the page. Leaves out what is
/// in a node for which `visit` returns false.
void Visit(const GumboNode& node, absl::FunctionRef<bool(const GumboNode&)> visit);

/// Returns the text of an element on one line. Of very long texts, which nobody wants on one line,
/// only the beginning: so each of many elements within each other may be asked for its text.
std::string TextOf(const GumboNode& node);

}  // namespace content::transfer
