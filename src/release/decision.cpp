#include "release/decision.h"

#include <algorithm>
#include <cmath>

#include "base/crypto.h"
#include "base/failure.h"
#include "release/version.h"

namespace basalt::release {
namespace {

using std::chrono::floor;
using std::chrono::minutes;
using Days = std::chrono::sys_days;

std::string moment(Timestamp at) {
  auto text = to_text(floor<minutes>(at));
  return text.substr(0, 10) + " " + text.substr(11, 5) + " UTC";
}

// Why `release` may not be installed over `current`, whoever asks; empty when it may.
std::string hindrance(const Releases& releases, const Release& release, const Situation& situation) {
  auto& current = situation.current;
  if (release.withdrawn) return "Version " + release.version + " was withdrawn by its makers" + (release.withdrawn_why.empty() ? "." : ": " + release.withdrawn_why);
  if (!is_newer(release.version, current))
    return "Version " + release.version + " is not newer than " + current + ", which runs; `basalt upgrade rollback` goes back to the version before.";
  if (!release.artefact(situation.platform)) return "Version " + release.version + " is not made for " + situation.platform + ".";
  for (auto& barrier : releases.releases)
    if (barrier.barrier && !barrier.withdrawn && is_newer(barrier.version, current) && is_newer(release.version, barrier.version))
      return "Version " + release.version + " comes after " + barrier.version + ", which everybody has to pass through first; go to " + barrier.version + " now, and on from there.";
  if (!release.compat_from.empty() && is_newer(release.compat_from, current))
    return "Version " + release.version + " can be reached from " + release.compat_from + " on; go to that version first.";
  return "";
}

const Denied* denied(const Situation& situation, const std::string& version) {
  for (auto& one : situation.denied) if (compare_versions(one.version, version) == 0) return &one;
  return nullptr;
}

bool is_automatic(Policy policy, Class c) { return policy == Policy::All || (policy == Policy::Minor && c != Class::Major); }

Decision no(std::string sentence, const Release* release = nullptr) {
  Decision out;
  if (release) out.release = *release;
  out.sentence = std::move(sentence);
  return out;
}

Decision wait(const Release& release, std::optional<Timestamp> when, std::string sentence) {
  Decision out;
  out.kind = Decision::Kind::Wait;
  out.release = release;
  out.when = when;
  out.sentence = std::move(sentence);
  return out;
}

Decision install(const Release& release, std::string sentence) {
  Decision out;
  out.kind = Decision::Kind::Install;
  out.release = release;
  out.sentence = std::move(sentence);
  return out;
}

}  // namespace

std::optional<Policy> policy_of(std::string_view text) {
  for (auto policy : {Policy::Off, Policy::Notify, Policy::Minor, Policy::All}) if (text == name_of(policy)) return policy;
  return std::nullopt;
}

std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::Off: return "off";
    case Policy::Notify: return "notify";
    case Policy::Minor: return "minor";
    case Policy::All: return "all";
  }
  return "off";
}

