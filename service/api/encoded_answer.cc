#include "api/encoded_answer.h"

#include <cstdint>
#include <memory>

#include "content/v1/article.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace content::api {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

size_t SizeOfField(int field_number, int64_t value) {
  if (value == 0) return 0;
  return WireFormatLite::TagSize(field_number, WireFormatLite::TYPE_INT64) +
         WireFormatLite::Int64Size(value);
}

// Which is as long as SizeOfField says.
void AppendField(int field_number, int64_t value, std::string& bytes) {
  if (value == 0) return;
  const size_t size = bytes.size();
  bytes.resize(size + SizeOfField(field_number, value));
  WireFormatLite::WriteInt64ToArray(field_number, value,
                                    reinterpret_cast<uint8_t*>(bytes.data() + size));
}

// The tag of a field with a length, and that length.
std::string FieldHead(int field_number, size_t length) {
  const uint32_t tag =
      WireFormatLite::MakeTag(field_number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const auto length32 = static_cast<uint32_t>(length);
  std::string head(CodedOutputStream::VarintSize32(tag) + CodedOutputStream::VarintSize32(length32),
                   '\0');
  auto* const begin = reinterpret_cast<uint8_t*>(head.data());
  CodedOutputStream::WriteVarint32ToArray(length32,
                                          CodedOutputStream::WriteVarint32ToArray(tag, begin));
  return head;
}

}  // namespace

void EncodedAnswer::Add(SharedBytes bytes, size_t size) {
  pieces_.push_back({.shared = std::move(bytes), .size = size});
}

void EncodedAnswer::Add(SharedBytes bytes) {
  const size_t size = bytes->size();
  Add(std::move(bytes), size);
}

void EncodedAnswer::Add(std::string own) {
  const size_t size = own.size();
  pieces_.push_back({.own = std::move(own), .size = size});
}

void EncodedAnswer::AddArticle(int field_number, const ArticleAnswer& article) {
  std::string counts;
  AppendField(v1::Article::kCommentCountFieldNumber, article.comment_count, counts);
  AppendField(v1::Article::kRevisionFieldNumber, article.revision, counts);
  Add(FieldHead(field_number, article.size + counts.size()));
  Add(article.text, article.size);
  Add(std::move(counts));
}

void EncodedAnswer::AddText(int field_number, absl::string_view text) {
  if (text.empty()) return;
  std::string field = FieldHead(field_number, text.size());
  field.append(text.data(), text.size());
  Add(std::move(field));
}

size_t SizeOf(const ArticleAnswer& article) {
  return article.size + SizeOfField(v1::Article::kCommentCountFieldNumber, article.comment_count) +
         SizeOfField(v1::Article::kRevisionFieldNumber, article.revision);
}

}  // namespace content::api
