// The parts of a run that up() and down() share. Internal to this folder.
#pragma once
#include <set>

#include "upgrade/ledger.h"
#include "upgrade/run_lock.h"
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

struct MadeBackup;  // backup.h

int target_of(const Context&);
Decision decide(const Ledger&, int target);
std::string refusal(const Ledger&, int target);

// One attempt at something, with its clock and its progress.
class Attempt {
 public:
  explicit Attempt(Context& context) : context_(context), start_(std::chrono::steady_clock::now()) {}

  // Runs `work`; a failure is shown in the progress and travels on.
  Outcome guard(const std::function<Outcome()>& work);
  Outcome nothing(std::string sentence, int schema);
  // What is still to do, in seconds, as a rehearsal measured it; from then on the estimate counts down instead of extrapolating.
  void expect(double seconds_left) { expected_end_ = seconds() + seconds_left; }
  void rows(std::int64_t);
  // Moves the progress; `fraction` never goes back.
  void at(const std::string& state, double fraction, const std::string& step_name = {}, int step = -1, int steps = -1);
  void edge(std::string_view name) { if (context_.hook) context_.hook(name); }
  double seconds() const;

  // From here on something is written; a failure before is a refusal that leaves everything as it was.
  void begin(int from, int to);
  bool began() const { return began_; }
  // The small file beside the data follows the progress from now on, at most once a second.
  void mirror(std::string backup);
  void end(const std::string& state);
  void paused(double seconds) { paused_ += seconds; }  // how long writers were held back

 private:
  Progress& progress() { return context_.progress ? *context_.progress : own_; }

  Context& context_;
  Progress own_;
  std::chrono::steady_clock::time_point start_;
  std::optional<double> expected_end_;
  bool began_ = false, mirrored_ = false;
  int from_ = 0, to_ = 0;
  std::string backup_;
  std::chrono::steady_clock::time_point next_mirror_;
  double paused_ = 0;
};

// While this lives nobody in this process writes.
class WritesClosed {
 public:
  explicit WritesClosed(appdb::Store& store) : store_(store) { store_.close_gate(appdb::Store::Closed::Writes); }
  ~WritesClosed() { store_.open_gate(); }
  WritesClosed(const WritesClosed&) = delete;

 private:
  appdb::Store& store_;
};

// While this lives nobody writes, here, in another process or on another node. Failure Unavailable after the context's
// lock_patience.
class WritersPaused {
 public:
  WritersPaused(Context&, appdb::Connection& session);
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count(); }

 private:
  std::chrono::steady_clock::time_point since_;
  WritesClosed closed_;
  std::shared_ptr<void> paused_;
};

// The way from one schema to another, as the transactions it consists of.
struct Way {
  int from = 0, to = 0;
  std::vector<migrations::Migration> ups;  // with prepared operations
  std::vector<WayBack> downs;
  std::vector<Unit> units;                 // in the order in which they run
  bool up() const { return downs.empty(); }
  bool finalises() const;
  int operations() const;                  // of all units
};
// AtOnce: everything in the order of the migrations. Expand: what older nodes cannot live with is put off. ExpandThenFinalise:
// the same, and then what was put off, in units of its own.
enum class Order { AtOnce, Expand, ExpandThenFinalise };
// Failure BadRequest when there is none: a gap, a damaged way back, or a migration that differs from the one that was run. What
// is pending already is put into effect first on the way up (Order::Expand: it stays so), and skipped on the way down.
Way way_to(const Context&, appdb::Connection&, const Ledger&, int to, Order = Order::AtOnce);
// Only what is pending. Failure BadRequest when this binary is older than the data.
Way way_to_finalise(const Context&, appdb::Connection&, const Ledger&);

