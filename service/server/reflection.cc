#include "server/reflection.h"

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/server_callback.h>

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/admission.h"
#include "api/peer.h"
#include "api/status.h"
#include "base/call.h"
#include "base/errors.h"
#include "base/shares.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "server/descriptors.h"
#include "server/refused_stream.h"

namespace content::server {
namespace {

namespace reflection_v1 = grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using Request = reflection_v1::ServerReflectionRequest;
using Response = reflection_v1::ServerReflectionResponse;

// When a refused stream may be retried.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// gRPC's own reflection has no json_name either. grpcurl then prints the names that the .proto
// files have, by which operators filter its output.
void ClearJsonNames(google::protobuf::DescriptorProto& type) {
  for (auto& field : *type.mutable_field()) field.clear_json_name();
  for (auto& nested : *type.mutable_nested_type()) ClearJsonNames(nested);
}

void ClearJsonNames(google::protobuf::FileDescriptorProto& file) {
  for (auto& extension : *file.mutable_extension()) extension.clear_json_name();
  for (auto& type : *file.mutable_message_type()) ClearJsonNames(type);
}

// The files that reflection describes. Thread-safe.
class Files {
 public:
  Files() {
    google::protobuf::FileDescriptorSet set;
    const absl::string_view bytes = DescriptorSet();
    if (!set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      FailInvariant("the descriptors of the contract do not parse");
    }
    for (auto& file : *set.mutable_file()) {  // Each file comes after those that it imports.
      ClearJsonNames(file);
      if (pool_.BuildFile(file) == nullptr) FailInvariant("a descriptor is not valid");
      bytes_[file.name()] = file.SerializeAsString();
    }
  }

  const DescriptorPool& pool() const { return pool_; }

  // `file` is one of the pool's.
  const std::string& BytesOf(const FileDescriptor& file) const { return bytes_.at(file.name()); }

 private:
  DescriptorPool pool_;
  std::map<std::string, std::string> bytes_;  // by file name
};

void SetNotFound(Response& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("not found");
}

// Answers requests, whichever version of the service they come by. Thread-safe.
class Reflection {
 public:
  explicit Reflection(std::vector<std::string> services) : services_(std::move(services)) {}

  Response Answer(const Request& request) const {
    Response response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kFileByFilename:
        SetFile(pool().FindFileByName(request.file_by_filename()), response);
        break;
      case Request::kFileContainingSymbol:
        SetFile(pool().FindFileContainingSymbol(request.file_containing_symbol()), response);
        break;
      case Request::kFileContainingExtension:
        SetFile(FileOfExtension(request.file_containing_extension()), response);
        break;
      case Request::kAllExtensionNumbersOfType:
        SetExtensionNumbers(request.all_extension_numbers_of_type(), response);
        break;
      case Request::kListServices:
        for (const std::string& name : services_) {
          response.mutable_list_services_response()->add_service()->set_name(name);
        }
        break;
      case Request::MESSAGE_REQUEST_NOT_SET:
        response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
        response.mutable_error_response()->set_error_message("nothing is asked for");
        break;
    }
    return response;
  }

  // Counts a new stream. Returns false if there are too many.
  bool Enter(Account account) {
    const std::lock_guard lock(mutex_);
    if (!streams_.HasRoom(account)) return false;
    streams_.Take(account);
    return true;
  }

  void Leave(Account account) {
    const std::lock_guard lock(mutex_);
    streams_.GiveBack(account);
  }

 private:
  const DescriptorPool& pool() const { return files_.pool(); }

  // Adds a file and everything that it imports, each once.
  void AddFiles(const FileDescriptor& file, std::set<std::string>& seen,
                reflection_v1::FileDescriptorResponse& response) const {
    if (!seen.insert(file.name()).second) return;
    response.add_file_descriptor_proto(files_.BytesOf(file));
    for (int i = 0; i < file.dependency_count(); ++i) AddFiles(*file.dependency(i), seen, response);
  }

