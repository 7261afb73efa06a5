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

constexpr std::int64_t day_seconds = 86'400;
constexpr std::array<std::string_view, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::optional<int> minute_of(std::string_view text) {
  auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
  if (hour > 24 || minute > 59 || (hour == 24 && minute != 0)) return std::nullopt;
  return hour * 60 + minute;
}

// "Mon,Wed", "Mon-Fri,Sun".
std::optional<std::array<bool, 7>> days_of(std::string_view text) {
  std::array<bool, 7> out{};
  auto number = [](std::string_view name) { return static_cast<std::size_t>(std::find(day_names.begin(), day_names.end(), name) - day_names.begin()); };
  for (;;) {
    auto part = text.substr(0, text.find(','));
    auto first = number(part.substr(0, part.find('-'))), last = part.find('-') == std::string_view::npos ? first : number(part.substr(part.find('-') + 1));
    if (first > 6 || last > 6) return std::nullopt;
    for (auto day = first;; day = (day + 1) % 7) {
      out[day] = true;
      if (day == last) break;
    }
    if (part.size() == text.size()) return out;
    text.remove_prefix(part.size() + 1);
  }
}

// Seconds since 1970 as the window's clock on the wall shows them.
std::int64_t local_of(const Window& window, Timestamp at) {
  auto utc = floor<std::chrono::seconds>(at).time_since_epoch().count();
  return utc + (window.zone ? window.zone->offset_at(utc) : 0);
}
std::size_t weekday_of(std::int64_t day) { return static_cast<std::size_t>((day + 4) % 7); }  // 1970 began on a Thursday

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
  std::vector<std::string_view> words;
  while (!text.empty()) {
    auto end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  Window out;
  std::size_t at = 0;
  if (!words.empty() && words[0].find(':') == std::string_view::npos) {
    auto days = days_of(words[at++]);
    if (!days) return std::nullopt;
    out.days = *days;
  }
  if (at == words.size()) return std::nullopt;
  auto hours = words[at++];
  if (hours.size() != 11 || hours[5] != '-') return std::nullopt;
  auto from = minute_of(hours.substr(0, 5)), to = minute_of(hours.substr(6));
  if (!from || !to || *from == *to || *from == 24 * 60) return std::nullopt;
  out.from = *from;
  out.to = *to;
  if (at < words.size() && !(out.zone = TimeZone::find(words[at++]))) return std::nullopt;
  return at == words.size() ? std::optional(out) : std::nullopt;
}

bool Window::contains(Timestamp at) const {
  auto local = local_of(*this, at);
  auto minute = static_cast<int>((local % day_seconds) / 60);
  auto today = weekday_of(local / day_seconds), yesterday = (today + 6) % 7;
  if (from < to) return days[today] && minute >= from && minute < to;
  return (days[today] && minute >= from) || (days[yesterday] && minute < to);
}

Timestamp Window::next(Timestamp at) const {
  if (contains(at)) return at;
  auto today = local_of(*this, at) / day_seconds;
  for (auto day = today; day <= today + 8; ++day) {
    if (!days[weekday_of(day)]) continue;
    auto begin = day * day_seconds + from * 60;
    Timestamp utc{std::chrono::seconds(begin - (zone ? zone->offset_of_local(begin) : 0))};
    if (utc >= at) return utc;
  }
  return at + std::chrono::days(7);  // no day is like that
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
