#pragma once

namespace content::server {

/// From now on messages from gRPC and protobuf are events of our log, so that every line can be
/// parsed and none holds up gRPC's threads. Clients can cause gRPC's: each place in its code that
/// has messages is a kind (log::LimitEachKind).
void LogMessagesOfLibraries();

}  // namespace content::server
