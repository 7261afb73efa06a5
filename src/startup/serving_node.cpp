#include "startup/serving_node.h"

#include <unistd.h>

#include <thread>

#include "base/log.h"

namespace basalt::startup {

ServingNode::ServingNode(appdb::Store& store, WorkerPool& pool, std::string name, int target, std::function<void(const std::optional<Failure>&)> may_serve)
    : store_(store), may_serve_(std::move(may_serve)), nodes_(store, std::move(name), target), leases_(store, nodes_), pool_(pool) {}

ServingNode::~ServingNode() {
  if (!beats_) return;
  beats_.reset();
  if (!store_.refusal()) nodes_.leave();  // else it may not write, and nobody counts it any more
}

void ServingNode::join() {
  for (auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);;) {
    try {
      nodes_.join();
      break;
    } catch (const Failure& failure) {
      // Another node changes the data just now; that is no reason not to start.
      if (failure.kind() != FailureKind::Unavailable || std::chrono::steady_clock::now() > until) throw;
      log::info("Waiting to join the other nodes", {{"why", failure.sentence()}});
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  }
  if (beats_) return;
  beats_.emplace(pool_);
  beats_->every("node heartbeat", upgrade::heartbeat_period, upgrade::heartbeat_period, [this] { beat(); });
}

void ServingNode::beat() {
  try {
    // A node that may not write cannot beat either: the look says why.
    store_.look();
    auto why = store_.refusal();
    may_serve_(why);
    if (why) return;
    nodes_.beat();
    leases_.renew();
  } catch (const Failure& failure) {
    // A pause for a change of schema, or the database is away for a moment: the next beat is soon.
    log::warning("A heartbeat was missed", {{"why", failure.sentence()}});
  }
}

void ServingNode::every(jobs::Scheduler& scheduler, std::string name, std::chrono::milliseconds first, std::chrono::milliseconds period, std::function<void()> work,
                        std::function<bool()> wanted) {
  auto job = name;
  scheduler.every(std::move(name), first, period, [this, job, work = std::move(work), wanted = std::move(wanted)] {
    if (store_.refusal() || (wanted && !wanted())) return;
    try {
      if (!leases_.hold(job)) return;
    } catch (const Failure& failure) {
      log::warning("A job waits for its next turn", {{"job", job}, {"why", failure.sentence()}});
      return;
    }
    work();
  });
}

std::string usual_node_name(std::uint16_t port) {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return std::string(name) + ":" + std::to_string(port);
}

}  // namespace basalt::startup
