// This process as one of the nodes that serve a store: it is seen by the others, looks whether it may still serve, and knows
// which of the scheduled jobs are its own.
#pragma once
#include <functional>

#include "base/worker_pool.h"
#include "jobs/scheduler.h"
#include "upgrade/nodes.h"

namespace basalt::startup {

class ServingNode {
 public:
  // `may_serve` is told with each beat why this node may not serve any more, or absent; from a thread of `pool`.
  ServingNode(appdb::Store&, WorkerPool& pool, std::string name, int target, std::function<void(const std::optional<Failure>&)> may_serve);
  ~ServingNode();  // leaves, when it had joined

  // Seen by the other nodes from now on; beats until the end. Waits for a minute while writers are paused.
  void join();
  // Runs `work` as a scheduled job, on one node of all: on this one when it holds the job's lease. It does not ask for the
  // lease while there is nothing to do for it (`wanted` says no). See jobs/scheduler.h.
  void every(jobs::Scheduler&, std::string name, std::chrono::milliseconds first, std::chrono::milliseconds period, std::function<void()> work, std::function<bool()> wanted = {});

  const std::string& id() const { return nodes_.id(); }

 private:
  void beat();

  appdb::Store& store_;
  std::function<void(const std::optional<Failure>&)> may_serve_;
  upgrade::Nodes nodes_;
  upgrade::Leases leases_;
  WorkerPool& pool_;
  std::optional<jobs::Scheduler> beats_;  // from join() on
};

// "host:port", when nobody chose a name.
std::string usual_node_name(std::uint16_t port);

}  // namespace basalt::startup