// How the progress moves while a way is run, and what is measured.
struct Pace {
  std::string state;                       // empty: "expanding", "finalising" or "stepping-down", as each unit is
  double from = 0.45, to = 0.85;
  std::string prefix;                      // of the edges' and the steps' names: "rehearse: "
  const std::vector<double>* expected = nullptr;  // seconds of each unit, from the rehearsal
  std::vector<double>* seconds = nullptr;         // is filled
  std::function<void(const Unit&, int done)> unit_done;
};
// Runs one unit after the other; `around` wraps each one's work (a transaction, tried again when busy), or calls it plainly.
void run_way(Attempt&, StepContext&, const Way&, const std::function<void(const std::function<void()>&)>& around, const Pace& pace = {});

// Tables that the way changes; of those the ones that gain or lose rows; the ones whose result differs from run to run (rows
// that a version brings have fresh ids); and the ones where more than the catalogue changes: a new column and a new index leave
// the stored rows of a PostgreSQL table alone.
struct Touched { std::set<std::string> tables, rows, by_chance, contents; };
Touched touched_by(const Way&);

// A small file beside the data that says what is going on, also while the data itself is being replaced.
void write_side_file(const Context&, const std::string& state, int from, int to, const std::string& backup, const std::string& error = {}, const ProgressNow* now = nullptr);
json::value read_side_file(const Context&);  // null when there is none

// Puts `changed` in the place of the store's SQLite file; the old file stays as `keep_as`. Closes `original`. Nobody else may
// have the file open (RunLock::Others::None).
void swap_in(Context&, Attempt&, std::unique_ptr<appdb::Connection> original, std::int64_t fence, const std::filesystem::path& changed, const std::filesystem::path& keep_as);
// PostgreSQL: Failure Conflict when other Basalt processes use this database. SQLite: the lock has seen to it.
void require_alone(Context&, appdb::Connection&, std::string_view what);
std::string file_time();  // "20261123T022001"

Outcome create(Context&, Attempt&);
// What somebody wants of existing data.
struct Goal {
  enum class Kind { Up, Down, Finalise };
  Kind kind = Kind::Up;
  int to = 0;
};
// Decided before anything is written; every refusal comes from here.
struct Job {
  Goal goal;
  Ledger before;
  Way way;
  std::vector<std::string> older;  // live nodes that operations are put off for: "alpha (0.1.0)"
  bool alone = false;              // nobody else may use the data meanwhile
  bool nothing() const { return way.units.empty(); }
};
// Preflight::Done: drift and space were looked at already.
enum class Preflight { Do, Done };
Job job_for(Context&, appdb::Connection&, const Goal&, Preflight = Preflight::Do);
// Whether what is pending may take effect now: no older node is live, and none was for the bake time.
bool due(const Context&, appdb::Connection&, const Ledger&);
// "alpha (0.1.0)" of the live nodes that target less than (or more than) `schema`, without this one.
std::vector<std::string> older_nodes(const Context&, appdb::Connection&, int schema);
std::vector<std::string> newer_nodes(const Context&, appdb::Connection&, int schema);
std::string listed(const std::vector<std::string>& names);  // "a, b and c"

// Does it: backup, rehearsal, change, verification.
Outcome change(Context&, Attempt&, const Goal&);
Outcome change_sqlite(Context&, Attempt&, const Goal&);
Outcome change_postgres(Context&, Attempt&, const Goal&);
// PostgreSQL: what a run that was cut off left to be checked or indexed after its change. Cheap when there is nothing: two
// questions over `session`, which must not be in a transaction.
void finish_slow_work(Context&, Attempt&, appdb::Connection& session);

// ---- Shared by the two engines' runs

std::string reason_of(const Job&);   // "before the upgrade to schema 4"
std::string purpose_of(const Goal&); // what the lock says: "upgrade", "step down", "finalise"
std::string state_of(const Job&);    // "expanding", "finalising", "stepping-down"
void note_backup(appdb::Connection&, const MadeBackup&);
std::int64_t open_run(appdb::Connection&, const Job&, const std::string& backup);
void close_run(appdb::Connection&, std::int64_t run, const std::string& state, const Job&);
Outcome outcome_of(const Job&, const Ledger& after, const migrations::Counters&, const MadeBackup&);

}  // namespace basalt::upgrade
