#include "launch/trial.h"

#include <algorithm>
#include <exception>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "release/version.h"

namespace basalt::launch {
namespace {

using namespace std::chrono_literals;

constexpr auto old_patience = 60s;  // for the version that serves to come up, before a run that was cut off goes on
constexpr auto at_once_patience = 5s;
constexpr int most_downs = 5;
constexpr const char* probe_path = "/api/updates/probe";

std::string without_stop(std::string sentence) {
  while (!sentence.empty() && (sentence.back() == '.' || sentence.back() == '\n' || sentence.back() == ' ')) sentence.pop_back();
  return sentence;
}

std::string last_line(const std::string& text) {
  auto end = text.find_last_not_of(" \r\n");
  if (end == std::string::npos) return "";
  auto begin = text.rfind('\n', end);
  auto line = text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1);
  if (line.starts_with("basalt: ")) line.erase(0, 8);
  return line.substr(0, 500);
}

}  // namespace

Trial::Trial(Children& children, Slots& slots, TrialOptions options, Times times)
    : children_(children), slots_(slots), options_(std::move(options)), times_(std::move(times)), state_(read_state(slots.folder())) {
  clear();
}

Trial::~Trial() = default;

void Trial::clear() {
  step_ = Step::Idle;
  words_.clear();
  step_began_ = moved_at_ = next_beat_ = observed_from_ = times_.steady();
  moved_ = 0;
  ticket_.reset();
  beat_.reset();
  first_ = second_ = third_ = nullptr;
  new_.reset();
  old_.reset();
  at_once_ = false;
  missed_ = downs_ = back_tries_ = 0;
  old_memory_ = 0;
}

void Trial::save() { write_state(slots_.folder(), state_); }

void Trial::save_or_log() {
  try {
    save();
  } catch (const std::exception& problem) {
    log::error("What is known of the upgrade cannot be written down", {{"why", problem.what()}});
  }
}

void Trial::back_and_log(const std::string& why) {
  try {
    back(why, true);
  } catch (const std::exception& problem) {
    log::error("Going back cannot be written down", {{"why", problem.what()}});
  }
}

std::int64_t Trial::usual_memory() const {
  auto measured = json::integer(state_.run->before, "memory_bytes").value_or(0);
  return measured > 0 ? measured : old_memory_;
}

void Trial::enter(Phase phase) {
  run().phase = phase;
  save();
  log::info("Upgrade", {{"version", run().to_version}, {"phase", std::string(name_of(phase))}});
}

void Trial::next(Step step, std::string words) {
  step_ = step;
  words_ = std::move(words);
  step_began_ = moved_at_ = times_.steady();
  ticket_.reset();
}

bool Trial::over(std::chrono::milliseconds most) const { return times_.steady() - step_began_ > most; }

std::string Trial::new_name() const { return "Basalt " + state_.run->to_version; }

Slot current_slot(const State& state, const Slots& slots) {
  if (auto slot = slots.find(state.current)) return *slot;
  return *slots.find(installed_slot);
}

std::string busy(const State& state) {
  if (!state.has_open_run()) return "";
  return state.run->back ? "Going back to the version before is not over; wait for it." : "The upgrade to " + state.run->to_version + " is not over (" + std::string(name_of(state.run->phase)) + "); wait for it, or stop it with `basalt upgrade rollback`.";
}

Slot Trial::current() const { return current_slot(state_, slots_); }
std::string Trial::busy() const { return launch::busy(state_); }

// ---- What people ask for

void Trial::begin(const std::string& version, const Asked& asked) {
  auto kept = state_;
  try {
    stage(state_, slots_, version, asked, times_.wall.now());
    clear();
    enter(Phase::Staged);
  } catch (...) {
    state_ = kept;
    throw;
  }
  next(Step::OldReady, "looking at the version that serves");
}

void require_allowed(const State& state, const std::string& version, Timestamp at) {
  if (state.is_held(at))
    throw Failure(FailureKind::Conflict, "Upgrades are on hold" + (state.hold->until ? " until " + to_text(*state.hold->until).substr(0, 16) + " UTC" : std::string()) + (state.hold->why.empty() ? "" : " (" + state.hold->why + ")") + "; `basalt upgrade hold --off` lifts it, --now passes over it.");
  for (auto& one : state.denied)
    if (one.version == version) throw Failure(FailureKind::Conflict, "Basalt " + version + " failed here before (" + without_stop(one.why) + "); --now tries it again.");
}

