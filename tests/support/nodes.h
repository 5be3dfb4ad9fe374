#pragma once

#include <cstddef>

namespace content::testing {

/// Returns the process id of a server of the databases that NewDatabase makes (database.h), for
/// tests that kill it. Node 0 is the one that tests connect to. On Citus it is the coordinator, and
/// the workers are 1 and 2. A node that ends is started again.
int PidOfNode(size_t node);

}  // namespace content::testing
