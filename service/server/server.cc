#include "server/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "api/services.h"
#include "content/v1/admin_service.grpc.pb.h"
#include "content/v1/content_service.grpc.pb.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "server/health.h"
#include "server/reflection.h"
#include "telemetry/log.h"

namespace content::server {
namespace {

std::vector<std::string> OwnServices() {
  return {v1::ContentService::service_full_name(), v1::AdminService::service_full_name()};
}

std::vector<std::string> AllServices() {
  std::vector<std::string> services = OwnServices();
  // By its descriptor, which links it into the program: gRPC's own health service brings none, and
  // reflection could not describe it.
  const auto* const health_file = grpc::health::v1::HealthCheckRequest::descriptor()->file();
  services.emplace_back(health_file->service(0)->full_name());
  services.emplace_back(grpc::reflection::v1::ServerReflection::service_full_name());
  services.emplace_back("grpc.reflection.v1alpha.ServerReflection");
  return services;
}

// HOST of HOST:PORT; the whole if there is no port, for an address such as unix:PATH.
std::string AddressWithPort(const std::string& listen, int port) {
  const size_t colon = listen.rfind(':');
  return port > 0 ? absl::StrCat(listen.substr(0, colon), ":", port) : listen;
}

class GrpcServer final : public Server {
 public:
  GrpcServer(const Options& options, Store& store)
      : options_(options),
        content_(api::NewContentService(store)),
        admin_(api::NewAdminService(store)),
        reflection_(NewReflectionService(AllServices())) {}

  absl::Status Listen(Store& store) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    // Otherwise a second server could take the same port and half of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    int port = 0;
    builder.AddListeningPort(options_.listen, grpc::InsecureServerCredentials(), &port);
    for (const auto& service : {content_.get(), admin_.get(), reflection_.get()}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
    if (!server_) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.listen, ": is the address in use?"));
    }
    address_ = AddressWithPort(options_.listen, port);
    health_ =
        std::make_unique<HealthFollower>(store, *server_->GetHealthCheckService(), OwnServices());
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  void Stop() override {
    log::Info("draining", {{"timeout", absl::FormatDuration(options_.drain_timeout)}});
    health_->Stop();
    server_->Shutdown(absl::ToChronoTime(absl::Now() + options_.drain_timeout));
    server_->Wait();
  }

 private:
  const Options options_;
  const std::unique_ptr<grpc::Service> content_;
  const std::unique_ptr<grpc::Service> admin_;
  const std::unique_ptr<grpc::Service> reflection_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<HealthFollower> health_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Store& store) {
  auto server = std::make_unique<GrpcServer>(options, store);
  if (absl::Status status = server->Listen(store); !status.ok()) return status;
  return server;
}

}  // namespace content::server
