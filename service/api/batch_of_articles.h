#pragma once

#include <string>
#include <vector>

#include "api/encoded_answer.h"
#include "content/read_cache.h"
#include "content/store.h"

namespace content::api {

/// For each id its article, or nothing if there is none. REPLY_TOO_LARGE as soon as they do not fit
/// into a reply; otherwise the first error that came but NOT_FOUND.
void ReadBatch(ReadCache& reads, CallContext call, const std::vector<std::string>& ids,
               v1::ArticleView view, Callback<std::vector<std::optional<ArticleAnswer>>> done);

}  // namespace content::api
