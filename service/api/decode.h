#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "api/encoded_answer.h"
#include "content/article.h"
#include "google/protobuf/message.h"

namespace content::api {

/// Parses a request from the wire. INVALID_ARGUMENT if it cannot be: with the paths of the fields
/// that are not UTF-8, if that is the reason. (Generated gRPC code answers such a request with
/// UNIMPLEMENTED, which blames the wrong party; so the services take requests as bytes.)
absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

/// Serialises an answer.
grpc::ByteBuffer Encode(const google::protobuf::Message& response);

/// Shared bytes are not copied.
grpc::ByteBuffer Encode(const EncodedAnswer& answer);

/// The first `size` of these bytes, which the slice keeps.
grpc::Slice Share(const SharedBytes& bytes, size_t size);

}  // namespace content::api
