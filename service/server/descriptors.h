#pragma once

#include "absl/strings/string_view.h"

namespace content::server {

/// Returns the google.protobuf.FileDescriptorSet of all .proto files of our services, with their
/// comments. The descriptors in generated code have none.
absl::string_view DescriptorSet();

}  // namespace content::server
