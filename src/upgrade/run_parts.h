// The parts of a run that up() and down() share. Internal to this folder.
#pragma once
#include <set>

#include "upgrade/ledger.h"
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

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
  // Moves the progress; `fraction` never goes back.
  void at(const std::string& state, double fraction, const std::string& step_name = {}, int step = -1, int steps = -1);
  void edge(std::string_view name) { if (context_.hook) context_.hook(name); }
  double seconds() const;

 private:
  Context& context_;
  std::chrono::steady_clock::time_point start_;
};

// Nobody else changes the schema while this lives. SQLite: no other process has the file open. PostgreSQL: an advisory lock
// on `connection`, which must be the one that does the work. Waits with jitter; Failure Unavailable after `patience`.
class RunLock {
 public:
  RunLock(Context&, appdb::Connection& connection, std::string purpose, std::chrono::milliseconds patience);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  // A number that grows with every holder. check() fails when somebody else took over meanwhile: within the transaction
  // about to be committed.
  std::int64_t fence() const { return fence_; }
  void check(appdb::Connection&) const;

 private:
  Context& context_;
  appdb::Connection* connection_;  // absent on SQLite, where the lock is the store's
  std::int64_t fence_ = 0;
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

// The way from one schema to another.
struct Way {
  int from = 0, to = 0;
  std::vector<migrations::Migration> ups;
  std::vector<WayBack> downs;
  bool up() const { return to > from; }
  int operations() const;
};
// Failure BadRequest when there is none: a gap, a damaged way back, or a migration that differs from the one that was run.
Way way_to(const Context&, appdb::Connection&, const Ledger&, int to);
// Runs one step after the other; `around` wraps each migration's work (a transaction), or calls it plainly.
void run_way(Attempt&, StepContext&, const Way&, const std::function<void(const std::function<void()>&)>& around);

// Tables whose content the way changes; and of those the ones that gain or lose rows.
struct Touched { std::set<std::string> tables, rows; };
Touched touched_by(const Way&);

// A small file beside the data that says what is going on, also while the data itself is being replaced.
void write_side_file(const Context&, const std::string& state, int from, int to, const std::string& backup, const std::string& error = {});
json::value read_side_file(const Context&);  // null when there is none

// Puts `changed` in the place of the store's SQLite file; the old file stays as `keep_as`. Closes `original`.
void swap_in(Context&, Attempt&, std::unique_ptr<appdb::Connection> original, std::int64_t fence, const std::filesystem::path& changed, const std::filesystem::path& keep_as);
// PostgreSQL: Failure Conflict when other Basalt processes use this database. SQLite: the lock has seen to it.
void require_alone(Context&, appdb::Connection&, std::string_view what);
std::string file_time();  // "20261123T022001"

Outcome create(Context&, Attempt&);
// Brings existing data to schema `to`, up or down: backup, change, verification, swap.
Outcome change(Context&, Attempt&, int to);

}  // namespace basalt::upgrade
