// Routes for administrators that belong to no other feature, and the metrics page.
#pragma once
#include "features/services.h"
#include "http/server.h"

namespace basalt::features {

void add_administration_routes(http::Routes& routes, Services& services);

struct PoolState {
  std::string name;
  std::size_t busy = 0, waiting = 0;
};
// Prometheus text: the server's counters, its pools, memory and uptime of the process.
std::string metrics_text(const http::ServerCounters& counters, const std::vector<PoolState>& pools);

}  // namespace basalt::features
