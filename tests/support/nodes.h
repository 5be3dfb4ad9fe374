#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace content::testing {

/// Returns the process id of a server of the databases that NewDatabase makes (database.h), for
/// tests that kill it. Node 0 is the one that tests connect to. On Citus it is the coordinator, and
/// the workers are 1 and 2. A node that ends is started again.
int PidOfNode(size_t node);

/// Returns the URLs of the database of `url` on all nodes.
std::vector<std::string> UrlsOnNodes(const std::string& url);

}  // namespace content::testing
