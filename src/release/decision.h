// Whether a release is installed here, and when. Pure functions: no clock, no network, no files.
#pragma once
#include <array>
#include <chrono>

#include "base/time_zone.h"
#include "release/metadata.h"

namespace basalt::release {

// What happens by itself. Off: nothing is even looked up. Notify: administrators are told. Minor: security and minor releases
// install themselves. All: majors too.
enum class Policy { Off, Notify, Minor, All };
std::optional<Policy> policy_of(std::string_view text);  // "off", "notify", "minor", "all"
std::string_view name_of(Policy policy);

// A part of some days. `from` later than `to` goes over midnight and belongs to the day on which it begins.
struct Window {
  int from = 0, to = 0;                        // minutes after midnight
  std::array<bool, 7> days{true, true, true, true, true, true, true};  // Sunday first
  const TimeZone* zone = nullptr;              // lives for good; absent: UTC
  // "02:00-05:00", "Sun 02:00-05:00", "Mon-Fri,Sun 22:00-04:00 Europe/Berlin"; absent when it is none, or the zone is not known.
  static std::optional<Window> parse(std::string_view text);
  bool contains(Timestamp at) const;
  Timestamp next(Timestamp at) const;          // the first moment in it that is not before `at`
};

struct Denied {
  std::string version, why;   // why: a sentence
};
struct Hold {
  std::optional<Timestamp> until;  // absent: until somebody lifts it
  std::string by, why;
};

struct Situation {
  std::string current;                 // the version that runs
  std::string platform;                // this_platform()
  std::string instance;                // a stable id of this installation; decides its place in a wave
  Timestamp now;
  Policy policy = Policy::Notify;
  std::optional<Window> window;        // installs by itself only in it
  std::optional<Hold> hold;
  std::vector<Denied> denied;          // failed here before
  bool asked = false;                  // a person asks for it now: no wave, no window, no policy, no hold, not denied because of failing
                                       // before; barriers, withdrawn ones and signatures hold for people too
};

struct Decision {
  enum class Kind { Install, Wait, No };
  Kind kind = Kind::No;
  std::optional<Release> release;      // the one it is about: to install now, to install later, or the newest one that is not
  std::optional<Timestamp> when;       // Wait: not before
  std::string sentence;                // for people, always there
  json::object to_json() const;        // {decision: install|wait|no, version, class, when, sentence}
};

// Which release comes next, and whether now. The newest that can be reached from `current`: newer, for this platform, not withdrawn,
// not beyond a barrier that was not passed, and that `current` is not too old for.
Decision due(const Releases& releases, const Situation& situation);
// The same for one version that a person names. Throws Failure Conflict with the sentence when it may not be installed: not in
// the list, withdrawn, not newer (going back: `upgrade rollback`), beyond a barrier, not for this platform.
Release wanted(const Releases& releases, std::string_view version, const Situation& situation);
// Whether the version that runs was withdrawn, and why; absent when it was not.
std::optional<std::string> withdrawn(const Releases& releases, std::string_view version);

// The place of an installation among all, 0 <= place < 1, other for each version: the first 8 bytes of SHA-256(instance, newline, version).
double place_in_wave(std::string_view instance, std::string_view version);
// Within which a release reaches everybody: security 24 hours, minor 7 days, major 6 weeks, or what the release says.
std::chrono::hours wave_length(const Release& release);
// When the installation at `place` gets it. The share reached grows with the square of the time, so that few have a bad one when
// it is noticed: a tenth of the time reaches one in a hundred.
Timestamp due_at(const Release& release, double place);

}  // namespace basalt::release