void stage(State& state, const Slots& slots, const std::string& version, const Asked& asked, Timestamp at) {
  if (auto why = busy(state); !why.empty()) throw Failure(FailureKind::Conflict, why);
  auto slot = slots.find(version);
  if (!slot) throw Failure(FailureKind::NotFound, "Version " + version + " is not on this host; `basalt upgrade apply` fetches it.");
  auto now = current_slot(state, slots);
  if (slot->name == now.name || slot->version == now.version) throw Failure(FailureKind::Conflict, "Basalt " + now.version + " serves already.").with_error_type("nothing-to-do");
  if (!release::is_newer(slot->version, now.version))
    throw Failure(FailureKind::Conflict, "Basalt " + slot->version + " is older than " + now.version + ", which serves; `basalt upgrade rollback` goes back.");
  if (!asked.anyway) require_allowed(state, slot->version, at);
  std::erase_if(state.denied, [&](auto& one) { return one.version == slot->version; });
  Run made;
  made.from = now.name;
  made.to = slot->name;
  made.to_version = slot->version;
  made.by = asked.by;
  made.previous_before = state.previous;
  made.started_at = at;
  state.run = std::move(made);
}

void stage_way_back(State& state, const Slots& slots, const std::string& by, Timestamp at) {
  if (auto why = busy(state); !why.empty()) throw Failure(FailureKind::Conflict, why);
  auto now = current_slot(state, slots);
  if (!state.previous || *state.previous == now.name || !slots.find(*state.previous)) throw Failure(FailureKind::Conflict, "There is no version to go back to on this host.");
  Run made;
  made.from = *state.previous;
  made.to = now.name;
  made.to_version = now.version;
  made.by = by;
  made.back = true;
  made.started_at = at;
  made.previous_before = state.previous;
  made.error = by + " asked to go back.";
  if (state.run && state.run->to == now.name && state.run->from == *state.previous) made.schema_before = state.run->schema_before;
  made.phase = Phase::RollingBack;
  state.run = std::move(made);
  state.current = state.run->from;
  state.previous = state.run->to;
}

void Trial::roll_back(const std::string& by) {
  auto why = by + " asked to go back";
  if (state_.has_open_run()) {
    if (run().phase == Phase::RollingBack) return;
    back(why + ".", false);
    return;
  }
  auto kept = state_;
  try {
    stage_way_back(state_, slots_, by, times_.wall.now());
    clear();
    back(why + ".", false);
  } catch (...) {
    state_ = kept;
    clear();
    throw;
  }
}

void Trial::hold(const Held& held) {
  state_.hold = held;
  save();
}

void Trial::unhold() {
  if (!state_.hold) throw Failure(FailureKind::Conflict, "Upgrades are not on hold.").with_error_type("nothing-to-do");
  state_.hold.reset();
  save();
}

void Trial::seen(const json::value& newest) {
  if (state_.newest_seen == newest) return;
  state_.newest_seen = newest;
  save();
}

// ---- What the launcher asks

std::string Trial::slot_to_start() {
  bool first = !std::exchange(asked_before_, true);
  if (first) {
    auto installed = *slots_.find(installed_slot);
    bool exchanged = state_.installed_version != installed.version;
    if (!slots_.find(state_.current)) {
      log::warning("The version that served is not on this host any more; the installed one serves", {{"version", state_.current}});
      if (state_.has_open_run()) { run().phase = Phase::RolledBack; run().error = "The version that served before is not on this host any more."; run().ended_at = times_.wall.now(); }
      state_.current = installed_slot;
      exchanged = true;
    }
    // Whoever installs a newer package wants that one.
    if (exchanged && !state_.has_open_run() && state_.current != installed_slot && !release::is_newer(current().version, installed.version)) {
      state_.previous = state_.current;
      state_.current = installed_slot;
    }
    if (exchanged || state_.instance.empty()) {
      state_.installed_version = installed.version;
      if (state_.instance.empty()) state_.instance = random_hex(16);
      save_or_log();
    }
    if (!state_.has_open_run()) return state_.current;
    clear();
    switch (run().phase) {
      case Phase::Staged: case Phase::Measured: case Phase::Starting: case Phase::Ready:
        next(Step::OldReady, "starting the version that served");
        break;
      case Phase::Judged: case Phase::Observing:
        ++run().tries;
        next(Step::Resumed, "starting " + new_name() + " again");
        save_or_log();
        if (run().tries > options_.tries) back_and_log(new_name() + " was started " + std::to_string(options_.tries) + " times and was ended each time before it was known to be good.");
        break;
      default: next(Step::Back, "going back");
    }
    return state_.current;
  }
  if (!state_.has_open_run()) return state_.current;
  if (run().gone_over()) {
    auto ended = last_serving_ ? children_.look(*last_serving_).ended : std::string();
    back_and_log(new_name() + " " + (ended.empty() ? "ended by itself" : without_stop(ended)) + ".");
  }
  // One that is on its way already shall be it.
  if (run().phase == Phase::RollingBack && old_ && children_.look(*old_).alive) children_.go(*std::exchange(old_, std::nullopt));
  return state_.current;
}

