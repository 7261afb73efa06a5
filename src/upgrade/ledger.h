// The upgrade_ tables: what schema the data has, how it came to it, and the way back.
#pragma once
#include "migrations/execute.h"
#include "migrations/migration.h"

namespace basalt::upgrade {

struct Ledger {
  bool present = false;         // false: an empty store
  int schema = 0, compat_floor = 0;
  std::string made_by;          // version of the binary that last changed the schema
  std::string instance_id;
  migrations::Structure structure;   // as it is: without what is pending
  int level = 0;                     // all operations of migrations <= level are done
  std::vector<std::pair<int, int>> pending;  // (migration, operation) put off until finalise, in order
  std::string generation;            // new at every restore and move; empty in data that never was restored
  std::string expanded_at;           // set when operations were put off because older nodes were live
};
Ledger read_ledger(appdb::Connection&);
// Everything above but instance_id, within the open transaction.
void write_schema(appdb::Connection&, const Ledger&);

// One migration's way back, as stored with the data.
struct WayBack {
  int migration = 0;
  std::string name, since_version;
  std::vector<migrations::Operation> operations;
  int compat_floor_before = 0;
};
// The ways back above schema `to`, newest first. Failure BadRequest when one is damaged or newer than this binary can read.
std::vector<WayBack> ways_back(appdb::Connection&, int to);

// What one transaction of a run does: the part of a migration that is run at once.
struct Unit {
  enum class Kind { Up, Finalise, Down };
  Kind kind = Kind::Up;
  int migration = 0;
  std::string name, since_version;
  std::vector<migrations::Operation> all;   // the whole migration as it is stored with the data
  std::vector<int> run;                     // places in `all` of what is run, in the order in which it is
  std::vector<int> waits;                   // Up: places of what is put off
  int floor_before = 1;                     // Up: the floor of the schema below, with nothing pending
  int floor_after = 1;                      // the floor once this unit is done and nothing of it or before it is pending
  std::optional<migrations::Structure> structure;  // Finalise, the last one: what the structure then is, tables and rules in the order of the migrations
  std::string describe(int place) const;    // "add column audience to card", "undo: …"
};

struct StepContext {
  appdb::Connection& connection;
  Ledger& ledger;
  std::int64_t run = 0;
  std::function<void(const std::string& operation)> tick;  // called before each operation with its description
  std::function<void()> batch;   // between batches of rows
  migrations::Counters counters; // added up
  bool leave_slow_work = false;  // PostgreSQL: what holds others up is left to migrations::postwork()
};
// Within the open transaction, ledger and probes included. Failure Bug with the operation's name when a probe finds it undone.
void run_unit(StepContext&, const Unit&);
std::string now_text();

}  // namespace basalt::upgrade
