#include "server/endpoint.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/credentials.h"

namespace content::server {
namespace {

// Maximum number of streams per connection. An idle stream takes 16 KiB. A client holds further
// calls back until others end; a client with more watches than this needs several connections.
constexpr int kMaxStreamsPerConnection = 1'000;

// Time for a client that has connected to begin HTTP/2.
constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

// Time for calls on a connection that has reached its maximum age to finish.
constexpr absl::Duration kAgeGrace = absl::Minutes(1);

// Watches may be silent for long, so pings detect dead peers.
void EnablePings(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no limit
  // Clients may ping every ten seconds, even without calls.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9'000);
}

// Lets connections end after a while, so that clients spread anew over all servers. Calls on a
// connection that ends have time to finish; clients make new calls on another. gRPC varies the age
// by a tenth, so that connections that began together do not end together.
void LimitAge(grpc::ServerBuilder& builder, absl::Duration max_age) {
  if (max_age == absl::ZeroDuration()) return;
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(max_age)));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kAgeGrace)));
}

// Refuses compressed requests before they are unpacked: a small one could unpack to gigabytes,
// because gRPC compares only the packed size with its limit.
void RefuseCompression(grpc::ServerBuilder& builder) {
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
  }
}

// Limits what clients can make the server hold in memory. Well-behaved clients keep to these
// limits; a proxy is needed against others. The feeds limit watchers.
void LimitResources(grpc::ServerBuilder& builder, const grpc::ResourceQuota& quota) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kHandshakeTimeout)));
  builder.SetResourceQuota(quota);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Endpoint>> Endpoint::Start(
    const Options& options, const grpc::ResourceQuota& quota, Listening listening,
    const std::vector<grpc::Service*>& services) {
  grpc::ServerBuilder builder;
  EnablePings(builder);
  LimitAge(builder, options.max_connection_age);
  LimitResources(builder, quota);
  RefuseCompression(builder);
  const auto credentials = NewCredentials(listening.file ? std::nullopt : options.tls);
  const std::string address = listening.address;
  auto port = std::make_unique<Port>(std::move(listening), credentials, builder);
  for (grpc::Service* const service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    return absl::UnavailableError(absl::StrCat("cannot serve on ", address, "; the log says why"));
  }
  port->Start(options.refused);
  return std::make_unique<Endpoint>(std::move(server), std::move(port));
}

void Endpoint::StopListening() { port_->Close(); }

void Endpoint::Leave() { goaway_.emplace(*server_); }

void Endpoint::Shutdown(gpr_timespec deadline) { server_->Shutdown(deadline); }

}  // namespace content::server
