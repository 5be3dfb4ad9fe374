#pragma once

#include "google/protobuf/message.h"

namespace content {

/// Brings all text of a request or an article into the form in which texts are stored, compared and
/// searched: NFC, and without white space at the ends of what is one line, such as names and
/// titles. A line of nothing but white space is left for the rules (rules.h) to refuse. Must come
/// before anything else looks at the message.
void NormalizeMessage(google::protobuf::Message& message);

}  // namespace content