std::optional<Window> Window::parse(std::string_view text) {
  auto time = [](std::string_view part) -> std::optional<int> {
    auto digit = [&](std::size_t i) { return part[i] >= '0' && part[i] <= '9'; };
    if (part.size() != 5 || part[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
    int hour = (part[0] - '0') * 10 + part[1] - '0', minute = (part[3] - '0') * 10 + part[4] - '0';
    if (hour > 24 || minute > 59 || (hour == 24 && minute != 0)) return std::nullopt;
    return hour * 60 + minute;
  };
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  auto from = time(text.substr(0, 5)), to = time(text.substr(6));
  if (!from || !to || *from == *to || *from == 24 * 60) return std::nullopt;
  return Window{*from, *to};
}

bool Window::contains(Timestamp at) const {
  auto minute = static_cast<int>((floor<minutes>(at) - floor<std::chrono::days>(at)).count());
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

Timestamp Window::next(Timestamp at) const {
  if (contains(at)) return at;
  Timestamp begin = floor<std::chrono::days>(at) + minutes(from);
  return begin >= at ? begin : begin + std::chrono::days(1);
}

json::object Decision::to_json() const {
  json::object out{{"decision", kind == Kind::Install ? "install" : kind == Kind::Wait ? "wait" : "no"}, {"version", nullptr}, {"class", nullptr}, {"when", nullptr}, {"sentence", sentence}};
  if (release) {
    out["version"] = release->version;
    out["class"] = name_of(release->release_class);
  }
  if (when) out["when"] = to_text(*when);
  return out;
}

Decision due(const Releases& releases, const Situation& situation) {
  if (!is_version(situation.current)) return no("The version that runs, " + situation.current + ", is not one that releases can be compared with.");
  if (situation.policy == Policy::Off && !situation.asked) return no("Upgrades are off here.");
  // From the newest down: what failed here is passed over for an older one that is still newer than ours.
  std::string why;
  const Release *best = nullptr, *refused = nullptr;
  for (auto at = releases.releases.rbegin(); at != releases.releases.rend() && !best; ++at) {
    if (!is_newer(at->version, situation.current)) break;
    auto reason = hindrance(releases, *at, situation);
    if (reason.empty() && !situation.asked)
      if (auto* failed = denied(situation, at->version)) reason = "Version " + at->version + " failed here before: " + failed->why;
    if (reason.empty()) {
      best = &*at;
    } else if (!refused) {
      refused = &*at;
      why = std::move(reason);
    }
  }
  if (!best) return refused ? no(why, refused) : no("Version " + situation.current + " is the newest.");
  auto& release = *best;
  auto name = "Version " + release.version;
  if (situation.asked) return install(release, name + " is installed because somebody asks for it.");
  if (!is_automatic(situation.policy, release.release_class)) {
    bool major = situation.policy == Policy::Minor;
    return no(name + (major ? " is a major release, which does not install itself here" : " is there and waits for somebody who installs it") + ": `basalt upgrade apply`.", best);
  }
  if (auto& hold = situation.hold; hold && (!hold->until || *hold->until > situation.now)) {
    auto sentence = name + " waits because upgrades are held" + (hold->until ? " until " + moment(*hold->until) : std::string()) + (hold->by.empty() ? "" : " by " + hold->by) + (hold->why.empty() ? "." : ": " + hold->why);
    return wait(release, hold->until, sentence);
  }
  auto when = std::max(due_at(release, place_in_wave(situation.instance, release.version)), situation.now);
  if (situation.window) when = situation.window->next(when);
  if (when > situation.now) return wait(release, when, name + " installs itself here on " + moment(when) + "; `basalt upgrade apply --now` does it at once.");
  return install(release, name + " is due here.");
}

Release wanted(const Releases& releases, std::string_view version, const Situation& situation) {
  auto refuse = [](std::string sentence) { throw Failure(FailureKind::Conflict, std::move(sentence)); };
  auto* release = releases.find(version);
  if (!release) {
    auto* newest = releases.newest();
    refuse("There is no version " + std::string(version.substr(0, 60)) + " in the list of releases" + (newest ? "; the newest is " + newest->version + "." : ", which is empty."));
  }
  if (auto why = hindrance(releases, *release, situation); !why.empty()) refuse(why);
  return *release;
}

std::optional<std::string> withdrawn(const Releases& releases, std::string_view version) {
  auto* release = releases.find(version);
  if (!release || !release->withdrawn) return std::nullopt;
  return release->withdrawn_why;
}

double place_in_wave(std::string_view instance, std::string_view version) {
  auto hash = sha256(std::string(instance) + "\n" + std::string(version));
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(hash[static_cast<std::size_t>(i)]);
  return static_cast<double>(number >> 11) * 0x1p-53;  // 53 bits: never rounds up to 1
}

std::chrono::hours wave_length(const Release& release) {
  if (release.over) return *release.over;
  switch (release.release_class) {
    case Class::Security: return std::chrono::hours(24);
    case Class::Minor: return std::chrono::hours(7 * 24);
    case Class::Major: return std::chrono::hours(6 * 7 * 24);
  }
  return std::chrono::hours(7 * 24);
}

Timestamp due_at(const Release& release, double place) {
  auto microseconds = static_cast<double>(std::chrono::microseconds(wave_length(release)).count()) * std::sqrt(std::clamp(place, 0.0, 1.0));
  return release.released_at + std::chrono::microseconds(static_cast<std::int64_t>(microseconds));
}

}  // namespace basalt::release
