// What an upgrade, a step down or nothing at all would mean, without doing any of it. Included by upgrade.h.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace basalt::upgrade {

struct Context;

struct PlanOperation {
  std::string text;             // "add column audience to card", "undo: …"
  std::string phase;            // "now"; "finalise": waits until no older version serves any more
  std::int64_t rows = 0;        // in the table it touches
  std::string lock;             // "none"; "a moment": for the time of a statement; "writers": they wait meanwhile; "table": readers of that table too
  double lock_ms = 0, seconds = 0;  // estimated: how long somebody waits, how long it takes
};
struct PlanStep {
  int migration = 0;
  std::string name, direction;  // "up" | "down"
  std::vector<PlanOperation> operations;
  std::int64_t rows = 0;        // rows in the tables it touches, each table once
  std::int64_t will_park = 0;   // down only: values the older schema cannot hold
  double seconds = 0;
};
struct PlanDrift {
  std::string kind, object, sentence, repair;  // as Drift; repair may be empty
  bool blocks = false;
};
struct PlanNode { std::string name, binary, heartbeat; int target = 0; };

struct Plan {
  int from = 0, to = 0;
  std::vector<PlanStep> steps;               // in the order in which they happen
  std::vector<std::string> reasons;          // why it cannot be done now, a sentence each; empty when it can
  std::string blocked;                       // the first of them
  std::int64_t bytes_needed = 0, bytes_free = 0;  // in the data directory, the backup included
  std::int64_t server_bytes_needed = 0;      // PostgreSQL: what tables and indexes grow by on its server, whose disk nobody can see from here
  double longest_lock_ms = 0;
  std::string longest_lock;                  // the operation it is for; empty when nobody waits longer than a moment
  double eta_seconds = 0, eta_p95_seconds = 0;
  std::string eta_from;                      // "rehearsal" | "history" | "model"
  std::string rehearsed_at;                  // when eta_from is "rehearsal"
  std::string engine;                        // "SQLite 3.40.1", "PostgreSQL 15.14"
  std::vector<PlanDrift> drift;
  std::vector<PlanNode> older_nodes, stale_nodes;  // live ones that target less; ones that are heard no more
  std::vector<std::string> waiting;          // what an earlier upgrade put off and nothing has finalised yet
  std::int64_t later_parks = 0;              // up: values a step down right after would park: those that return now
  std::vector<std::string> later_places;     // up: where what people enter afterwards would be parked: "values in card.audience"
  bool fresh = false;                        // there is no data yet; everything is made at once, without a backup
  std::string lock_holder;                   // who changes the data right now: "alpha:4711, which is …"; empty when nobody does

  json::object to_json() const;
};

// Read-only: not a byte changes, of the data or beside it. Without `to`: up to what this binary targets. Never throws for what
// a person could ask; why something cannot be done is in `reasons`.
Plan plan(Context&, std::optional<int> to = {});
// Makes a backup, migrates it for real in scratch, and notes the time, which plan() tells from then on. Failure as up() and down().
Plan rehearsed_plan(Context&, std::optional<int> to = {});
// As a person reads it at a terminal, at most 100 characters wide; `command`: what does it ("basalt migrate up").
std::string plan_text(const Plan&, const std::string& command);
// The repairs of what blocks, ready to be run; empty when nothing is to be repaired. `prelude`: run first ("SET search_path …").
std::string repair_text(const Plan&, const std::string& prelude);

}  // namespace basalt::upgrade
