#pragma once

#include "access/gate.h"
#include "grpc/channelz/v1/channelz.grpc.pb.h"

namespace content::server {

/// grpc.channelz.v1 (gRFC A14): the connections of this process and the calls on them, as gRPC
/// counts them. They name the addresses of clients. (gRPC's own service would serve them at every
/// address, without asking who calls.) Thread-safe.
class ChannelzService final : public grpc::channelz::v1::Channelz::CallbackService {
 public:
  /// `gate` must outlive the service.
  explicit ChannelzService(access::Gate& gate) : gate_(gate) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetTopChannels(Context* context,
                          const grpc::channelz::v1::GetTopChannelsRequest* request,
                          grpc::channelz::v1::GetTopChannelsResponse* response) override;
  Reactor* GetServers(Context* context, const grpc::channelz::v1::GetServersRequest* request,
                      grpc::channelz::v1::GetServersResponse* response) override;
  Reactor* GetServer(Context* context, const grpc::channelz::v1::GetServerRequest* request,
                     grpc::channelz::v1::GetServerResponse* response) override;
  Reactor* GetServerSockets(Context* context,
                            const grpc::channelz::v1::GetServerSocketsRequest* request,
                            grpc::channelz::v1::GetServerSocketsResponse* response) override;
  Reactor* GetChannel(Context* context, const grpc::channelz::v1::GetChannelRequest* request,
                      grpc::channelz::v1::GetChannelResponse* response) override;
  Reactor* GetSubchannel(Context* context, const grpc::channelz::v1::GetSubchannelRequest* request,
                         grpc::channelz::v1::GetSubchannelResponse* response) override;
  Reactor* GetSocket(Context* context, const grpc::channelz::v1::GetSocketRequest* request,
                     grpc::channelz::v1::GetSocketResponse* response) override;

 private:
  access::Gate& gate_;
};

}  // namespace content::server
