#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/encoded_answer.h"
#include "base/call.h"
#include "base/clock.h"
#include "content/read_cache.h"

namespace content::api {

/// Reads many articles at once. Answers with one entry per id; nullopt if there is no such article.
/// Fails with REPLY_TOO_LARGE as soon as the articles do not fit into a reply, with the first error
/// of a read other than NOT_FOUND, or with CANCELLED or DEADLINE_EXCEEDED if the caller no longer
/// waits. After an error, no more reads are started and those under way are cancelled. `clock` is
/// not used after the return.
void ReadBatch(ReadCache& cache, CallContext call, const std::vector<std::string>& ids,
               v1::ArticleView view, Callback<std::vector<std::optional<ArticleAnswer>>> done,
               const SteadyClock& clock = SteadyClock::System());

}  // namespace content::api
