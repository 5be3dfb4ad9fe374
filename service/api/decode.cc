#include "api/decode.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "content/normalize.h"
#include "content/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace content::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// Not logged, because it is the fault of a client or of a proxy.
absl::Status IncompleteRequest() {
  return MakeError(absl::StatusCode::kInternal, "INTERNAL", "the request did not arrive whole");
}

bool ParseFields(grpc::ByteBuffer bytes, UnknownFieldSet& fields) {
  grpc::ProtoBufferReader reader(&bytes);
  return fields.ParseFromZeroCopyStream(&reader);
}

// The parser reports that something is not UTF-8, but not where. So the fields are parsed without a
// schema and compared with the descriptor.
void FindBadUtf8(const UnknownFieldSet& fields, const Descriptor& type, const std::string& path,
                 Violations& violations) {
  std::map<int, int> element_counts;  // seen so far of each repeated field, by its number
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    const FieldDescriptor* const descriptor = type.FindFieldByNumber(field.number());
    if (descriptor == nullptr || field.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    std::string field_path = absl::StrCat(path, descriptor->name());
    if (descriptor->is_repeated()) {
      absl::StrAppend(&field_path, "[", element_counts[field.number()]++, "]");
    }
    if (descriptor->type() == FieldDescriptor::TYPE_STRING) {
      if (!IsUtf8(field.length_delimited())) violations.Add(field_path, "is not valid UTF-8");
    } else if (descriptor->type() == FieldDescriptor::TYPE_MESSAGE) {
      UnknownFieldSet inner;
      if (inner.ParseFromString(field.length_delimited())) {
        FindBadUtf8(inner, *descriptor->message_type(), absl::StrCat(field_path, "."), violations);
      }
    }
  }
}

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  grpc::Slice slice;
  if (bytes.TrySingleSlice(&slice).ok()) {
    return request.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  }
  grpc::ByteBuffer copy = bytes;  // Shares the slices. The reader needs a mutable buffer.
  grpc::ProtoBufferReader reader(&copy);
  return request.ParseFromZeroCopyStream(&reader);
}

}  // namespace

absl::Status Decode(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) {
  // gRPC passes a request on even if its message is missing, cut off or not readable.
  if (!bytes.Valid()) return IncompleteRequest();
  if (Parse(bytes, request)) {
    NormalizeMessage(request);
    return absl::OkStatus();
  }
  UnknownFieldSet fields;
  Violations violations;
  if (ParseFields(bytes, fields)) FindBadUtf8(fields, *request.GetDescriptor(), "", violations);
  if (!violations.empty()) return violations.ToStatus();
  return MalformedRequest(request.GetDescriptor()->full_name());
}

grpc::ByteBuffer Encode(const google::protobuf::Message& response) {
  grpc::Slice slice(response.ByteSizeLong());
  response.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return {&slice, 1};
}

grpc::ByteBuffer Encode(const EncodedAnswer& answer) {
  return {answer.slices().data(), answer.slices().size()};
}

}  // namespace content::api
