#include "server/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/admission.h"
#include "api/answers_in_flight.h"
#include "api/call_record.h"
#include "api/calls_in_flight.h"
#include "api/deadline.h"
#include "api/services.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/channelz_service.h"
#include "server/endpoint.h"
#include "server/health_follower.h"
#include "server/health_service.h"
#include "server/library_logs.h"
#include "server/open_connections.h"
#include "server/reflection.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "watch/feed.h"
#include "watch/sources.h"

namespace content::server {
namespace {

std::vector<std::string> OwnServices() {
  return {v1::ContentService::service_full_name(), v1::AdminService::service_full_name()};
}

std::vector<std::string> ServiceNames() {
  std::vector<std::string> services = OwnServices();
  services.emplace_back(grpc::channelz::v1::Channelz::service_full_name());
  services.emplace_back(grpc::health::v1::Health::service_full_name());
  services.emplace_back("grpc.reflection.v1.ServerReflection");
  services.emplace_back("grpc.reflection.v1alpha.ServerReflection");
  return services;
}

// Time for finished answers to be sent before connections are cut.
constexpr absl::Duration kFlushTimeout = absl::Milliseconds(500);

// Time before the GOAWAY is sent, in which nobody can connect and answers are held back. gRPC
// cancels calls that arrive after it has sent a GOAWAY and before the client has received it.
// Proxies that connect for each call have made it by then, and clients that wait for an answer make
// none, so those that make one call after the other rarely lose one.
constexpr absl::Duration kQuietTime = absl::Milliseconds(50);

class GrpcServer final : public Server {
 public:
  GrpcServer(const Options& options, Store& store, ReadCache& reads, access::Gate& gate,
             const MemoryGuard& memory)
      : options_(options),
        recorder_(options.calls),
        answers_({.write_timeout = options.write_timeout}),
        comments_(watch::NewCommentSource(store, store), {.memory = &memory}),
        articles_(watch::NewArticleSource(store), {.memory = &memory}),
        listeners_(watch::WakeFeeds(comments_, articles_)),
        subscription_(store.Subscribe(listeners_.on_change)),
        failover_subscription_(store.SubscribeToFailovers(listeners_.on_failover)),
        content_(api::NewContentService(store, reads, PassageThrough(gate), Watches())),
        admin_(api::NewAdminService(store, reads, PassageThrough(gate), Watches(), memory,
                                    options.info)),
        health_(OwnServices(), gate),
        reflection_(NewReflectionServices(ServiceNames(), gate)),
        channelz_(gate) {
    quota_.Resize(kMaxGrpcBytes);
  }

  absl::Status Serve(Listeners listeners) {
    LogMessagesOfLibraries();
    ends_.insert(LocalEndOf(listeners.main));
    if (listeners.admin) ends_.insert(LocalEndOf(*listeners.admin));
    if (!listeners.admin) return Serve(std::move(listeners.main), AllServices());
    absl::Status status = Serve(*std::move(listeners.admin), AllServices());
    return status.ok() ? Serve(std::move(listeners.main), {content_.get(), &health_}) : status;
  }

  void FollowHealth(Upkeep& upkeep) {
    health_follower_.emplace(upkeep, [this](bool healthy) { health_.SetServing(healthy); });
  }

  void LeaveRotation() override {
    is_draining_ = true;
    health_follower_.reset();
    health_.SetServing(false);
  }

  void Stop() override {
    log::Info("draining", {{"timeout", absl::FormatDuration(options_.drain_timeout)}});
    for (const auto& endpoint : endpoints_) endpoint->StopListening();
    calls_.HoldAnswers();
    SteadyClock::System().SleepFor(kQuietTime, {});
    for (const auto& endpoint : endpoints_) endpoint->Leave();
    comments_.Stop();
    articles_.Stop();
    calls_.ReleaseAnswers();
    // gRPC may have taken a call just before, whose handler has not counted it yet.
    SteadyClock::System().SleepFor(kQuietTime, {});
    const int calls_left = calls_.AwaitNone(options_.drain_timeout);
    if (calls_left > 0) log::Warning("calls cancelled", {{"count", calls_left}});
    const gpr_timespec deadline = api::DeadlineAfter(kFlushTimeout);
    for (const auto& endpoint : endpoints_) endpoint->Shutdown(deadline);
    calls_.AwaitNone();
  }

  const api::CallRecorder& calls() const override { return recorder_; }

  bool is_draining() const override { return is_draining_; }

  ServerState GetState(const OpenFiles& files) const override {
    return {.connections = CountConnections(files, ends_),
            .connections_refused = connections_refused_.Read(),
            .comment_watchers = comments_.watcher_count(),
            .article_watchers = articles_.watcher_count()};
  }

 private:
  absl::Status Serve(Listening listening, const std::vector<grpc::Service*>& services) {
    absl::StatusOr<std::unique_ptr<Endpoint>> endpoint =
        Endpoint::Start({.tls = options_.tls,
                         .max_connection_age = options_.max_connection_age,
                         .refused = connections_refused_},
                        quota_, std::move(listening), services);
    if (!endpoint.ok()) return endpoint.status();
    endpoints_.push_back(*std::move(endpoint));
    return absl::OkStatus();
  }

  std::vector<grpc::Service*> AllServices() {
    std::vector<grpc::Service*> services = {content_.get(), admin_.get(), &health_, &channelz_};
    for (const auto& version : reflection_) services.push_back(version.get());
    return services;
  }

  api::Passage PassageThrough(access::Gate& gate) {
    return {.gate = gate, .calls = calls_, .answers = answers_, .recorder = recorder_};
  }

  api::Watches Watches() {
    return {.comments = comments_, .articles = articles_, .write_timeout = options_.write_timeout};
  }

  const Options options_;
  std::atomic<bool> is_draining_ = false;
  std::set<std::string> ends_;  // Constant once it serves.
  metrics::Counter connections_refused_;
  api::CallRecorder recorder_;
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
  ChannelzService channelz_;
  grpc::ResourceQuota quota_{"server"};
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::optional<HealthFollower> health_follower_;
};

}  // namespace

std::string GrpcVersion() { return grpc::Version(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Listeners listeners,
                                                      Store& store, ReadCache& reads,
                                                      access::Gate& gate,
                                                      const MemoryGuard& memory) {
  auto server = std::make_unique<GrpcServer>(options, store, reads, gate, memory);
  if (absl::Status status = server->Serve(std::move(listeners)); !status.ok()) return status;
  server->FollowHealth(store);
  return server;
}

}  // namespace content::server
