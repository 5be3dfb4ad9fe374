#pragma once

#include <string>

namespace content {

/// What makes a write idempotent (AIP-155, https://google.aip.dev/155).
struct RequestKey {
  /// A UUID in lower case. Empty: the caller gave none, and every call is a new write.
  std::string id = {};
  /// Digest of the request, if the caller gave the id. The same id with another digest is
  /// REQUEST_ID_REUSED.
  std::string fingerprint = {};
};

}  // namespace content
