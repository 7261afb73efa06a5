// upgrade check, apply, status, rollback, hold, finalize: versions of the program itself. The schema's side is in migrate_commands.cpp.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "base/version.h"
#include "commands/opened.h"
#include "commands/upgrades.h"
#include "launch/control.h"
#include "launch/lock.h"
#include "release/version.h"
#include "startup/release_options.h"

namespace basalt::commands {
namespace {

using namespace std::chrono_literals;

std::filesystem::path control_path(const Config& config) { return std::filesystem::path(config.versions_directory()) / "launcher.sock"; }

// What the launcher says of versions; absent while none runs.
std::optional<json::object> asked(const Config& config, const json::object& request) {
  try {
    return launch::ask_launcher(control_path(config), request, {}, 20s);
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::Unavailable) return std::nullopt;
    throw;
  }
}

std::string who() {
  const char* name = std::getenv("SUDO_USER");
  if (!name || !*name) name = std::getenv("USER");
  return name && *name ? name : "a person at the terminal";
}

// By descriptors, and never through a link: that somebody could put one there meanwhile, or a second name of a file of root's.
void give(int folder, const char* name, const struct stat& owner) {
  struct stat now {};
  if (::fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!S_ISDIR(now.st_mode)) {
    if (now.st_nlink == 1) (void)!::fchownat(folder, name, owner.st_uid, owner.st_gid, AT_SYMLINK_NOFOLLOW);
    return;
  }
  int inside = ::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  auto* entries = inside < 0 ? nullptr : ::fdopendir(inside);
  if (!entries) {
    if (inside >= 0) ::close(inside);
    return;
  }
  (void)!::fchown(inside, owner.st_uid, owner.st_gid);
  while (auto* entry = ::readdir(entries))
    if (std::string_view one = entry->d_name; one != "." && one != "..") give(inside, entry->d_name, owner);
  ::closedir(entries);
}

// What the server's user can write, root does not run.
void become_owner(const std::filesystem::path& program, const std::filesystem::path& folder) {
  struct stat owner {};
  if (::geteuid() != 0) return;
  bool known = ::stat(program.c_str(), &owner) == 0 && (owner.st_uid != 0 || ::stat(folder.c_str(), &owner) == 0);
  if (known && owner.st_uid == 0) return;
  if (!known || ::setgroups(0, nullptr) != 0 || ::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0)
    throw Failure(FailureKind::Forbidden, "Run this as the user of the server: basalt-as-service upgrade finalize.");
}

// Made by root in a folder of somebody else, files are that one's, who runs the launcher.
void give_to_owner(const std::filesystem::path& path, const std::filesystem::path& folder) {
  struct stat owner {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &owner) != 0 || owner.st_uid == 0) return;
  give(AT_FDCWD, path.c_str(), owner);
}

std::string text_of(const json::value& v, const char* key) { return json::text(v, key).value_or(""); }

int told(const Options& options, int code, const std::string& sentence, json::object more = {}) {
  if (options.json) {
    more["code"] = code;
    more["sentence"] = sentence;
    print(json::value(std::move(more)));
  } else {
    std::cout << sentence << "\n";
  }
  return code;
}

// A refusal that a sentence explains, with the exit code that says that nothing was changed.
int blocking(const Options& options, const std::function<int()>& work) {
  try {
    return work();
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::Bug) throw;
    int code = failure.error_type() == "nothing-to-do" ? nothing_to_do : blocked_unchanged;
    if (options.json || code == nothing_to_do) return told(options, code, failure.sentence());
    std::cerr << "basalt: " << failure.sentence() << "\n";
    return code;
  }
}

// Waits for the end of the run that `started` says was begun, telling each step.
int followed(const Config& config, const Options& options, const std::string& began_after) {
  std::string last;
  auto silent_since = std::chrono::steady_clock::now();
  for (;;) {
    auto status = asked(config, {{"do", "status"}});
    if (!status) {
      if (std::chrono::steady_clock::now() - silent_since > 30s)
        return told(options, needs_a_person, "The launcher does not answer any more; when it starts again it goes on, and `basalt upgrade status` tells.");
      std::this_thread::sleep_for(300ms);
      continue;
    }
    silent_since = std::chrono::steady_clock::now();
    auto* run = json::sub_object(*status, "run");
    if (!run || text_of(*run, "started_at") == began_after) return told(options, needs_a_person, "The launcher knows of no such run; `basalt upgrade status` tells what is.");
    auto ended = text_of(*run, "ended_at");
    if (ended.empty()) {
      auto step = text_of(*run, "step");
      if (step != last && !step.empty()) std::cerr << "  " << step << "\n";
      last = step;
      std::this_thread::sleep_for(300ms);
      continue;
    }
    auto phase = text_of(*run, "phase"), error = text_of(*run, "error"), version = text_of(*run, "to_version"), current = text_of(*status, "current_version");
    bool back = json::boolean(*run, "back").value_or(false);
    json::object more{{"run", *run}, {"current_version", current}};
    if (phase == "good") return told(options, done, "Basalt " + version + " serves, and is as good as the version before.", std::move(more));
    if (phase == "refused") return told(options, blocked_unchanged, "Basalt " + version + " was not tried: " + error, std::move(more));
    bool person = error.find("a person must look") != std::string::npos;
    if (back && !person) return told(options, done, "Basalt " + current + " serves again.", std::move(more));
    return told(options, person ? needs_a_person : rolled_back, "Basalt " + version + " was taken back, Basalt " + current + " serves: " + error, std::move(more));
  }
}

