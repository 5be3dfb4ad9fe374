#pragma once

#include <vector>

#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"

namespace content::testing {

/// Returns every RPC of the contract, so that tests cover new ones without a change.
inline std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const google::protobuf::Descriptor* const request :
       {v1::GetArticleRequest::descriptor(), v1::PublishArticleRequest::descriptor()}) {
    const google::protobuf::ServiceDescriptor* const service = request->file()->service(0);
    for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
  }
  return methods;
}

}  // namespace content::testing
