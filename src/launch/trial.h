// One version follows another, and the one before it comes back when the new one is worse: the whole way of `upgrade apply`.
// A state machine that a clock drives. It never waits; each step is written down before it has an effect, so that whatever is
// killed, a launcher that starts goes on from there.
//
//   staged → measured → starting → ready → judged → observing → good
//                 any of them → rolling back → rolled back, or, before anything was started, refused
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <set>

#include "launch/children.h"
#include "launch/judge.h"
#include "launch/slots.h"
#include "launch/state.h"

namespace basalt::launch {

struct TrialOptions {
  std::chrono::milliseconds observe{60'000};       // how long the new version is watched before it is good
  std::chrono::milliseconds silence{20'000};       // a start without any progress for so long has failed
  std::chrono::milliseconds probe{45'000};         // for one answer to the probe
  std::chrono::milliseconds plan{120'000};         // for the new version's own plan
  std::chrono::milliseconds beat{2'000};           // how often the new version is looked at while it is observed
  int missed_beats = 3;                            // so many in a row are a hang
  int tries = 3;
  std::chrono::minutes bake_time{60};              // as configured; a version on trial never finalises before it is good
  Rules rules;
};

// Who asks, and whether what speaks against it (a hold, a version that failed here before) is passed over.
struct Asked {
  std::string by;
  bool anyway = false;
};

// What Trial::begin and Trial::roll_back do to the state; also for a command while no launcher runs: the next one goes on with it.
// The caller writes it down. Failures as there.
void stage(State&, const Slots&, const std::string& version, const Asked&, Timestamp now);
// Failure Conflict while on hold, and when that version failed here before.
void require_allowed(const State&, const std::string& version, Timestamp now);
void stage_way_back(State&, const Slots&, const std::string& by, Timestamp now);
Slot current_slot(const State&, const Slots&);
// {instance, current, current_version, previous, previous_version, slots: [{name, version, release}], run, denied, hold, held, newest_seen}
json::object told(const State&, const Slots&, Timestamp now);
std::string busy(const State&);  // why no other run may begin, a sentence; empty: one may

class Trial {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  struct Times {
    const Clock& wall;
    std::function<Steady()> steady = [] { return std::chrono::steady_clock::now(); };
  };
  // `read_state(slots.folder())` is where it goes on from. Children and slots outlive it.
  Trial(Children&, Slots&, TrialOptions, Times);
  ~Trial();

  // See Versions.
  std::string slot_to_start();
  std::string busy() const;
  void tick();

  // Puts the version of that slot on trial. Failure Conflict in a sentence: another run goes on, a hold, it failed before, it is
  // not newer (error_type "nothing-to-do" when it is the one that serves); NotFound: it is not on this host.
  void begin(const std::string& version, const Asked&);
  // Back to the version before. During a run: ends it. Failure Conflict when there is none.
  void roll_back(const std::string& by);
  // No upgrade by itself, and none by a person who does not insist, until then. Absent: until unhold().
  void hold(const Held&);
  void unhold();
  void seen(const json::value& newest);            // what a look for releases found, for to_json()

  const State& state() const { return state_; }
  Slot current() const;
  // told(), and in `run` while it is open: step, tries_of, status, seconds_left.
  json::object to_json() const;

 private:
  enum class Step { Idle, OldReady, Version, Plan, Measure, MeasureAgain, Start, Starting, Probe, OldAgain, ProbeAgain, OldOnceMore, Resumed, ResumedProbe, Watch, LastProbe, Back, BackDown };

  Run& run() { return *state_.run; }
  void save();
  void save_or_log();                              // where going on matters more
  void back_and_log(const std::string& why);       // at once, and also when that cannot be written down
  std::int64_t usual_memory() const;               // of the version before; 0: not known
  void enter(Phase);
  void next(Step, std::string words);
  bool over(std::chrono::milliseconds) const;      // since the step began
  std::string new_name() const;
  void refuse(const std::string& why);
  void back(const std::string& why, bool at_once);
  void finish(Phase, const std::string& error);
  void probe(ChildId, const json::object& question);
  std::optional<json::value> probed();             // null: no answer
  void measured();
  void start_new();
  void judged();
  void watch();
  void go_back();
  void clear();

  Children& children_;
  Slots& slots_;
  const TrialOptions options_;
  const Times times_;
  State state_;
  bool asked_before_ = false;       // slot_to_start() was
  Step step_ = Step::Idle;
  std::string words_;               // what is done now, for people
  Steady step_began_, moved_at_, next_beat_, observed_from_;
  std::uint64_t moved_ = 0;
  std::optional<TicketId> ticket_;
  std::string no_answer_;           // why probed() gave null
  json::value first_, second_, third_;  // what was probed in this run, in order
  std::optional<ChildId> new_, old_, last_serving_;
  std::int64_t old_memory_ = 0;     // while it served beside the new one
  bool at_once_ = false;            // the new one hangs or eats the machine: it is killed as soon as the old one is back, or soon
  int missed_ = 0, downs_ = 0, back_tries_ = 0;
  std::optional<TicketId> beat_;
};

}  // namespace basalt::launch
