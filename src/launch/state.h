// What a power cut must not lose of versions: which one serves, which one is on trial and how far that is. One small JSON file,
// written whole before the effect of what it says.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace basalt::launch {

// The slot of the program that the launcher itself is; it has no folder among the versions.
inline constexpr const char* installed_slot = "installed";

// Where a run stands. Written before the effect: Starting before the new process is started, Judged before it gets people's
// connections, RollingBack before the old one does.
enum class Phase { Staged, Measured, Starting, Ready, Judged, Observing, Good, RollingBack, RolledBack, Refused };
std::string_view name_of(Phase);                     // "staged", …, "rolling back", "rolled back"
std::optional<Phase> phase_of(std::string_view name);

// One way from a version to another, or back.
struct Run {
  Phase phase = Phase::Staged;
  std::string from, to;      // slots
  std::string to_version;    // of `to`, which may be "installed"
  std::string by;            // who asked: "a command", "policy minor", "Ada Lovelace"
  bool back = false;         // a person asked to go back to what served before; nothing is judged
  int tries = 0;             // starts of the new version, the present one included
  int schema_before = 0;     // of the data before it; 0: not known
  std::optional<std::string> previous_before;  // State::previous as it was
  json::value before;        // what the old version answered the probe; null: nothing served
  std::string error;         // why it was refused or rolled back, a sentence
  Timestamp started_at, ended_at;  // ended_at: the epoch while it is open

  // Good, RolledBack and Refused are ends.
  bool is_open() const { return phase != Phase::Good && phase != Phase::RolledBack && phase != Phase::Refused; }
  // The new version may have people's connections: a launcher that starts now begins with it.
  bool gone_over() const { return phase == Phase::Judged || phase == Phase::Observing; }
  json::object to_json() const;
};

struct Denied {
  std::string version, why;  // why: a sentence
  Timestamp at;
};

struct Held {
  std::optional<Timestamp> until;  // absent: until somebody lifts it
  std::string by, why;
  Timestamp at;
};

struct State {
  std::string current = installed_slot;
  std::optional<std::string> previous;   // the slot to go back to
  std::string instance;                  // decides this installation's place among all when a release spreads; made at the first start
  std::string installed_version;         // of the program that the launcher was at its last start; empty: never started
  std::optional<Run> run;                // the one that goes on, or the last
  std::vector<Denied> denied;            // versions that failed here: not installed again by themselves
  std::optional<Held> hold;
  json::value newest_seen;               // what the last look for releases found; null: none yet
  json::object unknown;                  // members of a later Basalt, written back as they were

  bool is_denied(std::string_view version) const;
  bool has_open_run() const { return run && run->is_open(); }
  bool is_held(Timestamp now) const { return hold && (!hold->until || *hold->until > now); }
  json::object to_json() const;
  // Tolerant: what is missing or not understood has its default. Failure BadRequest when the text is no JSON object or of a later format.
  static State from_json(const json::value&);
};

// <versions>/state.json. A folder or file that is missing is a State of nothing but "installed".
State read_state(const std::filesystem::path& versions);
// Durable when it returns. Failure Unavailable when the disk refuses; then the old state stands.
void write_state(const std::filesystem::path& versions, const State&);

}  // namespace basalt::launch
