#pragma once

#include "google/protobuf/message.h"

namespace content {

/// Brings a request or an article into its normal form, in one walk:
///
/// * All text is in the form in which it is stored, compared and searched: NFC, and without white
///   space at the ends of what is one line, such as names and titles. A line of nothing but white
///   space and a text with a long run of combining marks (HasLongMarkRun) stay as they are, for the
///   rules (rules.h) to refuse.
/// * No part has unknown fields, so no copy of a part has any.
///
/// Must come before anything else looks at the message. Runs for every call: a message of ASCII
/// text without unknown fields costs one look at each field.
void NormalizeMessage(google::protobuf::Message& message);

}  // namespace content