void Trial::tick() {
  if (auto serving = children_.serving()) last_serving_ = serving;
  if (!state_.has_open_run() || !asked_before_) return;
  auto now = times_.steady();
  auto serving = children_.serving();
  bool old_serves = serving && children_.look(*serving).ready;
  switch (step_) {
    case Step::Idle: return;
    case Step::OldReady:
      if (run().tries >= options_.tries) return back(new_name() + " was started " + std::to_string(options_.tries) + " times and was ended each time before it was known to be good.", true);
      if (!old_serves && !over(old_patience)) return;
      return next(Step::Version, "looking at " + new_name());
    case Step::Version: {
      if (!ticket_) { ticket_ = children_.run(run().to, {"version"}, options_.plan); return; }
      auto ended = children_.ended(*ticket_);
      if (!ended) return;
      auto said = last_line(ended->out);
      if (ended->code != 0) return refuse(new_name() + " cannot be run on this host: " + (ended->code < 0 ? "it did not answer" : last_line(ended->err).empty() ? "it ended with code " + std::to_string(ended->code) : without_stop(last_line(ended->err))) + ".");
      if (said != "basalt " + run().to_version) return refuse("What was unpacked as " + new_name() + " says that it is \"" + said.substr(0, 60) + "\".");
      return next(Step::Plan, "asking " + new_name() + " what it would do to the data");
    }
    case Step::Plan: {
      if (!ticket_) { ticket_ = children_.run(run().to, {"upgrade", "plan", "--json"}, options_.plan); return; }
      auto ended = children_.ended(*ticket_);
      if (!ended) return;
      auto plan = json::try_parse(ended->out);
      if (ended->code == 20) {
        auto why = plan ? json::text(*plan, "blocked").value_or("") : std::string();
        return refuse(why.empty() ? new_name() + " cannot take over this data: " + without_stop(last_line(ended->err)) + "." : why);
      }
      if ((ended->code != 0 && ended->code != 10) || !plan)
        return refuse(new_name() + " could not say what it would do to the data: " + (ended->code < 0 ? "it did not answer" : last_line(ended->err).empty() ? "it ended with code " + std::to_string(ended->code) : without_stop(last_line(ended->err))) + ".");
      run().schema_before = static_cast<int>(json::integer(*plan, "from").value_or(0));
      if (!old_serves) {
        run().before = nullptr;
        enter(Phase::Measured);
        return start_new();
      }
      next(Step::Measure, "measuring the version that serves");
      return probe(*serving, {});
    }
    case Step::Measure:
      if (auto got = probed()) {
        first_ = std::move(*got);
        if (!serving || first_.is_null()) return measured();  // an older one that knows no probe, or one that just died
        next(Step::MeasureAgain, words_);
        return probe(*serving, question(first_));
      }
      return;
    case Step::MeasureAgain:
      if (auto got = probed()) {
        if (!got->is_null()) first_ = steady_part(first_, *got);
        return measured();
      }
      return;
    case Step::Start: return start_new();
    case Step::Starting: {
      auto seen = new_ ? children_.look(*new_) : Children::Seen{};
      if (old_serves) old_memory_ = std::max(old_memory_, children_.look(*serving).memory_bytes);
      if (seen.ready && seen.alive) {
        enter(Phase::Ready);
        next(Step::Probe, "comparing " + new_name() + " with the version before");
        return probe(*new_, question(run().before));
      }
      if (seen.moved != moved_) {
        moved_ = seen.moved;
        moved_at_ = now;
      }
      std::string why;
      if (!seen.alive) why = new_name() + " " + (seen.ended.empty() ? "did not start" : without_stop(seen.ended)) + ".";
      else if (now - moved_at_ > options_.silence) why = new_name() + " started and did nothing more for " + std::to_string(options_.silence.count() / 1000) + " seconds" + (seen.status.empty() ? "." : "; it last said: " + without_stop(seen.status) + ".");
      else if (auto large = too_large(usual_memory(), seen.memory_bytes, options_.rules)) why = *large;
      if (why.empty()) return;
      if (new_) children_.kill(*new_);
      new_.reset();
      if (run().tries >= options_.tries) return back(without_stop(why) + " (" + std::to_string(run().tries) + " tries).", true);
      log::warning("The new version did not come up; it is tried again", {{"version", run().to_version}, {"why", why}});
      return next(Step::Start, "starting " + new_name() + " again: " + why);
    }
    case Step::Probe:
    case Step::OldAgain:
    case Step::ProbeAgain:
    case Step::OldOnceMore: return judged();
    case Step::Resumed: {
      auto seen = serving ? children_.look(*serving) : Children::Seen{};
      if (seen.ready && seen.slot == run().to) {
        new_ = serving;
        next(Step::ResumedProbe, "comparing " + new_name() + " with the version before");
        return probe(*serving, question(run().before));
      }
      if (seen.moved != moved_) {
        moved_ = seen.moved;
        moved_at_ = now;
      }
      if (now - moved_at_ > options_.silence) back(new_name() + " started and did nothing more for " + std::to_string(options_.silence.count() / 1000) + " seconds.", true);
      return;
    }
    case Step::ResumedProbe:
    case Step::LastProbe:
      if (auto got = probed()) {
        if (auto why = got->is_null() ? std::optional(new_name() + " does not say how it is: " + no_answer_) : worse(run().before, *got, run().to_version, Rows::MayDiffer)) return back(*why, got->is_null());
        if (step_ == Step::LastProbe) return finish(Phase::Good, "");
        observed_from_ = now;
        return next(Step::Watch, "watching " + new_name());
      }
      // A hang is noticed meanwhile.
      if (step_ == Step::LastProbe) watch();
      return;
    case Step::Watch: return watch();
    case Step::Back:
    case Step::BackDown: return go_back();
  }
}

