#pragma once

#include <string>

namespace content::server {

/// From now on messages from gRPC and protobuf are events of our log, so that every line can be
/// parsed and none holds up gRPC's threads. Clients can cause gRPC's: each place in its code that
/// has messages is a kind (log::LimitEachKind).
void LogMessagesOfLibraries();

/// While it exists, `error` receives the last error that gRPC logs on this thread, instead of the
/// log.
class GrpcErrorCapture {
 public:
  explicit GrpcErrorCapture(std::string& error);
  ~GrpcErrorCapture();

  GrpcErrorCapture(const GrpcErrorCapture&) = delete;
  GrpcErrorCapture& operator=(const GrpcErrorCapture&) = delete;
};

}  // namespace content::server
