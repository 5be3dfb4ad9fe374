#include "api/status.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "base/errors.h"
#include "google/rpc/status.pb.h"

namespace content::api {
namespace {

constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";

}  // namespace

absl::Status Sendable(absl::Status status) {
  return status.ok() || status.GetPayload(kErrorInfo) ? std::move(status)
                                                      : Internal(status.ToString());
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (!status.GetPayload(kErrorInfo)) return ToGrpcStatus(Sendable(status));
  const std::string message(status.message());
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  const auto add = [&details](const std::string& type_url, const std::string& value) {
    google::protobuf::Any* const detail = details.add_details();
    detail->set_type_url(type_url);
    detail->set_value(value);
  };
  std::map<std::string, std::string> payloads;
  status.ForEachPayload([&payloads](absl::string_view type_url, const absl::Cord& payload) {
    payloads.emplace(std::string(type_url), std::string(payload));
  });
  if (const auto info = payloads.extract(kErrorInfo)) add(info.key(), info.mapped());
  for (const auto& [type_url, value] : payloads) add(type_url, value);
  return {static_cast<grpc::StatusCode>(status.code()), message, details.SerializeAsString()};
}

}  // namespace content::api