launch::State state_of(const Config& config) { return launch::read_state(config.versions_directory()); }

}  // namespace

launch::Slots slots_of(const Config& config) { return launch::Slots(config.versions_directory(), own_program(), version()); }

std::filesystem::path own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  auto text = path.string();
  // A package that replaced the file meanwhile; what is there now is what is installed.
  if (const std::string_view gone = " (deleted)"; text.ends_with(gone)) text.resize(text.size() - gone.size());
  return text;
}

launch::Policy upgrade_policy(const Config& config) {
  auto policy = release::policy_of(config.text("upgrade-policy"));
  if (!policy) throw Failure(FailureKind::BadRequest, "The option upgrade-policy must be off, notify, minor or all; it is \"" + config.text("upgrade-policy") + "\".");
  launch::Policy out{*policy, {}};
  if (auto& window = config.text("upgrade-window"); !window.empty()) {
    out.window = release::Window::parse(window);
    if (!out.window) throw Failure(FailureKind::BadRequest, "The option upgrade-window must be like 02:00-05:00 or \"Sun 02:00-05:00\"; it is \"" + window + "\".");
  }
  return out;
}

launch::Origin release_origin(const Config& config) {
  return {[config](std::stop_token stop) { return startup::release_source(config, std::move(stop)); }, [config] { return startup::needed_release_root(config); }, startup::release_trust(config)};
}

launch::UpgradeOptions upgrade_options(const Config& config) {
  launch::UpgradeOptions out;
  out.versions_folder = config.versions_directory();
  out.program = own_program();
  out.version = version();
  out.trial.observe = std::chrono::seconds(std::clamp<std::int64_t>(config.integer("upgrade-observe"), 1, 24 * 3600));
  out.trial.bake_time = std::chrono::minutes(std::clamp<std::int64_t>(config.integer("bake-time"), 0, 365 * 24 * 60));
  out.agent.policy = upgrade_policy(config);
  out.agent.origin = release_origin(config);
  if (config.text("release-feed").empty()) out.agent.policy.policy = release::Policy::Off;
  return out;
}

int upgrade_check(const Config& config, const Options& options) {
  return blocking(options, [&] {
    auto origin = release_origin(config);
    auto source = origin.source({});
    release::Trust trust(origin.trust, origin.root());
    auto now = system_clock().now();
    auto releases = trust.refresh(*source, now);
    give_to_owner(origin.trust, config.versions_directory());
    auto slots = slots_of(config);
    auto status = asked(config, {{"do", "status"}});
    auto state = status ? launch::State::from_json(*status) : state_of(config);
    auto here = launch::situation(state, slots, upgrade_policy(config), now);
    if (status) here.current = text_of(*status, "current_version");
    auto decision = release::due(releases, here);
    auto seen = launch::seen_json(releases, decision, here);
    auto* newest = json::sub_object(seen, "newest");
    auto gone = text_of(seen, "withdrawn");
    auto sentence = (gone.empty() ? std::string() : "Basalt " + here.current + ", which serves, was withdrawn: " + gone + "\n") + decision.sentence;
    return told(options, newest ? done : nothing_to_do, sentence, std::move(seen));
  });
}

