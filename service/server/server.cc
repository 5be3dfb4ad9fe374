#include "server/server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "api/deadline.h"
#include "api/gate.h"
#include "api/services.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "server/health_follower.h"
#include "server/health_service.h"
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
  services.emplace_back(grpc::reflection::v1::ServerReflection::service_full_name());
  services.emplace_back("grpc.reflection.v1alpha.ServerReflection");
  return services;
}

// Returns `listen` with the actual port instead of the requested one, which may be 0.
std::string AddressWithPort(const std::string& listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

// Time for finished answers to be sent before streams that never end by themselves are cut.
constexpr absl::Duration kLastBytes = absl::Milliseconds(500);

// Maximum number of streams per connection. An idle stream takes 16 KiB. A client holds further
// calls back until others end; a client with more watches than this needs several connections.
constexpr int kMaxStreamsPerConnection = 1'000;

// Memory that gRPC may hold for all connections: requests that arrive slowly, answers that are read
// slowly, and streams. Beyond it gRPC stops reading, then closes idle connections, then cancels
// calls. The largest legitimate load is some 20,000 watches, 320 MiB.
constexpr size_t kMaxGrpcBytes = size_t{512} << 20;

// Messages from gRPC and protobuf become events of our log, so that every line can be parsed.
void LogFromGrpc(gpr_log_func_args* args) {
  const auto write = args->severity == GPR_LOG_SEVERITY_ERROR ? log::Warning : log::Debug;
  write("grpc", {{"message", args->message}, {"file", args->file}, {"line", args->line}});
}

void LogFromProtobuf(google::protobuf::LogLevel level, const char* file, int line,
                     const std::string& message) {
  const auto write = level == google::protobuf::LOGLEVEL_FATAL ? log::Error : log::Debug;
  write("protobuf", {{"message", message}, {"file", file}, {"line", line}});
}

// Watches may be silent for long, so pings detect dead peers.
void EnablePings(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no limit
  // Clients may ping every ten seconds, even without calls.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 9'000);
}

// Limits what clients can make the server hold in memory. Well-behaved clients keep to these
// limits; a proxy is needed against others. The feeds limit watchers.
void LimitResources(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(kMaxGrpcBytes));
}

class GrpcServer final : public Server {
 public:
  GrpcServer(const Options& options, Store& store, ReadCache& reads)
      : options_(options),
        comments_(watch::NewCommentSource(store, store), {}),
        articles_(watch::NewArticleSource(store), {}),
        subscription_(store.Subscribe(watch::WakeFeeds(comments_, articles_))),
        content_(api::NewContentService(store, reads, gate_, Watches())),
        admin_(api::NewAdminService(store, reads, gate_, Watches(), options.info)),
        health_(OwnServices()),
        reflection_(NewReflectionService(AllServices())) {}

  absl::Status Listen() {
    gpr_set_log_function(LogFromGrpc);
    google::protobuf::SetLogHandler(LogFromProtobuf);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    // Otherwise a second server could listen on the same port and take half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    EnablePings(builder);
    LimitResources(builder);
    int port = 0;
    builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* const service : Services()) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    if (!server_) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.listen, ": is the address in use?"));
    }
    address_ = AddressWithPort(options_.listen, port);
    return absl::OkStatus();
  }

  void FollowHealth(Upkeep& upkeep) {
    health_follower_.emplace(upkeep, [this](bool healthy) { health_.SetServing(healthy); });
  }

  std::string address() const override { return address_; }

  void Stop() override {
    log::Info("draining", {{"timeout", absl::FormatDuration(options_.drain_timeout)}});
    health_follower_.reset();
    health_.SetServing(false);
    comments_.Stop();
    articles_.Stop();
    gate_.Close(options_.drain_timeout);
    watch_gate_.Close(kLastBytes);
    server_->Shutdown(api::DeadlineAfter(kLastBytes));
    server_->Wait();
    gate_.AwaitEmpty();
    watch_gate_.AwaitEmpty();
  }

 private:
  std::vector<grpc::Service*> Services() {
    return {content_.get(), admin_.get(), &health_, reflection_.get()};
  }

  api::Watches Watches() {
    return {.comments = comments_,
            .articles = articles_,
            .gate = watch_gate_,
            .write_timeout = options_.watch_write_timeout};
  }

  const Options options_;
  api::Gate gate_;
  api::Gate watch_gate_;
  watch::Feed comments_;
  watch::Feed articles_;
  const std::unique_ptr<Subscription> subscription_;
  const std::unique_ptr<grpc::Service> content_;
  const std::unique_ptr<grpc::Service> admin_;
  HealthService health_;
  const std::unique_ptr<grpc::Service> reflection_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<HealthFollower> health_follower_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Store& store,
                                                      ReadCache& reads) {
  auto server = std::make_unique<GrpcServer>(options, store, reads);
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  server->FollowHealth(store);
  return server;
}

}  // namespace content::server
