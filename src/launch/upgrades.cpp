#include "launch/upgrades.h"

#include "base/failure.h"
#include "base/log.h"

namespace basalt::launch {

Upgrades::Upgrades(Children& children, UpgradeOptions options)
    : slots_(options.versions_folder, options.program, options.version), trial_(children, slots_, options.trial, {system_clock()}), agent_(std::move(options.agent), slots_, system_clock()) {
  slots_.prune([&] {
    std::set<std::string> keep{trial_.state().current};
    if (trial_.state().previous) keep.insert(*trial_.state().previous);
    if (trial_.state().run) keep.insert({trial_.state().run->from, trial_.state().run->to});
    return keep;
  }());
}

void Upgrades::tick() {
  trial_.tick();
  if (auto seen = agent_.seen()) trial_.seen(*seen);
  auto ready = agent_.ready(trial_.state());
  if (!ready) return;
  try {
    last_refusal_.clear();
    trial_.begin(ready->version, {ready->by, ready->anyway});
  } catch (const Failure& failure) {
    last_refusal_ = failure.sentence();
    log::warning("A version that was fetched is not tried", {{"version", ready->version}, {"why", last_refusal_}});
  }
}

json::object Upgrades::to_json() {
  auto out = trial_.to_json();
  out["agent"] = agent_.to_json();
  if (!last_refusal_.empty() && out["agent"].at("error").is_null()) out["agent"].get_object()["error"] = last_refusal_;
  return out;
}

void Upgrades::command(const json::object& request, std::shared_ptr<Reply> reply) {
  auto text = [&](const char* key) { return json::text(request, key).value_or("").substr(0, 500); };
  auto what = text("do"), by = text("by").empty() ? std::string("somebody") : text("by");
  bool anyway = json::boolean(request, "anyway").value_or(false);
  auto done = [&](const std::string& sentence) { reply->end({{"ok", true}, {"message", sentence}}); };
  if (what == "try") {
    trial_.begin(text("version"), {by, anyway});
    return done("Basalt " + text("version") + " is on trial.");
  }
  if (what == "apply") {
    if (auto why = trial_.busy(); !why.empty()) throw Failure(FailureKind::Conflict, why);
    last_refusal_.clear();
    agent_.fetch(text("version"), by, anyway);
    return done(text("version").empty() ? "The newest version is looked for and tried." : "Basalt " + text("version") + " is fetched and tried.");
  }
  if (what == "roll-back") {
    trial_.roll_back(by);
    return done("Going back to the version before.");
  }
  if (what == "hold") {
    Held held;
    if (auto until = text("until"); !until.empty()) {
      held.until = parse_timestamp(until);
      if (!held.until) throw Failure(FailureKind::BadRequest, "\"" + until + "\" is no time; a time is like 2026-12-24 or 2026-12-24T18:00Z.");
    }
    held.by = by;
    held.why = text("why");
    held.at = system_clock().now();
    trial_.hold(held);
    return done("Upgrades are on hold" + (held.until ? " until " + to_text(*held.until).substr(0, 16) + " UTC." : "."));
  }
  if (what == "unhold") {
    trial_.unhold();
    return done("Upgrades are no longer on hold.");
  }
  if (what == "look") {
    agent_.look();
    return done("The releases are looked at.");
  }
  throw Failure(FailureKind::BadRequest, "The launcher does not know the command \"" + what + "\".");
}

}  // namespace basalt::launch
