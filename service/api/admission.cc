#include "api/admission.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace content::api {
namespace {

absl::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

std::vector<absl::string_view> Names(const grpc::AuthContext& connection, const char* kind) {
  std::vector<absl::string_view> names;
  for (const grpc::string_ref& name : connection.FindPropertyValues(kind)) {
    names.push_back(View(name));
  }
  return names;
}

void AddCertificate(const grpc::AuthContext& connection, access::Credentials& credentials) {
  credentials.uris = Names(connection, GRPC_PEER_URI_PROPERTY_NAME);
  credentials.dns_names = Names(connection, GRPC_PEER_DNS_PROPERTY_NAME);
  // Not the property that is its CN: of several CNs, that is the first.
  const std::vector<absl::string_view> subjects =
      Names(connection, GRPC_X509_SUBJECT_PROPERTY_NAME);
  if (!subjects.empty()) credentials.subject = subjects.front();
}

// The last one if there are several, empty if there is none.
absl::string_view Header(const grpc::ServerContextBase& context, const char* name) {
  const auto [begin, end] = context.client_metadata().equal_range(name);
  absl::string_view value;
  for (auto header = begin; header != end; ++header) value = View(header->second);
  return value;
}

// gRPC writes peers as URIs of their addresses.
bool IsLocal(absl::string_view peer) {
  return absl::StartsWith(peer, "unix:") || absl::StartsWith(peer, "ipv4:127.") ||
         absl::StartsWith(peer, "ipv6:%5B::1%5D:");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Caller>> Admit(access::Gate& gate, absl::string_view method,
                                                    const grpc::ServerContextBase& context) {
  access::Credentials credentials{.authorization = Header(context, "authorization")};
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  if (connection->IsPeerAuthenticated()) AddCertificate(*connection, credentials);
  if (gate.believes_local_peers()) {
    credentials.peer_is_local = IsLocal(context.peer());
    credentials.forwarded_certificate = Header(context, "x-forwarded-client-cert");
  }
  return gate.Admit(credentials, method);
}

}  // namespace content::api
