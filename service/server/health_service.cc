#include "server/health_service.h"

#include "absl/time/time.h"
#include "api/admission.h"
#include "api/status.h"
#include "base/errors.h"
#include "server/refused_stream.h"

namespace content::server {

// One Watch: sends the latest status whenever it differs from the last one sent. All members are
// guarded by the service's mutex.
class HealthService::Watcher final : public grpc::ServerWriteReactor<Response> {
 public:
  Watcher(HealthService& health, const std::string& service) : health_(health), service_(service) {
    const std::lock_guard lock(health_.mutex_);
    health_.watchers_.insert(this);
    Update();
  }

  // Requires the service's mutex.
  void Update() {
    const Response::ServingStatus status = health_.StatusOf(service_);
    if (is_writing_ || is_finished_ || status == response_.status()) return;
    response_.set_status(status);
    is_writing_ = true;
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(health_.mutex_);
    is_writing_ = false;
    ok ? Update() : End();
  }

  void OnCancel() override {
    const std::lock_guard lock(health_.mutex_);
    End();
  }

  void OnDone() override {
    {
      const std::lock_guard lock(health_.mutex_);
      health_.watchers_.erase(this);
    }
    delete this;
  }

 private:
  void End() {
    if (is_finished_) return;
    is_finished_ = true;
    Finish(grpc::Status::CANCELLED);
  }

  HealthService& health_;
  const std::string service_;
  Response response_;  // The last one sent. UNKNOWN, which no service has, at the start.
  bool is_writing_ = false;
  bool is_finished_ = false;
};

HealthService::HealthService(const std::vector<std::string>& services, access::Gate& gate)
    : services_(services.begin(), services.end()), gate_(gate) {
  services_.insert("");
}

void HealthService::SetServing(bool serving) {
  const std::lock_guard lock(mutex_);
  serving_ = serving;
  for (Watcher* const watcher : watchers_) watcher->Update();
}

grpc::Status HealthService::Admit(const char* method, const grpc::CallbackServerContext& context,
                                  const Request& request) const {
  const auto caller = api::Admit(gate_, method, context);
  if (!caller.ok()) return api::ToGrpcStatus(caller.status());
  if (request.ByteSizeLong() <= kMaxHealthRequestBytes) return grpc::Status::OK;
  return api::ToGrpcStatus(RequestTooLarge(kMaxHealthRequestBytes));
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const Request* request, Response* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  grpc::Status status = Admit("grpc.health.v1.Health/Check", *context, *request);
  if (status.ok() && !services_.contains(request->service())) {
    status = {grpc::StatusCode::NOT_FOUND, "there is no such service"};
  }
  if (status.ok()) {
    const std::lock_guard lock(mutex_);
    response->set_status(StatusOf(request->service()));
  }
  reactor->Finish(status);
  return reactor;
}

grpc::ServerWriteReactor<HealthService::Response>* HealthService::Watch(
    grpc::CallbackServerContext* context, const Request* request) {
  using Refused = RefusedStream<grpc::ServerWriteReactor<Response>>;
  const grpc::Status status = Admit("grpc.health.v1.Health/Watch", *context, *request);
  if (!status.ok()) return new Refused(status);
  if (IsFull()) {
    return new Refused(api::ToGrpcStatus(Overloaded(absl::Seconds(1), "too many watch health")));
  }
  return new Watcher(*this, request->service());
}

bool HealthService::IsFull() {
  const std::lock_guard lock(mutex_);
  return watchers_.size() >= kMaxHealthWatches;
}

// Requires mutex_.
HealthService::Response::ServingStatus HealthService::StatusOf(const std::string& service) const {
  if (!services_.contains(service)) return Response::SERVICE_UNKNOWN;
  return serving_ ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace content::server
