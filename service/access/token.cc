#include "access/token.h"

#include <jansson.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "access/errors.h"
#include "access/json.h"
#include "content/text.h"

namespace content::access {
namespace {

// gRPC refuses calls with more than 8 KiB of metadata.
constexpr size_t kMaxTokenBytes = size_t{7} << 10;
constexpr size_t kMaxSubjectCharacters = 255;
constexpr absl::Duration kLeeway = absl::Minutes(1);

Json DecodeObject(absl::string_view part) {
  const std::optional<std::string> text = DecodeBase64Url(part);
  return text ? ParseJsonObject(*text) : nullptr;
}

// nullopt if the token does not have three parts.
std::optional<SignedText> Split(absl::string_view token) {
  const std::vector<absl::string_view> parts = absl::StrSplit(token, absl::MaxSplits('.', 3));
  if (parts.size() != 3) return std::nullopt;
  return SignedText{.header = parts[0], .payload = parts[1], .signature = parts[2]};
}

absl::Status NotOfThreeParts() { return TokenInvalid("is no JSON Web Token of three parts"); }

// A date as tokens have it; nullopt if there is none.
std::optional<absl::Time> DateIn(const json_t* claims, const char* name) {
  const json_t* const value = json_object_get(claims, name);
  if (json_is_integer(value)) return absl::FromUnixSeconds(json_integer_value(value));
  if (json_is_real(value)) return absl::UnixEpoch() + absl::Seconds(json_real_value(value));
  return std::nullopt;
}

bool IsFor(const json_t* claims, absl::string_view audience) {
  return StringIn(claims, "aud") == audience ||
         ContainsString(json_object_get(claims, "aud"), audience);
}

// Returns the subject in the form in which authors' ids are stored and compared; nullopt if there
// is none that such an id can equal (CheckAuthorIdToFind).
std::optional<std::string> SubjectIn(const json_t* claims) {
  const std::optional<absl::string_view> claimed = StringIn(claims, "sub");
  if (!claimed || HasLongMarkRun(*claimed)) return std::nullopt;
  std::string subject = ToNfc(*claimed);
  if (subject.empty() || CountCharacters(subject) > kMaxSubjectCharacters ||
      HasForbiddenCharacter(subject, /*one_line=*/true) || TrimWhiteSpace(subject) != subject) {
    return std::nullopt;
  }
  return subject;
}

absl::StatusOr<Token> CheckClaims(const json_t* claims, const TokenRules& rules, absl::Time now) {
  if (StringIn(claims, "iss") != rules.issuer) return TokenInvalid("has another issuer (iss)");
  if (!IsFor(claims, rules.audience)) return TokenInvalid("is for another audience (aud)");
  std::optional<std::string> subject = SubjectIn(claims);
  if (!subject) {
    return TokenInvalid(
        absl::StrCat("has no subject (sub) of 1 to ", kMaxSubjectCharacters,
                     " characters on one line, without control characters, and without white "
                     "space at the ends"));
  }
  const std::optional<absl::Time> expires = DateIn(claims, "exp");
  if (!expires) return TokenInvalid("does not say when it expires (exp)");
  if (*expires + kLeeway <= now) return TokenExpired();
  if (json_object_get(claims, "nbf") != nullptr) {
    const std::optional<absl::Time> begins = DateIn(claims, "nbf");
    if (!begins || *begins - kLeeway > now) return TokenInvalid("is not valid yet (nbf)");
  }
  return Token{.subject = *std::move(subject), .expires = *expires + kLeeway};
}

}  // namespace

absl::StatusOr<absl::string_view> BearerToken(absl::string_view authorization) {
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(authorization, absl::MaxSplits(' ', 1));
  if (!absl::EqualsIgnoreCase(words.first, "Bearer")) {
    return TokenInvalid("must follow the word Bearer");
  }
  if (words.second.size() > kMaxTokenBytes) return TokenInvalid("is larger than 7 KiB");
  return absl::StripAsciiWhitespace(words.second);
}

absl::StatusOr<Token> ReadClaims(absl::string_view token, const TokenRules& rules, absl::Time now) {
  const std::optional<SignedText> text = Split(token);
  if (!text) return NotOfThreeParts();
  const Json claims = DecodeObject(text->payload);
  if (claims == nullptr) return TokenInvalid("has damaged claims");
  return CheckClaims(claims.get(), rules, now);
}

absl::Status VerifySignature(absl::string_view token, const KeySet& keys) {
  const std::optional<SignedText> text = Split(token);
  if (!text) return NotOfThreeParts();
  const Json header = DecodeObject(text->header);
  if (header == nullptr) return TokenInvalid("has a damaged header");
  const std::optional<absl::string_view> algorithm = StringIn(header.get(), "alg");
  if (!algorithm) return TokenInvalid("names no algorithm (alg)");
  // Whoever does not understand these extensions must refuse the token (RFC 7515, 4.1.11).
  if (json_object_get(header.get(), "crit") != nullptr) {
    return TokenInvalid("has critical extensions (crit)");
  }
  const bool has_key_id = json_object_get(header.get(), "kid") != nullptr;
  const std::optional<absl::string_view> key_id = StringIn(header.get(), "kid");
  if (has_key_id && (!key_id || key_id->empty())) return TokenInvalid("has a wrong key id (kid)");
  return keys.Verify(*algorithm, key_id.value_or(""), *text);
}

}  // namespace content::access
