#include "api/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace content::api {

std::string OriginOf(absl::string_view peer) {
  absl::string_view address = peer;
  if (!absl::ConsumePrefix(&address, "ipv6:")) return std::string(peer.substr(0, peer.rfind(':')));
  // gRPC escapes the brackets, and the % before the zone of a link-local address.
  if (!absl::ConsumePrefix(&address, "%5B")) absl::ConsumePrefix(&address, "[");
  in6_addr bytes{};
  inet_pton(AF_INET6, std::string(address.substr(0, address.find_first_of("%]"))).c_str(), &bytes);
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), 0);
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, &bytes, network.data(), network.size());
  return absl::StrCat("ipv6:", network.data(), "/64");
}

Account AccountOfPeer(absl::string_view peer) { return AccountOf(peer, OriginOf(peer)); }

}  // namespace content::api
