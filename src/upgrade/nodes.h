// The processes that serve one store: who they are, which schema they target, and which of them does the scheduled jobs.
// All times are the database's own; no host's clock is believed.
#pragma once
#include <chrono>
#include <mutex>
#include <set>

#include "appdb/store.h"
#include "base/json.h"

namespace basalt::upgrade {

struct Node {
  std::string id, name, binary;  // id: UUID of the process; name: what people call it; binary: its version
  int target = 0;                // the schema it works with
  std::string heartbeat;         // the last one, as text in UTC
  bool live = false;             // the heartbeat is at most `liveness` old
  bool self = false;             // only set where the caller says who it is
  // {"id","name","binary","target","heartbeat","live","self"}
  json::object to_json() const;
};

inline constexpr std::chrono::seconds heartbeat_period{5}, liveness{30}, lease_time{60};

// The row of one serving process in upgrade_node. All calls from any thread; failures are those of Store::write. A store
// without data yet has no rows: nothing is done then.
class Nodes {
 public:
  // `name`: unique among the nodes ("host:port"). A row of that name that is there (a crashed process before this one) is
  // taken over; a living process of the same name comes back with its next beat under its name and a part of its id.
  Nodes(appdb::Store&, std::string name, int target);

  void join();
  void beat();   // every heartbeat_period; also joins again when the row is gone (a restore, another of the same name)
  void leave();  // gives up the row and the leases; failures are logged, the row is then forgotten by its age

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }

 private:
  void insert(appdb::Connection&);

  appdb::Store& store_;
  std::string id_, name_;
  int target_;
};

// All that are known, live ones first, then by name. Empty when the store has no data yet.
std::vector<Node> nodes(appdb::Connection&, std::string_view self_id = {});
// Those that live and target less than `target`, without `except_id`.
std::vector<Node> older_live_nodes(appdb::Connection&, int target, std::string_view except_id = {});

// Which node does a scheduled job: whoever holds the row "job:<name>" of upgrade_lock, for lease_time at a time.
class Leases {
 public:
  Leases(appdb::Store&, const Nodes&);
  // True when this node holds the job's lease now: it did, it was free, or its holder let it run out.
  bool hold(std::string_view job);
  // Extends what this node holds, so that a job stays where it is while its node lives. With each beat.
  void renew();

 private:
  appdb::Store& store_;
  const Nodes& nodes_;
};

}  // namespace basalt::upgrade
