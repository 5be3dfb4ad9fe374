#include "base/digest.h"

#include <openssl/sha.h>

#include "absl/strings/str_cat.h"

namespace content {

std::string Digest(std::initializer_list<absl::string_view> parts) {
  std::string sequence;
  for (absl::string_view part : parts) absl::StrAppend(&sequence, part.size(), ":", part);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(sequence.data()), sequence.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace content