int upgrade_apply(const Config& config, const Options& options) {
  return blocking(options, [&] {
    auto origin = release_origin(config);
    auto slots = slots_of(config);
    auto status = asked(config, {{"do", "status"}});
    std::unique_ptr<launch::Lock> lock;
    if (!status) lock = launch::Lock::take(config.versions_directory());
    auto state = status ? launch::State::from_json(*status) : state_of(config);
    if (auto why = launch::busy(state); !why.empty()) throw Failure(FailureKind::Conflict, why);
    auto now = system_clock().now();
    auto here = launch::situation(state, slots, upgrade_policy(config), now);
    if (status) here.current = text_of(*status, "current_version");
    // Whoever names a version, or brings it, does not wait for its turn; a hold and a failure here count still.
    bool named = !options.version.empty() || !options.bundle.empty();
    here.asked = options.now || named;
    if (here.hold && !options.now) throw Failure(FailureKind::Conflict, "Upgrades are on hold" + (here.hold->until ? " until " + moment(to_text(*here.hold->until)) + " UTC" : std::string()) + (here.hold->why.empty() ? "" : " (" + here.hold->why + ")") + "; `basalt upgrade hold --off` lifts it, --now passes over it.");
    if (!options.version.empty() && release::compare_versions(options.version, here.current) == 0) return told(options, nothing_to_do, "Basalt " + here.current + " serves already.");
    // A version that is here already, and was checked when it came, needs nobody.
    auto local = options.bundle.empty() && !options.version.empty() ? slots.find(options.version) : std::nullopt;
    std::string version = options.version;
    if (!local || local->name == launch::installed_slot) {
      auto source = options.bundle.empty() ? origin.source({}) : release::open_bundle(options.bundle);
      release::Trust trust(origin.trust, origin.root());
      auto releases = trust.refresh(*source, now);
      give_to_owner(origin.trust, config.versions_directory());
      std::optional<release::Release> chosen;
      if (!version.empty()) {
        chosen = release::wanted(releases, version, here);
      } else {
        here.policy = release::Policy::All;
        auto decision = release::due(releases, here);
        if (decision.kind != release::Decision::Kind::Install) return told(options, nothing_to_do, decision.sentence + (decision.kind == release::Decision::Kind::Wait ? " `basalt upgrade apply --now` does not wait." : ""), {{"due", decision.to_json()}});
        chosen = decision.release;
      }
      if (!options.now && state.is_denied(chosen->version)) {
        std::string why;
        for (auto& one : state.denied) if (one.version == chosen->version) why = one.why;
        throw Failure(FailureKind::Conflict, "Basalt " + chosen->version + " failed here before: " + why + " --now tries it again.");
      }
      version = chosen->version;
      std::cerr << "  fetching " << version << " from " << source->shown() << "\n";
      launch::fetch(*source, *chosen, slots, state);
      give_to_owner(slots.folder() / version, slots.folder());
      give_to_owner(slots.folder() / "downloads", slots.folder());
    }
    if (lock) {
      launch::stage(state, slots, version, {who(), options.now}, now);
      launch::write_state(slots.folder(), state);
      give_to_owner(slots.folder() / "state.json", slots.folder());
      return told(options, done, "Basalt " + version + " is on this host and checked. No `basalt launch` runs on this data directory; the next one that starts tries it, and goes back by itself when it is worse.", {{"version", version}, {"staged", true}});
    }
    auto before = json::sub_object(*status, "run");
    launch::ask_launcher(control_path(config), {{"do", "try"}, {"version", version}, {"by", who()}, {"anyway", options.now}}, {}, 20s);
    return followed(config, options, before ? text_of(*before, "started_at") : "");
  });
}

int upgrade_rollback(const Config& config, const Options& options) {
  return blocking(options, [&] {
    if (asked(config, {{"do", "status"}})) {
      launch::ask_launcher(control_path(config), {{"do", "roll-back"}, {"by", who()}}, {}, 20s);
      return followed(config, options, "");
    }
    auto lock = launch::Lock::take(config.versions_directory());
    auto slots = slots_of(config);
    auto state = state_of(config);
    if (state.has_open_run()) {
      // It is on its way; the next launcher turns it round before anything of the new version starts.
      state.current = state.run->from;
      state.previous = state.run->previous_before;
      state.run->phase = launch::Phase::RollingBack;
      state.run->error = who() + " asked to go back.";
    } else {
      launch::stage_way_back(state, slots, who(), system_clock().now());
    }
    launch::write_state(slots.folder(), state);
    give_to_owner(slots.folder() / "state.json", slots.folder());
    return told(options, done, "The next `basalt launch` on this data directory starts Basalt " + launch::current_slot(state, slots).version + ".");
  });
}

int upgrade_hold(const Config& config, const Options& options) {
  return blocking(options, [&] {
    auto request = options.off ? json::object{{"do", "unhold"}} : json::object{{"do", "hold"}, {"until", options.until}, {"why", options.why}, {"by", who()}};
    if (auto status = asked(config, {{"do", "status"}}); status && options.off && !json::sub_object(*status, "hold")) return told(options, nothing_to_do, "Upgrades are not on hold.");
    if (auto answer = asked(config, request)) return told(options, done, text_of(*answer, "message"));
    auto lock = launch::Lock::take(config.versions_directory());
    auto state = state_of(config);
    if (options.off && !state.hold) return told(options, nothing_to_do, "Upgrades are not on hold.");
    state.hold.reset();
    if (!options.off) {
      launch::Held held;
      if (!options.until.empty()) held.until = parse_timestamp(options.until);
      if (!options.until.empty() && !held.until) throw Failure(FailureKind::BadRequest, "\"" + options.until + "\" is no time; a time is like 2026-12-24 or 2026-12-24T18:00Z.");
      held.by = who();
      held.why = options.why;
      held.at = system_clock().now();
      state.hold = held;
    }
    launch::write_state(config.versions_directory(), state);
    give_to_owner(std::filesystem::path(config.versions_directory()) / "state.json", config.versions_directory());
    return told(options, done, options.off ? "Upgrades are no longer on hold." : "Upgrades are on hold" + (state.hold->until ? " until " + moment(to_text(*state.hold->until)) + " UTC." : "."));
  });
}

