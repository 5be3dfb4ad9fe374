#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"

// Decides when two requests count as the same. Fingerprints are stored for a day and callers keep
// page tokens as long as they like, so both outlive this process and are read by other versions of
// it. They must not depend on protobuf's serialization, which is not stable
// (https://protobuf.dev/programming-guides/serialization-not-canonical/).
namespace content::api {

/// Returns a text that is equal for two messages if and only if they have the same type and the
/// same fields, apart from the top-level fields named by `without`. It depends on the fields'
/// numbers, not on their names or on the version of protobuf.
///
/// Fields that this server does not know are left out, because it does not act on them. So callers
/// may set a new field only once every server knows it.
///
/// `message` must have no map fields, whose order is not defined, and no floating-point fields.
std::string CanonicalText(const google::protobuf::Message& message,
                          absl::Span<const absl::string_view> without = {});

/// Identifies the write that a request with a `request_id` asks for. Returns a digest of every
/// field except `request_id` and `validate_only`, as 64 hexadecimal digits.
std::string RequestFingerprint(const google::protobuf::Message& request);

/// Identifies the list from which a request asks for a page; page tokens are bound to it. Covers
/// every field except `page_size`, `page_token` and `min_revision`, which may differ from page to
/// page.
std::string QueryIdentity(const google::protobuf::Message& request);

}  // namespace content::api
