#include "content/normalize.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "content/text.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/comment.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace content {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

template <class Type>
const FieldDescriptor* Field(int number) {
  return Type::descriptor()->FindFieldByNumber(number);
}

// Returns whether the field is one line of text that is shown or chosen by people.
bool IsLine(const FieldDescriptor* field) {
  static const auto* const lines = new std::set<const FieldDescriptor*>{
      Field<v1::Article>(v1::Article::kTitleFieldNumber),
      Field<v1::Article>(v1::Article::kTagsFieldNumber),
      Field<v1::Author>(v1::Author::kDisplayNameFieldNumber),
      Field<v1::Author>(v1::Author::kIdFieldNumber),
      Field<v1::CommentAuthor>(v1::CommentAuthor::kDisplayNameFieldNumber),
      Field<v1::CommentAuthor>(v1::CommentAuthor::kIdFieldNumber),
      Field<v1::ListArticlesRequest>(v1::ListArticlesRequest::kAuthorFieldNumber),
      Field<v1::ListArticlesRequest>(v1::ListArticlesRequest::kTagFieldNumber),
      Field<v1::SearchArticlesRequest>(v1::SearchArticlesRequest::kQueryFieldNumber),
      Field<v1::ExportAuthorRequest>(v1::ExportAuthorRequest::kAuthorIdFieldNumber),
      Field<v1::EraseAuthorRequest>(v1::EraseAuthorRequest::kAuthorIdFieldNumber),
      Field<v1::BlockAuthorRequest>(v1::BlockAuthorRequest::kAuthorIdFieldNumber),
      Field<v1::UnblockAuthorRequest>(v1::UnblockAuthorRequest::kAuthorIdFieldNumber),
      Field<v1::ListAuditEventsRequest>(v1::ListAuditEventsRequest::kCallerFieldNumber),
      Field<v1::ListAuditEventsRequest>(v1::ListAuditEventsRequest::kPersonIdFieldNumber),
      Field<v1::ListAuditEventsRequest>(v1::ListAuditEventsRequest::kAuthorIdFieldNumber),
      Field<v1::ReportCommentRequest>(v1::ReportCommentRequest::kReporterIdFieldNumber),
      Field<v1::ImportCommentsRequest>(v1::ImportCommentsRequest::kSourceFieldNumber),
      Field<v1::ImportedComment>(v1::ImportedComment::kSourceIdFieldNumber),
      Field<v1::ImportedComment>(v1::ImportedComment::kReplyToSourceIdFieldNumber)};
  return lines->contains(field);
}

// Returns whether `text`, which must not be empty, is in its normal form in every field. Most texts
// are.
bool IsPlain(absl::string_view text) {
  return !absl::ascii_isspace(static_cast<unsigned char>(text.front())) &&
         !absl::ascii_isspace(static_cast<unsigned char>(text.back())) && IsAscii(text);
}

// Calls `set` with the normalized form of `text` if that differs.
template <class Set>
void NormalizeValue(const FieldDescriptor* field, absl::string_view text, Set set) {
  if (text.empty() || IsPlain(text) || HasLongMarkRun(text)) return;
  std::string normalized;
  absl::string_view result = text;
  if (!IsNfc(text)) result = normalized = ToNfc(text);
  if (IsLine(field)) {
    const absl::string_view trimmed = TrimWhiteSpace(result);
    if (!trimmed.empty()) result = trimmed;
  }
  if (result != text) set(std::string(result));
}

void NormalizeStrings(Message& message, const FieldDescriptor* field) {
  const auto& reflection = *message.GetReflection();
  std::string scratch;
  if (!field->is_repeated()) {
    return NormalizeValue(
        field, reflection.GetStringReference(message, field, &scratch),
        [&](std::string text) { reflection.SetString(&message, field, std::move(text)); });
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    NormalizeValue(field, reflection.GetRepeatedStringReference(message, field, i, &scratch),
                   [&](std::string text) {
                     reflection.SetRepeatedString(&message, field, i, std::move(text));
                   });
  }
}

void NormalizeMessages(Message& message, const FieldDescriptor* field) {
  const auto& reflection = *message.GetReflection();
  if (!field->is_repeated()) {
    if (reflection.HasField(message, field)) {
      NormalizeMessage(*reflection.MutableMessage(&message, field));
    }
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    NormalizeMessage(*reflection.MutableRepeatedMessage(&message, field, i));
  }
}

}  // namespace

void NormalizeMessage(Message& message) {
  const auto& reflection = *message.GetReflection();
  // Asking first avoids allocating a set of none.
  if (!reflection.GetUnknownFields(message).empty()) {
    reflection.MutableUnknownFields(&message)->Clear();
  }
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* const field = type.field(i);
    if (field->type() == FieldDescriptor::TYPE_STRING) NormalizeStrings(message, field);
    if (field->type() == FieldDescriptor::TYPE_MESSAGE) NormalizeMessages(message, field);
  }
}

}  // namespace content