  void SetFile(const FileDescriptor* file, Response& response) const {
    if (file == nullptr) return SetNotFound(response);
    std::set<std::string> seen;
    AddFiles(*file, seen, *response.mutable_file_descriptor_response());
  }

  const FileDescriptor* FileOfExtension(const reflection_v1::ExtensionRequest& request) const {
    const auto* const type = pool().FindMessageTypeByName(request.containing_type());
    if (type == nullptr) return nullptr;
    const auto* const extension = pool().FindExtensionByNumber(type, request.extension_number());
    return extension == nullptr ? nullptr : extension->file();
  }

  void SetExtensionNumbers(const std::string& type_name, Response& response) const {
    const auto* const type = pool().FindMessageTypeByName(type_name);
    if (type == nullptr) return SetNotFound(response);
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    pool().FindAllExtensions(type, &extensions);
    auto* const numbers = response.mutable_all_extension_numbers_response();
    numbers->set_base_type_name(type_name);
    for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
  }

  const Files files_;
  const std::vector<std::string> services_;
  std::mutex mutex_;
  Shares streams_{kMaxReflectionStreams};  // Guarded by mutex_.
};

using ReflectionReactor = grpc::ServerBidiReactor<Request, Response>;

// Answers one request after the other.
class Stream final : public ReflectionReactor {
 public:
  Stream(Reflection& reflection, Account account) : reflection_(reflection), account_(account) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (request_.ByteSizeLong() > kMaxReflectionRequestBytes) {
      return Finish({grpc::StatusCode::INVALID_ARGUMENT, "the request is too long"});
    }
    response_ = reflection_.Answer(request_);
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    response_.Clear();  // An idle stream holds no descriptors.
    StartRead(&request_);
  }

  void OnDone() override {
    reflection_.Leave(account_);
    delete this;
  }

 private:
  Reflection& reflection_;
  const Account account_;
  Request request_;
  Response response_;
};

// One version of the service. The messages of the versions differ in name only, so one set of
// generated classes serves both, and the method is registered by hand, as generated code does it.
class Service final : public grpc::Service {
 public:
  Service(absl::string_view name, std::shared_ptr<Reflection> reflection, access::Gate& gate)
      : path_(absl::StrCat("/", name, "/ServerReflectionInfo")),
        reflection_(std::move(reflection)),
        gate_(gate) {
    using grpc::internal::RpcServiceMethod;
    AddMethod(new RpcServiceMethod(path_.c_str(), RpcServiceMethod::BIDI_STREAMING, nullptr));
    MarkMethodCallback(
        0, new grpc::internal::CallbackBidiHandler<Request, Response>(
               [this](grpc::CallbackServerContext* context) { return Open(*context); }));
  }

 private:
  ReflectionReactor* Open(const grpc::CallbackServerContext& context) {
    const auto caller = api::Admit(gate_, absl::string_view(path_).substr(1), context);
    if (!caller.ok()) {
      return new RefusedStream<ReflectionReactor>(api::ToGrpcStatus(caller.status()));
    }
    const Account account = api::AccountOfPeer(context.peer());
    if (!reflection_->Enter(account)) {
      return new RefusedStream<ReflectionReactor>(
          api::ToGrpcStatus(Overloaded(kRetryAfter, "too many reflection streams are open")));
    }
    return new Stream(*reflection_, account);
  }

  const std::string path_;
  const std::shared_ptr<Reflection> reflection_;
  access::Gate& gate_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> NewReflectionServices(std::vector<std::string> services,
                                                                  access::Gate& gate) {
  const auto reflection = std::make_shared<Reflection>(std::move(services));
  std::vector<std::unique_ptr<grpc::Service>> versions;
  for (const char* name :
       {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}) {
    versions.push_back(std::make_unique<Service>(name, reflection, gate));
  }
  return versions;
}

}  // namespace content::server
