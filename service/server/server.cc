#include "server/server.h"

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/answers_in_flight.h"
#include "api/calls_in_flight.h"
#include "api/deadline.h"
#include "api/services.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/credentials.h"
#include "server/health_follower.h"
#include "server/health_service.h"
#include "server/library_logs.h"
#include "server/port.h"
#include "server/reflection.h"
#include "telemetry/log.h"
#include "watch/feed.h"
#include "watch/sources.h"

namespace content::server {
namespace {

std::vector<std::string> OwnServices() {
  return {v1::ContentService::service_full_name(), v1::AdminService::service_full_name()};
}

std::vector<std::string> AllServices() {
  std::vector<std::string> services = OwnServices();
  services.emplace_back(grpc::health::v1::Health::service_full_name());
  services.emplace_back("grpc.reflection.v1.ServerReflection");
  services.emplace_back("grpc.reflection.v1alpha.ServerReflection");
  return services;
}

// Time for finished answers to be sent before connections are cut.
constexpr absl::Duration kFlushTimeout = absl::Milliseconds(500);

// Time in which answers are held back before the GOAWAY is sent. gRPC cancels calls that arrive
// after it has sent a GOAWAY and before the client has received it. Clients that wait for an answer
// make no calls, so those that make one call after the other rarely lose one.
constexpr absl::Duration kQuietTime = absl::Milliseconds(50);

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
void LimitResources(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(absl::ToInt64Milliseconds(kHandshakeTimeout)));
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(kMaxGrpcBytes));
}

// Tells all clients to move to other connections, as grpc::Server::Shutdown does, which would also
// wait for the calls. The server must be shut down before this object is destroyed.
class Goaway {
 public:
  explicit Goaway(grpc::Server& server) : queue_(grpc_completion_queue_create_for_next(nullptr)) {
    grpc_server_shutdown_and_notify(server.c_server(), queue_, nullptr);
  }

  ~Goaway() {
    grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    grpc_completion_queue_shutdown(queue_);
    grpc_completion_queue_next(queue_, gpr_inf_future(GPR_CLOCK_MONOTONIC), nullptr);
    grpc_completion_queue_destroy(queue_);
  }

  Goaway(const Goaway&) = delete;
  Goaway& operator=(const Goaway&) = delete;

 private:
  grpc_completion_queue* const queue_;
};

class GrpcServer final : public Server {
 public:
  GrpcServer(const Options& options, Store& store, ReadCache& reads, const MemoryGuard& memory)
      : options_(options),
        answers_({.write_timeout = options.write_timeout}),
        comments_(watch::NewCommentSource(store, store), {.memory = &memory}),
        articles_(watch::NewArticleSource(store), {.memory = &memory}),
        listeners_(watch::WakeFeeds(comments_, articles_)),
        subscription_(store.Subscribe(listeners_.on_change)),
        failover_subscription_(store.SubscribeToFailovers(listeners_.on_failover)),
        content_(api::NewContentService(store, reads, calls_, answers_, Watches())),
        admin_(
            api::NewAdminService(store, reads, calls_, answers_, Watches(), memory, options.info)),
        health_(OwnServices()),
        reflection_(NewReflectionServices(AllServices())) {}

  absl::Status Serve() {
    LogMessagesOfLibraries();
    grpc::ServerBuilder builder;
    EnablePings(builder);
    LimitAge(builder, options_.max_connection_age);
    LimitResources(builder);
    RefuseCompression(builder);
    absl::StatusOr<std::unique_ptr<Port>> port =
        Port::Open(options_.listen, NewCredentials(options_.tls), builder);
    if (!port.ok()) return port.status();
    port_ = *std::move(port);
    for (grpc::Service* const service : Services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (!server_) {
      return absl::UnavailableError(
          absl::StrCat("cannot serve on ", options_.listen, "; the log says why"));
    }
    port_->Start();
    return absl::OkStatus();
  }

  void FollowHealth(Upkeep& upkeep) {
    health_follower_.emplace(upkeep, [this](bool healthy) { health_.SetServing(healthy); });
  }

  std::string address() const override { return port_->address(); }

  void LeaveRotation() override {
    health_follower_.reset();
    health_.SetServing(false);
  }

  void Stop() override {
    log::Info("draining", {{"timeout", absl::FormatDuration(options_.drain_timeout)}});
    calls_.HoldAnswers();
    SteadyClock::System().SleepFor(kQuietTime, {});
    port_->Close();
    const Goaway goaway(*server_);
    comments_.Stop();
    articles_.Stop();
    calls_.ReleaseAnswers();
    // gRPC may have taken a call just before, whose handler has not counted it yet.
    SteadyClock::System().SleepFor(kQuietTime, {});
    const int calls_left = calls_.AwaitNone(options_.drain_timeout);
    if (calls_left > 0) log::Warning("calls cancelled", {{"count", calls_left}});
    server_->Shutdown(api::DeadlineAfter(kFlushTimeout));
    calls_.AwaitNone();
  }

 private:
  std::vector<grpc::Service*> Services() {
    std::vector<grpc::Service*> services = {content_.get(), admin_.get(), &health_};
    for (const auto& version : reflection_) services.push_back(version.get());
    return services;
  }

  api::Watches Watches() {
    return {.comments = comments_, .articles = articles_, .write_timeout = options_.write_timeout};
  }

  const Options options_;
  api::CallsInFlight calls_;
  api::AnswersInFlight answers_;
  watch::Feed comments_;
  watch::Feed articles_;
  const watch::FeedListeners listeners_;
  const std::unique_ptr<Subscription> subscription_;
  const std::unique_ptr<Subscription> failover_subscription_;
  const std::unique_ptr<grpc::Service> content_;
  const std::unique_ptr<grpc::Service> admin_;
  HealthService health_;
  const std::vector<std::unique_ptr<grpc::Service>> reflection_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Port> port_;  // Destroyed before server_.
  std::optional<HealthFollower> health_follower_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Store& store,
                                                      ReadCache& reads, const MemoryGuard& memory) {
  auto server = std::make_unique<GrpcServer>(options, store, reads, memory);
  if (absl::Status status = server->Serve(); !status.ok()) return status;
  server->FollowHealth(store);
  return server;
}

}  // namespace content::server
