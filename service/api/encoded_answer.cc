#include "api/encoded_answer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "content/v1/article.pb.h"
#include "google/protobuf/io/coded_stream.h"

namespace content::api {
namespace {

using google::protobuf::io::CodedOutputStream;

// https://protobuf.dev/programming-guides/encoding/#structure
enum class WireType : uint32_t { kVarint = 0, kLengthDelimited = 2 };

uint32_t Tag(int field_number, WireType type) {
  return static_cast<uint32_t>(field_number) << 3 | static_cast<uint32_t>(type);
}

size_t SizeOfField(int field_number, int64_t value) {
  if (value == 0) return 0;
  return CodedOutputStream::VarintSize32(Tag(field_number, WireType::kVarint)) +
         CodedOutputStream::VarintSize64(static_cast<uint64_t>(value));
}

// Writes SizeOfField bytes.
uint8_t* WriteField(int field_number, int64_t value, uint8_t* target) {
  if (value == 0) return target;
  target = CodedOutputStream::WriteTagToArray(Tag(field_number, WireType::kVarint), target);
  return CodedOutputStream::WriteVarint64ToArray(static_cast<uint64_t>(value), target);
}

// Returns the tag and length of a field of `length` bytes.
std::string FieldHead(int field_number, size_t length) {
  const uint32_t tag = Tag(field_number, WireType::kLengthDelimited);
  const auto length32 = static_cast<uint32_t>(length);
  std::string head(CodedOutputStream::VarintSize32(tag) + CodedOutputStream::VarintSize32(length32),
                   '\0');
  auto* const begin = reinterpret_cast<uint8_t*>(head.data());
  CodedOutputStream::WriteVarint32ToArray(length32, CodedOutputStream::WriteTagToArray(tag, begin));
  return head;
}

size_t EncodedSizeOfCounts(const ArticleAnswer& article) {
  return SizeOfField(v1::Article::kCommentCountFieldNumber, article.comment_count) +
         SizeOfField(v1::Article::kRevisionFieldNumber, article.revision);
}

std::string EncodeCounts(const ArticleAnswer& article) {
  std::string counts(EncodedSizeOfCounts(article), '\0');
  auto* target = reinterpret_cast<uint8_t*>(counts.data());
  target = WriteField(v1::Article::kCommentCountFieldNumber, article.comment_count, target);
  WriteField(v1::Article::kRevisionFieldNumber, article.revision, target);
  return counts;
}

}  // namespace

grpc::Slice Share(const SharedBytes& bytes, size_t size) {
  auto* const owner = new SharedBytes(bytes);
  const auto release = [](void* shared) { delete static_cast<SharedBytes*>(shared); };
  return {const_cast<char*>(bytes->data()), size, release, owner};
}

void EncodedAnswer::Add(const SharedBytes& bytes, size_t size) { Add(Share(bytes, size)); }

void EncodedAnswer::Add(grpc::Slice slice) {
  size_ += slice.size();
  slices_.push_back(std::move(slice));
}

void EncodedAnswer::AddArticle(int field_number, const ArticleAnswer& article) {
  const std::string counts = EncodeCounts(article);
  Add(grpc::Slice(FieldHead(field_number, article.size + counts.size())));
  Add(article.text, article.size);
  Add(grpc::Slice(counts));
  stale_age = std::max(stale_age, article.stale_age);
}

void EncodedAnswer::AddText(int field_number, absl::string_view text) {
  if (text.empty()) return;
  std::string field = FieldHead(field_number, text.size());
  field.append(text.data(), text.size());
  Add(grpc::Slice(field));
}

size_t EncodedSize(const ArticleAnswer& article) {
  return article.size + EncodedSizeOfCounts(article);
}

}  // namespace content::api
