#include "upgrade/nodes.h"

#include <unistd.h>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "migrations/execute.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

namespace {

// The database's clock, also inside a transaction that has lasted.
std::string now(const Connection& c) { return c.engine() == Engine::Sqlite ? "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')" : "clock_timestamp()"; }
// Whether a time column is younger than so many seconds. A time in the future is young: clocks are set back now and then.
std::string younger(const Connection& c, const std::string& column, std::chrono::seconds age) {
  auto seconds = std::to_string(age.count());
  return c.engine() == Engine::Sqlite ? "(julianday('now') - julianday(" + column + ")) * 86400 <= " + seconds : column + " >= clock_timestamp() - interval '" + seconds + " seconds'";
}

bool has_tables(Connection& c) { return migrations::table_exists(c, "upgrade_node"); }

}  // namespace

json::object Node::to_json() const {
  return {{"id", id}, {"name", name}, {"binary", binary}, {"target", target}, {"heartbeat", heartbeat}, {"live", live}, {"self", self}};
}

Nodes::Nodes(appdb::Store& store, std::string name, int target) : store_(store), id_(uuid7()), name_(std::move(name)), target_(target) {}

void Nodes::insert(Connection& c) {
  c.execute("INSERT INTO upgrade_node (row_uid, node, binary_version, target_schema, heartbeat) VALUES (?, ?, ?, ?, " + now(c) + ") ON CONFLICT (node) DO UPDATE SET row_uid = excluded.row_uid, "
            "binary_version = excluded.binary_version, target_schema = excluded.target_schema, heartbeat = excluded.heartbeat", {id_, name_, version(), target_});
}

void Nodes::join() {
  store_.write([&](Connection& c) {
    if (has_tables(c)) insert(c);
  });
}

void Nodes::beat() {
  store_.write([&](Connection& c) {
    if (c.execute("UPDATE upgrade_node SET heartbeat = " + now(c) + " WHERE row_uid = ?", {id_}) > 0) return;
    // Another process lives under this name: both must be seen, or an old one could be overlooked.
    auto mine = name_;
    if (c.count("SELECT count(*) FROM upgrade_node WHERE node = ?", {mine}) > 0) mine += " #" + id_.substr(0, 8);
    c.execute("INSERT INTO upgrade_node (row_uid, node, binary_version, target_schema, heartbeat) VALUES (?, ?, ?, ?, " + now(c) + ") ON CONFLICT (node) DO NOTHING", {id_, mine, version(), target_});
  });
}

void Nodes::leave() {
  try {
    store_.write([&](Connection& c) {
      if (!has_tables(c)) return;
      c.execute("UPDATE upgrade_lock SET heartbeat = NULL, purpose = NULL WHERE purpose = ? AND name LIKE 'job:%'", {id_});
      c.execute("DELETE FROM upgrade_node WHERE row_uid = ?", {id_});
    });
  } catch (const Failure& failure) {
    log::warning("The node could not say that it leaves", {{"why", failure.sentence()}});
  }
}

std::vector<Node> nodes(Connection& c, std::string_view self_id) {
  std::vector<Node> out;
  if (!has_tables(c)) return out;
  // What was not heard of for a day is history.
  c.each("SELECT row_uid, node, binary_version, target_schema, heartbeat, CASE WHEN " + younger(c, "heartbeat", liveness) + " THEN 1 ELSE 0 END AS live FROM upgrade_node WHERE " +
             younger(c, "heartbeat", std::chrono::hours(24)) + " ORDER BY live DESC, node LIMIT 1000",
         {}, [&](const appdb::Row& row) {
           Node node{row.text("row_uid"), row.text("node"), row.text("binary_version"), static_cast<int>(row.integer("target_schema")), row.text("heartbeat"), row.integer("live") == 1, false};
           node.self = node.id == self_id;
           out.push_back(std::move(node));
         });
  return out;
}

std::vector<Node> older_live_nodes(Connection& c, int target, std::string_view except_id) {
  auto out = nodes(c);
  std::erase_if(out, [&](const Node& node) { return !node.live || node.target >= target || node.id == except_id; });
  return out;
}

Leases::Leases(appdb::Store& store, const Nodes& nodes) : store_(store), nodes_(nodes) {}

bool Leases::hold(std::string_view job) {
  auto name = "job:" + std::string(job);
  return store_.write([&](Connection& c) {
    // Two that ask at once: the second waits for the row and then sees it young.
    auto taken = c.execute("UPDATE upgrade_lock SET owner_host = ?, owner_pid = ?, purpose = ?, heartbeat = " + now(c) + " WHERE name = ? AND (purpose = ? OR heartbeat IS NULL OR NOT (" +
                               younger(c, "heartbeat", lease_time) + "))",
                           {nodes_.name(), static_cast<std::int64_t>(getpid()), nodes_.id(), name, nodes_.id()});
    if (taken == 0)
      taken = c.execute("INSERT INTO upgrade_lock (row_uid, name, owner_host, owner_pid, purpose, fence, heartbeat) VALUES (?, ?, ?, ?, ?, 0, " + now(c) + ") ON CONFLICT (name) DO NOTHING",
                        {uuid7(), name, nodes_.name(), static_cast<std::int64_t>(getpid()), nodes_.id()});
    return taken > 0;
  });
}

void Leases::renew() {
  store_.write([&](Connection& c) { c.execute("UPDATE upgrade_lock SET heartbeat = " + now(c) + " WHERE purpose = ? AND name LIKE 'job:%'", {nodes_.id()}); });
}

}  // namespace basalt::upgrade
