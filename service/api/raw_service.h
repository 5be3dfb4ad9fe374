#pragma once

#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "access/methods.h"
#include "api/admission.h"
#include "api/call.h"
#include "api/calls_in_flight.h"
#include "api/stream.h"
#include "base/errors.h"
#include "google/protobuf/descriptor.h"

namespace content::api {

/// A service whose methods receive and return bytes (see decode.h) and are served by handlers:
///
///   auto service = std::make_unique<RawService<v1::ContentService>>(passage);
///   service->Unary(GetArticle, cache);
///
/// A handler serves the method with its request type. The process ends if that is not exactly one
/// method. Methods without a handler answer UNIMPLEMENTED.
///
/// Registers methods as the generated WithRawCallbackMethod_... mixins do. Using those would take a
/// mixin and an override per method, because the name of a virtual function cannot be a template
/// argument. The classes that they register are in grpc::internal in gRPC 1.51.
template <class Api>
class RawService : public Api::Service {
 public:
  /// What `passage` refers to, and the origins below, must outlive the service.
  explicit RawService(const Passage& passage) : passage_(passage) {}

  /// Serves a unary method. The handler gets its answers from `origin`.
  template <class Origin, class Request, class Response>
  void Unary(void (*handler)(Origin&, CallContext, Request, Callback<Response>),
             std::type_identity_t<Origin>& origin) {
    ServeUnary<Request, Response>(
        [handler, &origin](CallContext call, Request request, Callback<Response> done) {
          handler(origin, std::move(call), std::move(request), std::move(done));
        });
  }

  /// The same for a handler with two origins, such as the cache and the store behind it.
  template <class First, class Second, class Request, class Response>
  void Unary(void (*handler)(First&, Second&, CallContext, Request, Callback<Response>),
             std::type_identity_t<First>& first, std::type_identity_t<Second>& second) {
    ServeUnary<Request, Response>(
        [handler, &first, &second](CallContext call, Request request, Callback<Response> done) {
          handler(first, second, std::move(call), std::move(request), std::move(done));
        });
  }

  /// Serves a server-streaming method. A reader may take at most `write_timeout` for one message.
  template <class Origin, class Request>
  void Stream(StreamHandler<Origin, Request> handler, std::type_identity_t<Origin>& origin,
              absl::Duration write_timeout) {
    ServeStream(handler, origin, &passage_.calls, write_timeout);
  }

  /// The same for a method that streams until the server stops. It is not one of the calls in
  /// flight.
  template <class Origin, class Request>
  void Watch(StreamHandler<Origin, Request> handler, std::type_identity_t<Origin>& origin,
             absl::Duration write_timeout) {
    ServeStream(handler, origin, nullptr, write_timeout);
  }

 private:
  template <class Origin, class Request>
  void ServeStream(StreamHandler<Origin, Request> handler, Origin& origin, CallsInFlight* calls,
                   absl::Duration write_timeout) {
    const int index = MethodTaking(*Request::descriptor());
    // Takes ownership of the handler, as below.
    this->MarkMethodRawCallback(
        index,
        new grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
            [handler, &origin, &gate = passage_.gate, method = PlaceOf(index),
             options = StreamOptions{.recorder = passage_.recorder,
                                     .calls = calls,
                                     .write_timeout = write_timeout}](
                grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
              return StartStream(handler, origin, gate, method, options, context, request);
            }));
  }

  template <class Request, class Response, class Handle>
  void ServeUnary(Handle handle) {
    const int index = MethodTaking(*Request::descriptor());
    this->MarkMethodRawCallback(
        index, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
                   [handle, method = PlaceOf(index), &passage = passage_](
                       grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                       grpc::ByteBuffer* response) {
                     return AnswerCall<Request, Response>(handle, method, passage, context, request,
                                                          response);
                   }));
  }

  static const google::protobuf::ServiceDescriptor& Descriptor() {
    return *google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
        Api::service_full_name());
  }

  // Returns the method's place in access::kMethods.
  static size_t PlaceOf(int index) {
    const std::optional<size_t> place = access::FindMethod(
        absl::StrCat(Api::service_full_name(), "/", Descriptor().method(index)->name()));
    if (!place) FailInvariant("a method of a service is not listed");
    return *place;
  }

  // Returns the index of the only method that takes such requests.
  static int MethodTaking(const google::protobuf::Descriptor& request) {
    std::optional<int> index;
    for (int i = 0; i < Descriptor().method_count(); ++i) {
      if (Descriptor().method(i)->input_type() != &request) continue;
      if (index) FailInvariant("two methods of a service take the request of a handler");
      index = i;
    }
    if (!index) FailInvariant("no method of the service takes the request of a handler");
    return *index;
  }

  const Passage passage_;
};

}  // namespace content::api
