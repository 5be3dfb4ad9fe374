#pragma once

#include <string>

namespace content {

/// What makes a write idempotent (AIP-155, https://google.aip.dev/155).
struct RequestKey {
  /// A UUID in lower case. Empty if the caller gave none; every call is then a new write.
  std::string id = {};
  /// Digest of the request if the caller gave the id, otherwise empty. A call with the same id and
  /// another digest fails with REQUEST_ID_REUSED.
  std::string fingerprint = {};
};

}  // namespace content
