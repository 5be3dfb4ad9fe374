#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"
#include "api/encoded_answer.h"
#include "google/protobuf/message.h"

// Parses requests and serializes answers. The services take requests as bytes and parse them here,
// because generated code answers a request that does not parse with UNIMPLEMENTED, which blames the
// server.
namespace content::api {

/// Parses a request and brings it into its normal form, without the fields that this contract does
/// not know (content/normalize.h). INTERNAL if it did not arrive whole. INVALID_ARGUMENT if it does
/// not parse; if that is because text is not UTF-8, the error names the fields.
absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::Message& request);

/// Serializes an answer.
grpc::ByteBuffer Encode(const google::protobuf::Message& response);

/// The same. Nothing is copied.
grpc::ByteBuffer Encode(const EncodedAnswer& answer);

}  // namespace content::api
