#include "launch/state.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/durable_file.h"
#include "base/failure.h"

namespace basalt::launch {
namespace {

constexpr int format = 1;
constexpr std::size_t most_bytes = 16 << 20, most_denied = 100;

constexpr std::array<std::pair<Phase, std::string_view>, 10> names{{
    {Phase::Staged, "staged"}, {Phase::Measured, "measured"}, {Phase::Starting, "starting"}, {Phase::Ready, "ready"}, {Phase::Judged, "judged"},
    {Phase::Observing, "observing"}, {Phase::Good, "good"}, {Phase::RollingBack, "rolling back"}, {Phase::RolledBack, "rolled back"}, {Phase::Refused, "refused"}}};

json::value time_text(Timestamp at) { return at == Timestamp() ? json::value(nullptr) : json::value(to_text(at)); }
Timestamp time_of(const json::value& v, const char* key) {
  auto text = json::text(v, key);
  return text ? parse_timestamp(*text).value_or(Timestamp()) : Timestamp();
}
std::string text_of(const json::value& v, const char* key) { return json::text(v, key).value_or(""); }
int number_of(const json::value& v, const char* key) { return static_cast<int>(json::integer(v, key).value_or(0)); }

std::optional<Run> run_of(const json::value& v) {
  auto phase = phase_of(text_of(v, "phase"));
  if (!phase || text_of(v, "from").empty() || text_of(v, "to").empty()) return std::nullopt;
  Run out;
  out.phase = *phase;
  out.from = text_of(v, "from");
  out.to = text_of(v, "to");
  out.to_version = json::text(v, "to_version").value_or(out.to);
  out.by = text_of(v, "by");
  out.back = json::boolean(v, "back").value_or(false);
  out.tries = number_of(v, "tries");
  out.schema_before = number_of(v, "schema_before");
  out.previous_before = json::text(v, "previous_before");
  if (auto* before = json::find(v, "before")) out.before = *before;
  out.error = text_of(v, "error");
  out.started_at = time_of(v, "started_at");
  out.ended_at = time_of(v, "ended_at");
  return out;
}

}  // namespace

std::string_view name_of(Phase phase) {
  for (auto& [one, name] : names) if (one == phase) return name;
  return "";
}

std::optional<Phase> phase_of(std::string_view name) {
  for (auto& [phase, one] : names) if (one == name) return phase;
  return std::nullopt;
}

json::object Run::to_json() const {
  return {{"phase", name_of(phase)}, {"from", from}, {"to", to}, {"to_version", to_version}, {"by", by}, {"back", back}, {"tries", tries}, {"schema_before", schema_before},
          {"previous_before", json::or_null(previous_before)}, {"before", before}, {"error", error.empty() ? json::value(nullptr) : json::value(error)}, {"started_at", time_text(started_at)}, {"ended_at", time_text(ended_at)}};
}

bool State::is_denied(std::string_view version) const {
  for (auto& one : denied) if (one.version == version) return true;
  return false;
}

json::object State::to_json() const {
  json::object out = unknown;
  out["format"] = format;
  out["current"] = current;
  out["previous"] = json::or_null(previous);
  out["instance"] = instance;
  out["installed_version"] = installed_version;
  out["run"] = run ? json::value(run->to_json()) : json::value(nullptr);
  json::array list;
  for (auto& one : denied) list.push_back(json::object{{"version", one.version}, {"why", one.why}, {"at", time_text(one.at)}});
  out["denied"] = std::move(list);
  out["hold"] = hold ? json::value(json::object{{"until", hold->until ? json::value(to_text(*hold->until)) : json::value(nullptr)}, {"by", hold->by}, {"why", hold->why}, {"at", time_text(hold->at)}}) : json::value(nullptr);
  out["newest_seen"] = newest_seen;
  return out;
}

State State::from_json(const json::value& v) {
  auto* members = v.if_object();
  if (!members) throw Failure(FailureKind::BadRequest, "It is no JSON object.");
  if (json::integer(v, "format").value_or(format) > format) throw Failure(FailureKind::BadRequest, "It is of a later Basalt.");
  State out;
  for (auto& [key, value] : *members) {
    static constexpr std::array<std::string_view, 9> known{"format", "instance", "current", "previous", "installed_version", "run", "denied", "hold", "newest_seen"};
    if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) out.unknown[key] = value;
  }
  out.current = json::text(v, "current").value_or(installed_slot);
  out.previous = json::text(v, "previous");
  out.instance = text_of(v, "instance");
  out.installed_version = text_of(v, "installed_version");
  if (auto* run = json::find(v, "run")) out.run = run_of(*run);
  if (auto* list = json::sub_array(v, "denied"))
    for (auto& one : *list)
      if (auto version = json::text(one, "version"); version && out.denied.size() < most_denied) out.denied.push_back({*version, text_of(one, "why"), time_of(one, "at")});
  if (auto* hold = json::find(v, "hold"); hold && hold->is_object()) {
    Held held;
    if (auto until = json::text(*hold, "until")) held.until = parse_timestamp(*until);
    held.by = text_of(*hold, "by");
    held.why = text_of(*hold, "why");
    held.at = time_of(*hold, "at");
    out.hold = held;
  }
  if (auto* seen = json::find(v, "newest_seen")) out.newest_seen = *seen;
  return out;
}

State read_state(const std::filesystem::path& versions) {
  auto file = versions / "state.json";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return {};
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  auto refused = [&](const std::string& why) {
    return Failure(FailureKind::BadRequest, "The file " + file.string() + " cannot be used (" + why + "); move it away to start with the installed version.");
  };
  if (!in || text.view().size() > most_bytes) throw refused("it cannot be read");
  auto parsed = json::try_parse(text.str());
  if (!parsed) throw refused("it is no JSON");
  try {
    return State::from_json(*parsed);
  } catch (const Failure& failure) {
    auto why = failure.sentence();
    why.pop_back();
    throw refused(why);
  }
}

void write_state(const std::filesystem::path& versions, const State& state) { write_durably(versions / "state.json", json::write(state.to_json()) + "\n"); }

}  // namespace basalt::launch
