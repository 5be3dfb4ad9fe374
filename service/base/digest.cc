#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "absl/strings/str_cat.h"
#include "base/errors.h"

namespace content {

std::string Digest(std::initializer_list<absl::string_view> parts) {
  std::string sequence;
  for (absl::string_view part : parts) absl::StrAppend(&sequence, part.size(), ":", part);
  // Finding it takes longer than using it.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  const int made =
      EVP_Digest(sequence.data(), sequence.size(), reinterpret_cast<unsigned char*>(digest.data()),
                 nullptr, sha256, nullptr);
  if (made != 1) FailInvariant("there is no SHA-256");
  return digest;
}

}  // namespace content
