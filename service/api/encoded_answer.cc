#include "api/encoded_answer.h"

#include <algorithm>
#include <cstdint>

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

size_t SizeOfCounts(const ArticleAnswer& article) {
  return SizeOfField(v1::Article::kCommentCountFieldNumber, article.comment_count) +
         SizeOfField(v1::Article::kRevisionFieldNumber, article.revision);
}

std::string EncodeCounts(const ArticleAnswer& article) {
  std::string counts(SizeOfCounts(article), '\0');
  auto* target = reinterpret_cast<uint8_t*>(counts.data());
  target = WriteField(v1::Article::kCommentCountFieldNumber, article.comment_count, target);
  WriteField(v1::Article::kRevisionFieldNumber, article.revision, target);
  return counts;
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
  std::string counts = EncodeCounts(article);
  Add(FieldHead(field_number, article.size + counts.size()));
  Add(article.text, article.size);
  Add(std::move(counts));
  stale_age = std::max(stale_age, article.stale_age);
}

void EncodedAnswer::AddText(int field_number, absl::string_view text) {
  if (text.empty()) return;
  std::string field = FieldHead(field_number, text.size());
  field.append(text.data(), text.size());
  Add(std::move(field));
}

size_t SizeOf(const ArticleAnswer& article) { return article.size + SizeOfCounts(article); }

}  // namespace content::api
