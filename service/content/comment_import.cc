#include "content/comment_import.h"

#include <cstdint>

#include "base/digest.h"
#include "content/uuid.h"

namespace content {
namespace {

uint64_t FirstBits(absl::string_view digest) {
  uint64_t bits = 0;
  for (const char byte : digest.substr(0, sizeof bits)) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
  }
  return bits;
}

}  // namespace

SourceComment::SourceComment(absl::string_view source, absl::string_view source_id)
    : digest_(FirstBits(Digest({source, source_id}))) {}

std::string SourceComment::IdAt(absl::Time create_time) const {
  return UuidOf(create_time, digest_);
}

std::string SourceComment::IdAfter(absl::string_view parent_id) const {
  return UuidOfNextTick(parent_id, digest_);
}

std::string SourceComment::id_ending() const {
  const std::string id = UuidOf(absl::UnixEpoch(), digest_);
  return id.substr(id.size() - kUuidBitsLength);
}

}  // namespace content
