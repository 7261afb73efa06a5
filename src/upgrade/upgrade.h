// Upgrades of the application database, both ways, as commands and the server use them. upgrade_run.cpp is the place to
// start reading. Nothing here prints or exits; every result is a plain struct with a JSON form.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>

#include "appdb/store.h"
#include "base/json.h"
#include "migrations/migration.h"
#include "upgrade/plan.h"

namespace basalt::upgrade {

// Exit codes of everything that changes the application database; equal to commands::ExitCode.
enum ExitCode { done = 0, nothing_to_do = 10, blocked_unchanged = 20, rolled_back = 30, needs_a_person = 40 };

// How far a run is. Written by the runner, read by any thread (/api/health, the start page, metrics).
struct ProgressNow {
  // starting | waiting | backing-up | verifying-backup | rehearsing | expanding | backfilling | verifying | swapping | finalising |
  // stepping-down | restoring | done | failed
  std::string state = "starting";
  double fraction = 0;             // 0..1
  int step = 0, steps = 0;         // "step 7 of 12"; 0 of 0 when there is nothing to do
  std::string step_name;           // "add column audience to card", "waiting for alpha:4711, which is upgrading the data"
  std::int64_t rows = 0;           // rows of the tables that this step touches; 0 when unknown
  std::optional<double> eta_seconds;
  std::string error;               // the sentence, when state is failed
  // {"status":"initializing","progress":0.43,"step":"7 of 12","step_name":…,"eta_seconds":130}; state "done": {"status":"ok"}
  json::object to_json() const;
};

class Progress {
 public:
  ProgressNow now() const;
  void set(const std::function<void(ProgressNow&)>& change);