// ---- Forward

void Trial::probe(ChildId child, const json::object& question) {
  auto body = question;
  body["format"] = 1;
  ticket_ = children_.ask(child, "POST", probe_path, json::write(body), options_.probe);
}

std::optional<json::value> Trial::probed() {
  if (!ticket_) {
    no_answer_ = "it could not be asked";
    return json::value(nullptr);
  }
  auto answer = children_.answer(*ticket_);
  if (!answer) return std::nullopt;
  ticket_.reset();
  auto parsed = json::try_parse(answer->body);
  if (answer->status == 200 && parsed && parsed->is_object()) return *parsed;
  no_answer_ = answer->status == 0 ? answer->error : "it answers with status " + std::to_string(answer->status) + ".";
  return json::value(nullptr);
}

void Trial::measured() {
  auto serving = children_.serving();
  if (auto* members = first_.if_object(); members && serving) {
    // The same source as what the new one is measured by.
    (*members)["since"] = to_text(run().started_at);
    (*members)["memory_bytes"] = children_.look(*serving).memory_bytes;
  }
  run().before = first_;
  enter(Phase::Measured);
  start_new();
}

void Trial::start_new() {
  ++run().tries;
  enter(Phase::Starting);
  auto minutes = std::max<std::int64_t>(options_.bake_time.count(), std::chrono::ceil<std::chrono::minutes>(options_.observe + options_.probe * 4).count() + 10);
  // Whoever asked for the version asked for its schema too.
  new_ = children_.start({run().to, true, {{"BASALT_BAKE_TIME", std::to_string(minutes)}, {"BASALT_AUTOMIGRATE", "true"}}});
  moved_ = 0;
  next(Step::Starting, "starting " + new_name() + " beside it");
}