int upgrade_finalize(const Config& config, const Migrations& migrations, const Options& options) {
  auto status = asked(config, {{"do", "status"}});
  auto state = status ? launch::State::from_json(*status) : state_of(config);
  if (state.has_open_run()) {
    std::cerr << "basalt: " << launch::busy(state) << " What finalize puts into effect takes away the quick way back.\n";
    return blocked_unchanged;
  }
  // An older program, as the installed one may be, does not know what the version that serves has put off.
  auto slots = slots_of(config);
  auto serves = launch::current_slot(state, slots);
  if (release::is_newer(serves.version, version())) {
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
    words.at(0) = serves.program;
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    become_owner(serves.program, slots.folder());
    ::execv(serves.program.c_str(), arguments.data());
    throw Failure(FailureKind::Unavailable, "Basalt " + serves.version + ", which serves, could not be asked to do it (" + serves.program.string() + ").");
  }
  return migrate_finalize(config, migrations, options);
}

namespace {

std::string versions_text(const json::object& versions, bool launcher) {
  std::vector<std::vector<std::string>> facts;
  auto current = text_of(versions, "current"), previous = text_of(versions, "previous");
  facts.push_back({"launcher", launcher ? "runs" : "does not run here (`basalt launch`); versions are exchanged by whoever starts the server"});
  std::string list;
  if (auto* slots = json::sub_array(versions, "slots"))
    for (auto& slot : *slots) {
      auto name = text_of(slot, "name");
      list += (list.empty() ? "" : ", ") + text_of(slot, "version") + (name == launch::installed_slot ? " (installed)" : "") + (name == current && launcher ? " serves" : name == previous ? " before" : "");
    }
  facts.push_back({"versions", list});
  if (auto* run = json::sub_object(versions, "run")) {
    auto phase = text_of(*run, "phase"), error = text_of(*run, "error"), step = text_of(*run, "step");
    auto left = json::integer(*run, "seconds_left");
    facts.push_back({text_of(*run, "ended_at").empty() ? "on trial" : "last trial", text_of(*run, "to_version") + "  " + phase + (text_of(*run, "ended_at").empty() ? (step.empty() ? "" : ": " + step) + (left ? ", " + std::to_string(*left) + " s more" : std::string()) : " at " + moment(text_of(*run, "ended_at")) + (error.empty() ? "" : ": " + error))});
  }
  if (auto* denied = json::sub_array(versions, "denied"))
    for (auto& one : *denied) facts.push_back({"failed", text_of(one, "version") + "  " + text_of(one, "why")});
  if (json::boolean(versions, "held").value_or(false)) {
    auto& hold = *json::sub_object(versions, "hold");
    facts.push_back({"on hold", (text_of(hold, "until").empty() ? std::string("until it is lifted") : "until " + moment(text_of(hold, "until")) + " UTC") + (text_of(hold, "why").empty() ? "" : ": " + text_of(hold, "why")) + " (" + text_of(hold, "by") + ")"});
  }
  if (auto* seen = json::sub_object(versions, "newest_seen"))
    if (auto* due = json::sub_object(*seen, "due")) facts.push_back({"releases", text_of(*due, "sentence") + " (looked at " + moment(text_of(*seen, "checked_at")) + ")"});
  return columns(facts);
}

}  // namespace

int upgrade_status(const Config& config, const Migrations& migrations, const Options& options) {
  auto status = asked(config, {{"do", "status"}});
  auto versions = status ? *status : launch::told(state_of(config), slots_of(config), system_clock().now());
  versions.erase("ok");
  if (!options.json) {
    std::cout << versions_text(versions, status.has_value()) << "\n";
    return migrate_status(config, migrations, options);
  }
  Looking looking(config, migrations);
  auto out = upgrade::status(looking.context).to_json();
  std::ifstream in(std::filesystem::path(config.data_directory()) / "upgrade-state.json");
  std::stringstream text;
  text << in.rdbuf();
  out["side_file"] = json::try_parse(text.str()).value_or(json::value(nullptr));
  out["versions"] = std::move(versions);
  out["launcher"] = status.has_value();
  print(json::value(std::move(out)));
  return done;
}

}  // namespace basalt::commands
