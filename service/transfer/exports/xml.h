#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "transfer/exports/export_file.h"

// XML as exports have it.
namespace content::transfer {

/// An element with all that is in it. Only while it is visited.
struct XmlElement {
  absl::string_view name = {};  ///< Without its prefix.
  /// Its namespace. If its prefix belongs to none, the prefix.
  absl::string_view space = {};
  /// By names without prefixes.
  std::vector<std::pair<absl::string_view, std::string>> attributes = {};
  std::string text = {};  ///< Its own, without that of its children.
  std::vector<XmlElement> children = {};
  /// How much of its parent's text is before it.
  size_t offset = 0;
  /// Why it is not complete: "is larger than 64 MiB". Only an element that is visited has this;
  /// what was too large or too deep in it is missing. Empty if nothing is.
  std::string problem = {};

  /// Returns the first child with this name and the namespace of this element, or with any if there
  /// is none such; nullptr if no child has the name.
  const XmlElement* Child(absl::string_view child_name) const;

  /// Returns the text of that child, without white space at both ends; empty if there is none.
  absl::string_view TextOf(absl::string_view child_name) const;

  absl::string_view Attribute(absl::string_view attribute_name) const;
};

struct XmlShape {
  /// How deep in the file the elements are that are visited. 0: the root.
  size_t depth;
  /// Elements within those that are visited too, before them, and are no part of them: there may be
  /// too many of them to be kept. Empty if there are none.
  absl::string_view detached_name = "";
};

/// Takes an element, and the one that it was detached from, as far as that has been read; nullptr
/// if it was not. Returns whether to go on.
using VisitXml = absl::FunctionRef<bool(const XmlElement& element, const XmlElement* from)>;

/// Reads a file of XML, and mends what it can (xml_cleaner.h). Keeps one element at a time, of at
/// most 64 MiB and 100 levels; of one that has more, some is left out (XmlElement::problem).
/// Nothing is fetched, and files that declare entities, or are UTF-16, are refused. An error, with
/// the line, if the file is not well-formed: what was visited before that was complete.
absl::Status ReadXml(ExportFile& file, const XmlShape& shape, VisitXml visit);

}  // namespace content::transfer
