#include "server/channelz_service.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "api/admission.h"
#include "api/status.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"

namespace content::server {
namespace {

namespace channelz = grpc::channelz::v1;

using Context = ChannelzService::Context;
using Reactor = ChannelzService::Reactor;

// Parses what gRPC describes in JSON; nullptr if there is nothing to describe.
grpc::Status Parse(char* description, google::protobuf::Message& response) {
  const std::unique_ptr<char, decltype(&gpr_free)> json(description, gpr_free);
  if (json == nullptr) {
    return {grpc::StatusCode::NOT_FOUND, "nothing has this id, or has it any more"};
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status =
      google::protobuf::util::JsonStringToMessage(std::string(json.get()), &response, options);
  if (!status.ok()) return {grpc::StatusCode::INTERNAL, "gRPC's description cannot be parsed"};
  return grpc::Status::OK;
}

// Answers a call of `method` with what `describe` returns.
Reactor* Answer(access::Gate& gate, absl::string_view method, Context* context,
                absl::FunctionRef<char*()> describe, google::protobuf::Message* response) {
  const auto caller = api::Admit(
      gate, absl::StrCat(channelz::Channelz::service_full_name(), "/", method), *context);
  Reactor* const reactor = context->DefaultReactor();
  reactor->Finish(caller.ok() ? Parse(describe(), *response) : api::ToGrpcStatus(caller.status()));
  return reactor;
}

intptr_t Id(int64_t number) { return static_cast<intptr_t>(number); }

}  // namespace

Reactor* ChannelzService::GetTopChannels(Context* context,
                                         const channelz::GetTopChannelsRequest* request,
                                         channelz::GetTopChannelsResponse* response) {
  const auto describe = [&] {
    return grpc_channelz_get_top_channels(Id(request->start_channel_id()));
  };
  return Answer(gate_, "GetTopChannels", context, describe, response);
}

Reactor* ChannelzService::GetServers(Context* context, const channelz::GetServersRequest* request,
                                     channelz::GetServersResponse* response) {
  const auto describe = [&] { return grpc_channelz_get_servers(Id(request->start_server_id())); };
  return Answer(gate_, "GetServers", context, describe, response);
}

Reactor* ChannelzService::GetServer(Context* context, const channelz::GetServerRequest* request,
                                    channelz::GetServerResponse* response) {
  const auto describe = [&] { return grpc_channelz_get_server(Id(request->server_id())); };
  return Answer(gate_, "GetServer", context, describe, response);
}

Reactor* ChannelzService::GetServerSockets(Context* context,
                                           const channelz::GetServerSocketsRequest* request,
                                           channelz::GetServerSocketsResponse* response) {
  const auto describe = [&] {
    return grpc_channelz_get_server_sockets(
        Id(request->server_id()), Id(request->start_socket_id()), Id(request->max_results()));
  };
  return Answer(gate_, "GetServerSockets", context, describe, response);
}

Reactor* ChannelzService::GetChannel(Context* context, const channelz::GetChannelRequest* request,
                                     channelz::GetChannelResponse* response) {
  const auto describe = [&] { return grpc_channelz_get_channel(Id(request->channel_id())); };
  return Answer(gate_, "GetChannel", context, describe, response);
}

Reactor* ChannelzService::GetSubchannel(Context* context,
                                        const channelz::GetSubchannelRequest* request,
                                        channelz::GetSubchannelResponse* response) {
  const auto describe = [&] { return grpc_channelz_get_subchannel(Id(request->subchannel_id())); };
  return Answer(gate_, "GetSubchannel", context, describe, response);
}

Reactor* ChannelzService::GetSocket(Context* context, const channelz::GetSocketRequest* request,
                                    channelz::GetSocketResponse* response) {
  const auto describe = [&] { return grpc_channelz_get_socket(Id(request->socket_id())); };
  return Answer(gate_, "GetSocket", context, describe, response);
}

}  // namespace content::server
