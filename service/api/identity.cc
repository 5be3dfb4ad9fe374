#include "api/identity.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/digest.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"

namespace content::api {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Ends the identity of lists whose keys have been the same since that version.
constexpr char kSchema6[] = "6";

void AppendMessage(const Message& message, absl::Span<const absl::string_view> without,
                   std::string& text);

// Appends the value of a field, or the element at `index` of a repeated one. Every value has a
// length prefix or ends with a character that cannot be part of it, so different lists of values
// have different texts.
void AppendValue(const Message& message, const FieldDescriptor* field, int index,
                 std::string& text) {
  const auto& reflection = *message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      absl::StrAppend(&text,
                      repeated ? reflection.GetRepeatedInt32(message, field, index)
                               : reflection.GetInt32(message, field),
                      ",");
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      absl::StrAppend(&text,
                      repeated ? reflection.GetRepeatedInt64(message, field, index)
                               : reflection.GetInt64(message, field),
                      ",");
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      absl::StrAppend(&text,
                      static_cast<int>(repeated ? reflection.GetRepeatedBool(message, field, index)
                                                : reflection.GetBool(message, field)),
                      ",");
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      absl::StrAppend(&text,
                      repeated ? reflection.GetRepeatedEnumValue(message, field, index)
                               : reflection.GetEnumValue(message, field),
                      ",");
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& value =
          repeated ? reflection.GetRepeatedStringReference(message, field, index, &scratch)
                   : reflection.GetStringReference(message, field, &scratch);
      absl::StrAppend(&text, value.size(), ":", value);
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      AppendMessage(repeated ? reflection.GetRepeatedMessage(message, field, index)
                             : reflection.GetMessage(message, field),
                    {}, text);
      break;
    // No request has a field of these types. A test checks that.
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      break;
  }
}

// Appends the fields that are set, by their numbers: `{1=7:Ana Lee;3=2,;}`.
void AppendMessage(const Message& message, absl::Span<const absl::string_view> without,
                   std::string& text) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;  // in the order of their numbers
  reflection.ListFields(message, &fields);
  text += "{";
  for (const FieldDescriptor* const field : fields) {
    if (std::find(without.begin(), without.end(), field->name()) != without.end()) continue;
    absl::StrAppend(&text, field->number(), "=");
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) AppendValue(message, field, i, text);
    text += ";";
  }
  text += "}";
}

}  // namespace

std::string CanonicalText(const Message& message, absl::Span<const absl::string_view> without) {
  std::string text = message.GetDescriptor()->full_name();
  AppendMessage(message, without, text);
  return text;
}

std::string RequestFingerprint(const Message& request) {
  return absl::BytesToHexString(Digest({CanonicalText(request, {"request_id", "validate_only"})}));
}

std::string QueryIdentity(const Message& request) {
  std::string text = CanonicalText(request, {"page_size", "page_token", "min_revision"});
  // Version 6 of the schema changed the keys of the other lists. Their older tokens would be
  // misread.
  if (request.GetDescriptor() != v1::ListCommentsRequest::descriptor()) text += kSchema6;
  return text;
}

}  // namespace content::api
