#pragma once

#include <jansson.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace content::access {

struct JsonDeleter {
  void operator()(json_t* json) const { json_decref(json); }
};

/// A JSON value of jansson, the library that libjose takes its arguments from. Never changed once
/// it was read, so any thread may look at it.
using Json = std::unique_ptr<json_t, JsonDeleter>;

/// Returns the JSON object that `text` is; nullptr if it is none, or an object in it has a name
/// twice.
Json ParseJsonObject(absl::string_view text);

/// Returns a string of an object; nullopt if the object has no such name, or it is no string.
std::optional<absl::string_view> StringIn(const json_t* object, const char* name);

/// Returns the bytes that `text` stands for in base64url without padding (RFC 7515); nullopt if
/// they cannot be read.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

}  // namespace content::access
