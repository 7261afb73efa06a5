// The parts of a run that up() and down() share. Internal to this folder.
#pragma once
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
  appdb::Connection& connection_;
  std::int64_t fence_ = 0;
};

Outcome create(Context&, Attempt&);
// Brings existing data to schema `to`, up or down: backup, change, verification, swap.
Outcome change(Context&, Attempt&, int to);

}  // namespace basalt::upgrade
