#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>

#include "server/server.h"

namespace content::server {

/// Returns credentials for a port with TLS 1.2 or 1.3; without `tls`, for one in plaintext. With a
/// client_ca_file, a client's certificate must come from one of its CAs, and must not be revoked.
/// The files are read at once, and again within a second of each change.
std::shared_ptr<grpc::ServerCredentials> NewCredentials(const std::optional<Tls>& tls);

}  // namespace content::server