// The new one is asked; when it is worse, the old one is asked again on either side of a second question, so that what changed
// in the queried data meanwhile is not held against it.
void Trial::judged() {
  if (!new_ || !children_.look(*new_).alive) return back(new_name() + " " + without_stop(new_ ? children_.look(*new_).ended : "ended") + " while it was compared.", true);
  auto got = probed();
  if (!got) return;
  auto serving = children_.serving();
  bool old_serves = serving && children_.look(*serving).ready && !run().before.is_null();
  auto verdict = [&](const json::value& before, const json::value& after) {
    return after.is_null() ? std::optional(new_name() + " does not say how it is: " + no_answer_) : worse(before, after, run().to_version, Rows::MustBeEqual);
  };
  auto yes = [&] {
    state_.previous = run().from;
    state_.current = run().to;
    enter(Phase::Judged);
    children_.go(*new_);
    enter(Phase::Observing);
    observed_from_ = next_beat_ = times_.steady();
    missed_ = 0;
    next(Step::Watch, "watching " + new_name());
  };
  switch (step_) {
    case Step::Probe: {
      auto why = verdict(run().before, *got);
      if (!why) return yes();
      if (!old_serves) return back(*why, true);
      log::info("The new version is looked at a second time", {{"version", run().to_version}, {"why", *why}});
      next(Step::OldAgain, words_);
      return probe(*serving, question(run().before));
    }
    case Step::OldAgain:
      second_ = got->is_null() ? run().before : std::move(*got);
      next(Step::ProbeAgain, words_);
      return probe(*new_, question(run().before));
    case Step::ProbeAgain:
      third_ = std::move(*got);
      if (third_.is_null() || !old_serves) return back(*verdict(run().before, third_), true);
      next(Step::OldOnceMore, words_);
      return probe(*serving, question(run().before));
    default: {
      auto before = got->is_null() ? second_ : steady_part(second_, *got);
      // Of what was steady the first time, what is steady still.
      before = steady_part(run().before, before);
      if (auto* members = before.if_object()) (*members)["since"] = to_text(run().started_at);
      if (auto why = verdict(before, third_)) return back(*why, true);
      return yes();
    }
  }
}

void Trial::watch() {
  auto now = times_.steady();
  auto serving = children_.serving();
  auto seen = serving ? children_.look(*serving) : Children::Seen{};
  if (!seen.alive || seen.slot != run().to) return;  // it ended just now: the launcher asks what to start
  if (auto why = too_large(usual_memory(), seen.memory_bytes, options_.rules)) return back(*why, true);
  if (beat_) {
    auto answer = children_.answer(*beat_);
    if (!answer) return;
    beat_.reset();
    next_beat_ = now + options_.beat / 2;
    auto parsed = json::try_parse(answer->body);
    if (answer->status == 200 && parsed) {
      missed_ = 0;
      if (auto why = worse_traffic(run().before, *parsed, options_.rules)) return back(*why, false);
    } else if (++missed_ >= options_.missed_beats) {
      return back(new_name() + " does not answer any more.", true);
    }
  } else if (now >= next_beat_) {
    // Asks for nothing but the counters.
    beat_ = children_.ask(*serving, "POST", probe_path, R"({"format":1,"only_counters":true})", options_.beat * 2);
  }
  if (step_ == Step::Watch && now - observed_from_ > options_.observe && missed_ == 0) {
    next(Step::LastProbe, "looking at " + new_name() + " a last time");
    probe(*serving, question(run().before));
  }
}

// ---- The ends, and back

void Trial::refuse(const std::string& why) { finish(Phase::Refused, why); }

void Trial::finish(Phase phase, const std::string& error) {
  auto now = times_.wall.now();
  run().ended_at = now;
  if (!error.empty()) run().error = error;
  if (phase == Phase::RolledBack) {
    std::erase_if(state_.denied, [&](auto& one) { return one.version == run().to_version; });
    state_.denied.push_back({run().to_version, run().error, now});
    if (state_.denied.size() > 50) state_.denied.erase(state_.denied.begin());
  }
  run().before = nullptr;
  enter(phase);
  if (phase == Phase::Good) log::info(new_name() + " is good", {{"before", run().from}});
  else log::warning("The version before serves", {{"version", run().from}, {"why", run().error}});
  clear();
  std::set<std::string> keep{state_.current};
  if (state_.previous) keep.insert(*state_.previous);
  slots_.prune(keep);
}

void Trial::back(const std::string& why, bool at_once) {
  // What was refused or failed while the old one serves needs no way back, but for the new one's end.
  run().error = why;
  at_once_ = at_once;
  state_.current = run().from;
  state_.previous = run().back ? std::optional(run().to) : run().previous_before;
  beat_.reset();
  log::warning("Going back to the version before", {{"version", run().to_version}, {"why", why}});
  // First of all, so that it happens also when it cannot be written down.
  next(Step::Back, "going back to the version before: " + why);
  std::exception_ptr not_written;
  try {
    enter(Phase::RollingBack);
  } catch (const std::exception&) {
    not_written = std::current_exception();
  }
  auto serving = children_.serving();
  bool new_serves = serving && children_.look(*serving).slot == run().to && run().from != run().to;
  // A process that is not good enough for people's connections has nothing to finish.
  if (new_ && !(new_serves && *serving == *new_)) children_.kill(*new_);
  new_.reset();
  back_tries_ = downs_ = 0;
  if (not_written) std::rethrow_exception(not_written);
}