 private:
  mutable std::mutex mutex_;
  ProgressNow now_;  // GUARDED_BY(mutex_)
};

// What all calls need. `hook` is for tests: called at each edge of a run with its name, may throw to simulate a crash.
struct Context {
  appdb::Store& store;
  const std::vector<migrations::Migration>& migrations;
  std::filesystem::path data_dir;     // backups/, upgrade-state.json and upgrade.lock live here
  Progress* progress = nullptr;
  std::string key_check;              // Sealer::check_value(), or empty; kept in backups, compared on restore
  std::function<void(std::string_view edge)> hook;
  std::chrono::milliseconds lock_patience{5000};  // how long to wait for others to let go: writers to pause, a file to be nobody else's
  std::string backup_passphrase;      // encrypts new backups and opens encrypted ones; empty: not encrypted
  std::size_t backup_keep = 5;        // how many of the newest backups stay in any case
  std::string node_id;                // this process's own row in upgrade_node, which is never counted as another node
  std::chrono::minutes bake_time{60}; // how long an expansion that found older nodes stays open before finalise_when_due() acts
  std::chrono::milliseconds run_patience{std::chrono::hours(6)};  // how long to wait for another upgrader that is alive
  std::chrono::milliseconds stand_still{30000};  // an upgrader that was stopped (SIGSTOP) for longer commits nothing any more
};

// ---- What is there, and what would happen

enum class Decision {
  Fresh,     // an empty store: create it
  Upgrade,   // older data: upgrade
  Run,       // equal
  RunNewer,  // newer data that this binary can still open
  Refuse,    // newer data that it cannot
};

struct Status {
  int schema = 0, target = 0, compat_floor = 0;
  std::string made_by;              // version of the binary that last changed the schema
  std::string binary;               // this one
  std::string instance_id;
  appdb::Engine engine = appdb::Engine::Sqlite;
  Decision decision = Decision::Fresh;
  std::string sentence;             // for a person: "Up to date: schema 4." or the refusal with the command that steps down
  json::array history;              // newest first, at most 50: {migration,name,direction,state,rows,ms,binary,at}
  json::array parked;               // {table,column,state,count}
  json::value open_run;             // the run a crash left open, or null
  int level = 0;                    // all operations of the migrations up to here are done; below `schema` while operations are pending
  std::string expanded_at;          // when operations were put off because older nodes were live; empty when none are
  json::array pending;              // put off until finalise: {migration,name,operation,description}
  json::array nodes;                // servers on this data, as upgrade/nodes.h tells them
  json::value running;              // the run somebody is at right now: {state,from,to,step,steps,step_name,rows,eta_seconds,backup,binary,pid,at}, or null
  json::value lock;                 // who holds the upgrade lock right now: {host,pid,purpose,since}, or null
  json::object to_json() const;
};
Status status(Context&);

// The schema that a version of Basalt targets ("0.1.0"); Failure BadRequest when this binary does not know.
int schema_of_version(const Context&, std::string_view version);

// ---- Doing it

struct Outcome {
  ExitCode code = done;
  std::string sentence;                 // what happened, for a person
  int from = 0, to = 0;
  std::int64_t parked = 0, returned = 0, superseded = 0, orphaned = 0;  // values kept, given back, overruled by an edit, left without a row
  std::string backup;                   // the verified backup taken first; empty when none was needed
  double seconds = 0;
  double paused_seconds = 0;            // how long writers were held back
  json::object to_json() const;
};
// Brings the store to this binary's schema: creates, upgrades, or does nothing. Operations that older nodes could not live with
// are put off while one is live (outcome's sentence says so), else done at once. Waits for another upgrader. Failure BadRequest (the refusal sentence) for
// newer data; other failures leave the data as it was. Blocks; meant for a thread of its own beside a listening server.
Outcome up(Context&);
// Steps down to schema `to` >= 1, also data that is newer than this binary: the way back is stored with the data.
Outcome down(Context&, int to);
// Puts the operations that were put off into effect, after which older versions can no longer open the data. Failure Conflict
// that names the nodes while an older one is live. nothing_to_do when nothing is pending.
Outcome finalise(Context&);
// finalise() when nothing speaks against it: no older node is live, and none was for `bake_time` since the expansion. Absent
// when there is nothing to do or it is not time yet. For a job of a serving node; cheap when there is nothing to do.
std::optional<Outcome> finalise_when_due(Context&);
// Clears what a holder of the upgrade lock left behind when that holder is provably gone. Failure Conflict that names it when
// it is alive; nothing_to_do when there is nothing to clear. No start needs this: a plain restart goes on by itself.
Outcome release_locks(Context&);
// up() for a store that must be ready now: what tests and tools call. No backup of an empty store is needed.
inline Outcome create_or_upgrade(Context& context) { return up(context); }

// ---- Backups (backup.h has the details)

struct BackupInfo {
  std::string id, path, kind, reason, engine, instance_id, binary;  // kind: "upgrade" | "manual" | "scheduled" | "restore"
  std::int64_t bytes = 0;
  int schema = 0, tables = 0;
  std::int64_t rows = 0;
  std::string created_at, verified_at, root_hash;   // verified_at empty: never verified
  std::string drilled_at;                           // restored and booted, by `basalt backup drill`; empty: never
  bool encrypted = false;                           // listed without opening it: tables, rows, files, reason and root hash are not known then
  std::int64_t files = 0;                           // uploaded files in it
  json::object to_json() const;
};
BackupInfo backup_create(Context&, std::string kind, std::string reason);          // created and verified
BackupInfo backup_verify(Context&, const std::filesystem::path& file);             // Failure BadRequest when it is damaged
std::vector<BackupInfo> backup_list(const Context&);                               // newest first
// The backup in the place of what is there, which is kept aside (replaced_data). Uploaded files too.
Outcome restore(Context&, const std::filesystem::path& file);

// Data that a restore or an upgrade put aside: files beside the SQLite file, schemas beside PostgreSQL's. Nothing deletes what a
// restore replaced but a person.
struct ReplacedData {
  std::string name, why, at;  // why: "restore" | "upgrade" | "uploads"
  std::int64_t bytes = 0;
  json::object to_json() const;
};
std::vector<ReplacedData> replaced_data(Context&);                                 // newest first
void delete_replaced(Context&, const std::string& name);                           // Failure NotFound
// What a crash left of unfinished work; finishes a restore whose uploaded files were not yet in their place. For a start, and
// whenever: what another process works on stays.
void clean_left_overs(Context&);

// ---- Parked values

struct ParkedValue {
  std::int64_t id = 0;
  int migration = 0;
  std::string table, column, row, state;  // row: row_uid; state: parked | returned | superseded | orphan | taken
  json::value value, shown;
  std::string parked_at;
  json::object to_json() const;
};
std::vector<ParkedValue> parked_list(Context&, std::size_t limit = 1000);
ParkedValue parked_show(Context&, std::int64_t id);                                // Failure NotFound
// Writes the parked value over what is there now. Failure Conflict when the row or column is not there.
ParkedValue parked_take(Context&, std::int64_t id);

}  // namespace basalt::upgrade
