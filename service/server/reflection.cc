#include "server/reflection.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace content::server {
namespace {

namespace v1 = grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

// Adds a file and everything that it imports, each once.
void AddFiles(const FileDescriptor& file, std::set<std::string>& seen,
              v1::FileDescriptorResponse& response) {
  if (!seen.insert(file.name()).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFiles(*file.dependency(i), seen, response);
}

void SetNotFound(v1::ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("not found");
}

void SetFile(const FileDescriptor* file, v1::ServerReflectionResponse& response) {
  if (file == nullptr) return SetNotFound(response);
  std::set<std::string> seen;
  AddFiles(*file, seen, *response.mutable_file_descriptor_response());
}

const FileDescriptor* FileOfExtension(const v1::ExtensionRequest& request) {
  const auto* const type = Pool().FindMessageTypeByName(request.containing_type());
  if (type == nullptr) return nullptr;
  const auto* const extension = Pool().FindExtensionByNumber(type, request.extension_number());
  return extension == nullptr ? nullptr : extension->file();
}

void SetExtensionNumbers(const std::string& type_name, v1::ServerReflectionResponse& response) {
  const auto* const type = Pool().FindMessageTypeByName(type_name);
  if (type == nullptr) return SetNotFound(response);
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  Pool().FindAllExtensions(type, &extensions);
  auto* const numbers = response.mutable_all_extension_numbers_response();
  numbers->set_base_type_name(type_name);
  for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
}

// Calls are few, short and made by people, so the synchronous API suffices.
class ReflectionService final : public v1::ServerReflection::Service {
 public:
  explicit ReflectionService(std::vector<std::string> services) : services_(std::move(services)) {}

  grpc::Status ServerReflectionInfo(
      grpc::ServerContext* /*context*/,
      grpc::ServerReaderWriter<v1::ServerReflectionResponse, v1::ServerReflectionRequest>* stream)
      override {
    v1::ServerReflectionRequest request;
    while (stream->Read(&request)) stream->Write(Answer(request));
    return grpc::Status::OK;
  }

 private:
  v1::ServerReflectionResponse Answer(const v1::ServerReflectionRequest& request) const {
    using Request = v1::ServerReflectionRequest;
    v1::ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kFileByFilename:
        SetFile(Pool().FindFileByName(request.file_by_filename()), response);
        break;
      case Request::kFileContainingSymbol:
        SetFile(Pool().FindFileContainingSymbol(request.file_containing_symbol()), response);
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

  const std::vector<std::string> services_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewReflectionService(std::vector<std::string> services) {
  return std::make_unique<ReflectionService>(std::move(services));
}

}  // namespace content::server
