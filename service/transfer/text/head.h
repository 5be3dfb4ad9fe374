#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "transfer/parsed_file.h"

// What stands above the text of a page saved as text.
namespace content::transfer {

/// Returns the names in "Ada Byron, Ph.D., and John Doe". What follows a name after a comma is
/// another name, unless it belongs to a name ("Jr.") or says what somebody is or works for ("Staff
/// Writer", "The Harbour Times").
std::vector<std::string> NamesIn(absl::string_view byline);

/// Reads title, byline and date, in any order, from the first lines of a page into `file`. Byline
/// and date may be on one line, and each of the three may have a key ("Author: Ada Byron"). What is
/// not there stays empty. A byline without a name, and a date on the wrong day of the week, are
/// faults. A title is only told from the text by a byline or a date below it, or above it if there
/// is no byline. A line of a key that marks a draft there, or below, makes the file one. Returns
/// the index of the first line of the text.
size_t ReadHead(const std::vector<std::string>& lines, ParsedFile& file);

}  // namespace content::transfer