void Trial::go_back() {
  auto serving = children_.serving();
  auto seen = serving ? children_.look(*serving) : Children::Seen{};
  if (step_ == Step::BackDown) {
    auto ended = ticket_ ? children_.ended(*ticket_) : std::nullopt;
    if (ticket_ && !ended) return;
    if (ended && ended->code != 0 && ended->code != 10) log::warning("The data could not be stepped down yet", {{"why", last_line(ended->err)}});
    return next(Step::Back, words_);
  }
  if (seen.alive && seen.slot == run().from) {
    if (old_ && *old_ != *serving) {
      children_.kill(*old_);
      old_.reset();
    }
    if (seen.ready) return finish(Phase::RolledBack, "");
    return;  // the launcher ends what hangs, and starts it again
  }
  // The old version may no longer be able to open what the new one made of the data: then it steps it down first, which needs
  // everybody else to be gone.
  auto refused = [&](const std::optional<ChildId>& child) { return child && children_.look(*child).slot == run().from && !children_.look(*child).alive && children_.look(*child).ended.starts_with("ended with code 20"); };
  if (refused(old_) || (!seen.alive && refused(last_serving_))) {
    old_.reset();
    if (seen.alive) {
      children_.kill(*serving);
      return;
    }
    if (downs_++ < most_downs) {
      last_serving_.reset();
      std::vector<std::string> words{"migrate", "down"};
      if (run().schema_before > 0) words.insert(words.end(), {"--to", std::to_string(run().schema_before)});
      else words.insert(words.end(), {"--to-version", slots_.find(run().from) ? slots_.find(run().from)->version : run().from});
      next(Step::BackDown, "stepping the data down for the version before");
      ticket_ = children_.run(run().from, words, std::chrono::hours(6));
      return;
    }
    run().error = without_stop(run().error) + "; and the version before cannot open the data: a person must look (`basalt migrate status`).";
    return finish(Phase::RolledBack, "");
  }
  if (!seen.alive) return;  // the launcher starts it: slot_to_start() says which
  // One that hangs may hold what the old one needs to come up.
  if (at_once_ && over(at_once_patience)) {
    children_.kill(*serving);
    return;
  }
  // The new one serves, and well enough to go on until the old one can.
  if (old_) {
    auto old_seen = children_.look(*old_);
    if (old_seen.alive && old_seen.ready) {
      children_.go(*old_);
      old_.reset();
      if (at_once_) children_.kill(*serving);
      return;
    }
    if (old_seen.moved != moved_) {
      moved_ = old_seen.moved;
      moved_at_ = times_.steady();
    }
    if (old_seen.alive && times_.steady() - moved_at_ < options_.silence) return;
    if (old_seen.alive) children_.kill(*old_);
    old_.reset();
    // Beside the new one it does not come up; in its place it may.
    if (++back_tries_ >= options_.tries) {
      children_.kill(*serving);
      return;
    }
  }
  old_ = children_.start({run().from, true, {}});
  moved_ = 0;
  moved_at_ = times_.steady();
}

// ---- As told

json::object told(const State& state, const Slots& slots, Timestamp now) {
  auto out = state.to_json();
  out.erase("format");
  out["current_version"] = current_slot(state, slots).version;
  json::array list;
  for (auto& slot : slots.list()) list.push_back(json::object{{"name", slot.name}, {"version", slot.version}, {"release", slot.release}});
  out["slots"] = std::move(list);
  auto previous = state.previous ? slots.find(*state.previous) : std::nullopt;
  out["previous_version"] = previous ? json::value(previous->version) : json::value(nullptr);
  out["held"] = state.is_held(now);
  if (auto* run = out["run"].if_object()) run->erase("before");
  return out;
}

json::object Trial::to_json() const {
  auto out = told(state_, slots_, times_.wall.now());
  if (auto* run = out["run"].if_object(); run && state_.has_open_run()) {
    (*run)["step"] = words_;
    (*run)["tries_of"] = options_.tries;
    if (step_ == Step::Starting && new_) (*run)["status"] = children_.look(*new_).status;
    if (step_ == Step::Watch) (*run)["seconds_left"] = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(options_.observe - (times_.steady() - observed_from_)).count());
  }
  return out;
}

}  // namespace basalt::launch
