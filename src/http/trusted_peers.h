// Who may say on whose behalf a request comes.
#pragma once
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace basalt::http {

// Networks whose forwarding headers are believed.
class TrustedPeers {
 public:
  // Addresses or networks as text; throws Failure BadRequest naming one that is neither.
  explicit TrustedPeers(const std::vector<std::string>& networks);
  bool contains(boost::asio::ip::address address) const;

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

}  // namespace basalt::http
