#pragma once

#include <gumbo.h>

#include <vector>

#include "absl/functional/function_ref.h"
#include "transfer/block_markdown.h"

// Tables of HTML, which CommonMark does not have.
namespace content::transfer {

/// Returns whether a <table> has data in rows and columns. Other tables arrange blocks on the page.
/// Looking at every table of a page takes linear time.
bool IsDataTable(const GumboNode& table);

/// Returns such a table as a block of code, or as a list if that would not do. `read` returns the
/// text of a cell.
Block TableBlock(const GumboNode& table, absl::FunctionRef<Runs(const GumboNode& cell)> read);

}  // namespace content::transfer
