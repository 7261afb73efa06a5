#include "http/trusted_peers.h"

#include <algorithm>

#include "base/failure.h"

namespace basalt::http {

namespace asio = boost::asio;

TrustedPeers::TrustedPeers(const std::vector<std::string>& networks) {
  for (auto& text : networks) {
    boost::system::error_code error;
    if (text.find(':') != std::string::npos) {
      auto network = asio::ip::make_network_v6(text.find('/') == std::string::npos ? text + "/128" : text, error);
      if (!error) v6_.push_back(network);
    } else {
      auto network = asio::ip::make_network_v4(text.find('/') == std::string::npos ? text + "/32" : text, error);
      if (!error) v4_.push_back(network);
    }
    if (error) throw Failure(FailureKind::BadRequest, "\"" + text + "\" is no address or network of a trusted proxy. Write it like 10.0.0.0/8.");
  }
}

bool TrustedPeers::contains(asio::ip::address address) const {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  auto within = [](const auto& networks, const auto& one) {
    return std::any_of(networks.begin(), networks.end(), [&](const auto& network) {
      using Network = std::decay_t<decltype(network)>;
      return Network(one, network.prefix_length()).canonical() == network.canonical();
    });
  };
  return address.is_v4() ? within(v4_, address.to_v4()) : within(v6_, address.to_v6());
}

}  // namespace basalt::http
