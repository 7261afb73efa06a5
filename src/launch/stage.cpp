#include "launch/stage.h"

#include "base/failure.h"
#include "launch/trial.h"
#include "release/version.h"

namespace basalt::launch {

release::Situation situation(const State& state, const Slots& slots, const Policy& policy, Timestamp now) {
  release::Situation out;
  out.current = current_slot(state, slots).version;
  out.platform = release::this_platform();
  out.instance = state.instance;
  out.now = now;
  out.policy = policy.policy;
  out.window = policy.window;
  if (state.is_held(now)) out.hold = release::Hold{state.hold->until, state.hold->by, state.hold->why};
  for (auto& one : state.denied) out.denied.push_back({one.version, one.why});
  return out;
}

json::object seen_json(const release::Releases& releases, const release::Decision& decision, const release::Situation& situation) {
  json::value newest;
  for (auto& one : releases.releases) {
    if (one.withdrawn || !release::is_newer(one.version, situation.current)) continue;
    newest = json::object{{"version", one.version}, {"class", release::name_of(one.release_class)}, {"released_at", to_text(one.released_at)}, {"schema", json::or_null(one.schema)}, {"notes", one.notes.substr(0, 4000)}};
  }
  return {{"checked_at", to_text(situation.now)}, {"feed", "ok"}, {"newest", newest}, {"withdrawn", json::or_null(release::withdrawn(releases, situation.current))}, {"due", decision.to_json()}};
}

json::object seen_json(const std::string& failure, Timestamp now) {
  return {{"checked_at", to_text(now)}, {"feed", "failed: " + failure}, {"newest", nullptr}, {"withdrawn", nullptr}, {"due", nullptr}};
}

Slot fetch(const release::Repository& source, const release::Release& release, Slots& slots, const State& state, const client::Told& told) {
  auto* artefact = release.artefact(release::this_platform());
  if (!artefact) throw Failure(FailureKind::Conflict, "Version " + release.version + " is not made for " + std::string(release::this_platform()) + ".");
  if (auto there = slots.find(release.version); there && there->name == release.version && json::text(there->release, "sha256") == artefact->sha256) return *there;
  auto folder = slots.folder() / "downloads";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure(FailureKind::Unavailable, "The folder " + folder.string() + " could not be made: " + error.message() + ".");
  // What was cut off and never asked for again; the wanted one goes on where it stopped.
  auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  std::vector<std::filesystem::path> left;
  for (auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::error_code unknown;
    if (entry.is_regular_file(unknown) && !entry.path().filename().string().starts_with(artefact->file) && entry.last_write_time(unknown) < old && !unknown) left.push_back(entry.path());
  }
  for (auto& path : left) std::filesystem::remove(path, error);
  // The archive, and about three times as much unpacked.
  slots.require_room(artefact->bytes * 4);
  auto archive = folder / artefact->file;
  release::fetch_artefact(source, release, release::this_platform(), archive, told);
  std::set<std::string> in_use{state.current};
  if (state.previous) in_use.insert(*state.previous);
  auto slot = slots.add(archive, release.version, release.as_signed, in_use);
  std::filesystem::remove(archive, error);
  return slot;
}

}  // namespace basalt::launch
