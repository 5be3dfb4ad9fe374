#pragma once

#include <gumbo.h>

#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "transfer/block_markdown.h"

// The text of an HTML page, without what only a browser has use for.
namespace content::transfer {

/// Returns what `node` contains as blocks. Leaves out the elements of `without` and, everywhere,
/// what is no text: navigation, forms, images of a single pixel, buttons to share or to subscribe,
/// and what is hidden. Addresses are those of web_address.h.
///
/// CommonMark has no tables. One of short texts becomes a block of code, in columns; one with
/// links, images or long texts becomes a list of its rows; one that only arranges what is on the
/// page, or has blocks in its cells, becomes these blocks.
std::vector<Block> BlocksOf(const GumboNode& node,
                            const absl::flat_hash_set<const GumboNode*>& without = {});

/// Returns the same for the whole of `html`, in a tenth of the time, if that is nothing but text,
/// paragraphs and breaks, as most comments are: they need no parser. nullopt for all else, and for
/// more than 64 KiB.
std::optional<std::vector<Block>> BlocksOfPlainHtml(absl::string_view html);

}  // namespace content::transfer
