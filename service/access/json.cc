#include "access/json.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include "access/libjose.h"

namespace content::access {

Json ParseJsonObject(absl::string_view text) {
  json_error_t error;
  Json json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
  return json_is_object(json.get()) ? std::move(json) : nullptr;
}

std::optional<absl::string_view> StringIn(const json_t* object, const char* name) {
  const json_t* const value = json_object_get(object, name);
  if (!json_is_string(value)) return std::nullopt;
  return absl::string_view(json_string_value(value), json_string_length(value));
}

std::optional<std::string> DecodeBase64Url(absl::string_view text) {
  const size_t size = jose_b64_dec_buf(nullptr, text.size(), nullptr, 0);
  if (size == SIZE_MAX) return std::nullopt;
  std::string bytes(size, '\0');
  if (jose_b64_dec_buf(text.data(), text.size(), bytes.data(), size) != size) return std::nullopt;
  return bytes;
}

}  // namespace content::access
