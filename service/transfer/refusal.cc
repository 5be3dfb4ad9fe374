#include "transfer/refusal.h"

#include "absl/strings/cord.h"

namespace content::transfer {
namespace {

constexpr absl::string_view kReasonPayload = "content.transfer/reason";

}  // namespace

absl::Status Refuse(absl::string_view reason, absl::string_view problems) {
  absl::Status status = absl::InvalidArgumentError(problems);
  status.SetPayload(kReasonPayload, absl::Cord(reason));
  return status;
}

std::string ReasonOfRefusal(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonPayload);
  return reason ? std::string(*reason) : "other";
}

}  // namespace content::transfer
