#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"

// When two requests count as the same. What is kept or given to callers (fingerprints for a day,
// page tokens for as long as a caller likes) outlives this process and is read by other versions of
// it, so it must not depend on how protobuf serializes a message: protobuf promises no stable bytes
// (https://protobuf.dev/programming-guides/serialization-not-canonical/).
namespace content::api {

/// Text that is equal for two messages exactly if they have the same type and the same fields,
/// other than the top-level fields that `without` names. Depends on the numbers of fields only, not
/// on their names or on the version of protobuf.
///
/// Fields that this server does not know are left out: it does not act on them. So callers may only
/// begin to set a new field once every server knows it.
///
/// `message` must have no map, whose order is not defined, and no floating-point field.
std::string CanonicalText(const google::protobuf::Message& message,
                          absl::Span<const absl::string_view> without = {});

/// Identifies the write that a request with a `request_id` asks for: a digest of every field but
/// `request_id` and `validate_only`. 64 hexadecimal digits.
std::string RequestFingerprint(const google::protobuf::Message& request);

/// Identifies the list that a request asks a page of; its page tokens are bound to this. Every
/// field but `page_size`, `page_token` and `min_revision`, which may differ from page to page.
std::string QueryIdentity(const google::protobuf::Message& request);

}  // namespace content::api
