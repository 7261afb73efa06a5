// One request and its answer over one connection, without following anything.
#pragma once
#include <boost/url.hpp>

#include "client/client.h"

namespace basalt::client {

using Deadline = std::chrono::steady_clock::time_point;

// What takes the body piece by piece. `begun` is called once with the status, the headers and the length (-1: not told) and says
// whether the body is wanted; `piece` with each part of it.
struct Sink {
  std::function<bool(const Answer&, std::int64_t)> begun;
  std::function<void(std::string_view)> piece;
};

// Throws Failure as client.h says. `url` is http or https.
void exchange(const boost::urls::url& url, const Request& request, const Limits& limits, Deadline until, const Sink& sink);

// "host:8443", for sentences: nothing of the address that may be secret.
std::string shown(const boost::urls::url& url);

}  // namespace basalt::client
