#include "launch/trial.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"

namespace basalt::launch {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// How the program of a slot behaves.
struct Program {
  int schema = 1, oldest_data = 1, newest_data = 100;  // what it makes of the data, and the data it can open
  bool runs = true;              // as a command
  std::string says;              // to `version`, when it is another one
  std::string blocked;           // its plan
  bool starts = true, becomes_ready = true;
  bool hangs_when_serving = false, dies_when_serving = false, eats_when_serving = false, fails_when_serving = false;
  bool other_rows = false, card_fails = false, nobody_signs_in = false, no_backup = false, silent_probe = false;
  std::chrono::milliseconds start_time{1000};
};

struct PowerCut {};

// Processes that are played, beneath a launcher that is played; everything takes as long as the clock says.
class World final : public Children {
 public:
  explicit World(fs::path folder) : slots(std::move(folder), "/usr/bin/basalt", "0.1.0") {
    programs["installed"] = {};
    programs["0.2.0"].schema = 4;
  }

  std::map<std::string, Program> programs;
  int schema = 1;                 // of the data; outlives power cuts
  std::int64_t changing_rows = 0; // the card's rows change with the time when set
  int cut_at = 0, edges = 0;
  Slots slots;
  std::unique_ptr<Trial> trial;
  FixedClock wall{Timestamp(std::chrono::seconds(1'800'000'000))};
  Trial::Steady steady{};
  std::chrono::milliseconds not_answering{0};
  int backups = 0;

  std::function<void()> before_start = [] {};

  void boot() {
    live.clear();
    tickets.clear();
    serving_.reset();
    trial = std::make_unique<Trial>(*this, slots, TrialOptions{}, Trial::Times{wall, [this] { return steady; }});
    before_start();
    start_server();
  }
  void power_cut() {
    for (auto& [id, one] : live) one.alive = false;
    trial.reset();
  }
  void pass(std::chrono::milliseconds time) {
    for (auto until = steady + time; steady < until;) {
      steady += 200ms;
      wall.advance(200ms);
      for (auto& [id, one] : live) work(one);
      if (serving_ && !live[*serving_].alive) {
        serving_.reset();
        start_at = steady + 200ms;
      }
      if (!serving_ && steady >= start_at) start_server();
      bool serves = serving_ && live[*serving_].ready && !hangs(live[*serving_]);
      if (!serves) not_answering += 200ms;
      trial->tick();
    }
  }
  // Until the run is over.
  void settle(std::chrono::milliseconds most = 600s) {
    for (auto until = steady + most; trial->state().has_open_run() && steady < until;) pass(200ms);
    pass(1s);
  }
  std::string served_by() { return serving_ && live[*serving_].ready && live[*serving_].alive ? live[*serving_].slot : "nobody"; }
  int processes() {
    int out = 0;
    for (auto& [id, one] : live) out += one.alive;
    return out;
  }

  ChildId start(const Start& what) override {
    Edge edge(*this);
    ChildId id(++last);
    Process made;
    made.slot = what.slot;
    made.held_back = what.held_back;
    made.started = steady;
    if (auto found = what.environment.find("BASALT_BAKE_TIME"); found != what.environment.end()) made.bake = std::stoi(found->second);
    auto& program = programs[what.slot];
    made.alive = program.starts;
    if (!made.alive) made.ended = "ended with code 127: no such library";
    live[id] = made;
    return id;
  }
  Seen look(ChildId id) override {
    auto found = live.find(id);
    if (found == live.end()) return {};
    auto& one = found->second;
    auto& program = programs[one.slot];
    bool serves = serving_ == id;
    std::int64_t memory = program.eats_when_serving && serves ? (std::int64_t{200} << 20) + (steady - one.started) / 1ms * (100 << 10) : std::int64_t{100} << 20;
    return {one.alive, one.ready, serves || !one.held_back, one.slot, "starting", one.moved, one.alive ? memory : 0, one.alive ? "" : one.ended};
  }
  std::optional<ChildId> serving() override { return serving_; }
  void go(ChildId id) override {
    Edge edge(*this);
    if (!live[id].alive) return;
    if (serving_ && *serving_ != id) end(live[*serving_], "ended with code 0");
    serving_ = id;
  }
  void stop(ChildId id) override { kill(id); }
  void kill(ChildId id) override {
    Edge edge(*this);
    if (live.contains(id)) end(live[id], "was ended by signal 9");
  }
  TicketId ask(ChildId id, const std::string&, const std::string& path, const std::string& body, std::chrono::milliseconds patience) override {
    Edge edge(*this);
    EXPECT_EQ(path, "/api/updates/probe");
    TicketId ticket(++last);
    Ticket made;
    made.at = steady + 600ms;
    auto& one = live[id];
    if (!one.alive || hangs(one) || programs[one.slot].silent_probe) {
      made.at = steady + patience;
      made.answer.error = "It did not answer in time.";
    } else {
      made.answer = {200, json::write(answer_of(one, json::parse(body))), ""};
    }
    tickets[ticket] = made;
    return ticket;
  }
  std::optional<Answer> answer(TicketId ticket) override {
    auto& one = tickets.at(ticket);
    if (steady < one.at) return std::nullopt;
    return one.answer;
  }
  TicketId run(const std::string& slot, const std::vector<std::string>& words, std::chrono::milliseconds) override {
    Edge edge(*this);
    TicketId ticket(++last);
    Ticket made;
    made.at = steady + 400ms;
    auto& program = programs[slot];
    if (!program.runs) made.end = {127, "", "sh: not found\n"};
    else if (words[0] == "version") made.end = {0, "basalt " + (program.says.empty() ? slot == "installed" ? "0.1.0" : slot : program.says) + "\n", ""};
    else if (words[0] == "upgrade")
      made.end = {program.blocked.empty() ? 0 : 20, json::write(json::object{{"from", schema}, {"to", program.schema}, {"blocked", program.blocked}}), ""};
    else if (words[0] == "migrate") {
      EXPECT_EQ(words[1], "down");
      EXPECT_EQ(processes_of_others(slot), 0) << "stepping down beside a version that serves";
      schema = words[2] == "--to" ? std::stoi(words[3]) : 1;
      made.end = {0, "", ""};
    }
    tickets[ticket] = made;
    return ticket;
  }
  std::optional<Ended> ended(TicketId ticket) override {
    auto& one = tickets.at(ticket);
    if (steady < one.at) return std::nullopt;
    return one.end;
  }

  struct Process {
    std::string slot, ended;
    bool held_back = false, alive = true, ready = false;
    std::uint64_t moved = 0;
    int bake = 0;
    Trial::Steady started{};
  };
  std::map<ChildId, Process> live;

 private:
  struct Ticket {
    Trial::Steady at{};
    Answer answer;
    Ended end;
  };
  // The power may go before and after everything that has an effect.
  struct Edge {
    explicit Edge(World& world_) : world(world_) { hit(); }
    ~Edge() noexcept(false) {
      if (std::uncaught_exceptions() == 0) hit();
    }
    void hit() {
      if (++world.edges == world.cut_at) throw PowerCut();
    }
    World& world;
  };

  void end(Process& one, const std::string& how) {
    if (one.alive) one.ended = how;
    one.alive = one.ready = false;
  }
  bool hangs(const Process& one) { return serving_ && &live[*serving_] == &one && programs[one.slot].hangs_when_serving && steady - one.started > 8s; }
  int processes_of_others(const std::string& slot) {
    int out = 0;
    for (auto& [id, one] : live) out += one.alive && one.slot != slot;
    return out;
  }
  void work(Process& one) {
    if (!one.alive) return;
    auto& program = programs[one.slot];
    if (schema < program.oldest_data || schema > program.newest_data) return end(one, "ended with code 20: This data is newer.");
    if (program.dies_when_serving && serving_ && &live[*serving_] == &one && steady - one.started > 9s) return end(one, "was ended by signal 11");
    if (one.ready || !program.becomes_ready) return;
    if (schema < program.schema && steady - one.started >= program.start_time / 2) {
      ++backups;
      schema = program.schema;
      ++one.moved;
    }
    if (steady - one.started >= program.start_time) one.ready = true;
  }
  json::object answer_of(const Process& one, const json::value& asked) {
    auto& program = programs[one.slot];
    auto version = one.slot == "installed" ? "0.1.0" : one.slot;
    json::array cards, dashboards, sources;
    auto chosen = [&](const char* list) { auto* ids = json::sub_array(asked, list); return !json::boolean(asked, "only_counters") && (!ids || !ids->empty()); };
    auto rows = changing_rows ? std::to_string((steady.time_since_epoch() / std::chrono::milliseconds(changing_rows))) : std::string("7");
    if (chosen("cards")) {
      cards.push_back(json::object{{"id", 1}, {"ok", true}, {"fingerprint", program.other_rows ? "other" : "same"}});
      cards.push_back(json::object{{"id", 2}, {"ok", !program.card_fails}, {"fingerprint", rows}, {"error", program.card_fails ? json::value("no such function.") : json::value(nullptr)}});
    }
    if (chosen("dashboards")) dashboards.push_back(json::object{{"id", 1}, {"ok", true}});
    if (chosen("data_sources")) sources.push_back(json::object{{"id", 1}, {"ok", true}});
    bool fails = program.fails_when_serving && serving_ && &live[*serving_] == &one;
    return {{"format", 1}, {"version", version}, {"schema", schema}, {"sign_in", json::object{{"ok", !program.nobody_signs_in}, {"error", "the password is not taken"}}},
            {"cards", cards}, {"dashboards", dashboards}, {"data_sources", sources}, {"memory_bytes", std::int64_t{100} << 20},
            {"requests", json::object{{"count", 100}, {"failures", fails ? 40 : 1}, {"p95_ms", 80}}},
            {"backup", program.no_backup ? json::value(nullptr) : json::value(json::object{{"schema", 1}, {"verified_at", to_text(wall.now())}})}};
  }
  void start_server() {
    auto slot = trial->slot_to_start();
    if (serving_) return;
    serving_ = start({slot, false, {}});
    if (!live[*serving_].alive) {
      serving_.reset();
      start_at = steady + 1s;
    }
  }

  std::optional<ChildId> serving_;
  Trial::Steady start_at{};
  std::map<TicketId, Ticket> tickets;
  std::int64_t last = 0;
};

struct TrialTest : testing::Test {
  fs::path folder = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / ("basalt-trial-" + random_hex(8));
  TrialTest() {
    log::set_up(log::Level::Error, log::Format::Text);
    add("0.2.0");
  }
  ~TrialTest() override { fs::remove_all(folder); }

  void add(const std::string& version) {
    fs::create_directories(folder / version);
    std::ofstream(folder / version / "basalt") << "program";
  }
  std::unique_ptr<World> world() {
    auto out = std::make_unique<World>(folder);
    out->boot();
    out->pass(2s);
    return out;
  }
  // A bad 0.2.0: the old one serves again, and how that went.
  void expect_back(const std::function<void(Program&)>& spoil, const std::string& why, std::chrono::milliseconds most_silence = 60s) {
    SCOPED_TRACE(why);
    fs::remove(folder / "state.json");
    World w(folder);
    spoil(w.programs["0.2.0"]);
    w.boot();
    w.pass(2s);
    w.not_answering = 0ms;
    w.trial->begin("0.2.0", {"a test"});
    w.settle();
    auto& state = w.trial->state();
    ASSERT_TRUE(state.run);
    EXPECT_EQ(state.run->phase, Phase::RolledBack);
    EXPECT_NE(state.run->error.find(why), std::string::npos) << state.run->error;
    EXPECT_EQ(w.served_by(), "installed");
    EXPECT_EQ(state.current, "installed");
    EXPECT_TRUE(state.is_denied("0.2.0"));
    EXPECT_EQ(w.processes(), 1);
    EXPECT_LE(w.not_answering, most_silence);
    EXPECT_THROW(w.trial->begin("0.2.0", {"a test"}), Failure);
    w.trial->begin("0.2.0", {"a test", true});
  }
};

TEST_F(TrialTest, a_good_version_takes_over_without_a_pause) {
  auto w = world();
  w->not_answering = 0ms;
  w->trial->begin("0.2.0", {"a test"});
  EXPECT_THROW(w->trial->begin("0.2.0", {"a test"}), Failure);
  w->settle();
  EXPECT_EQ(w->trial->state().run->phase, Phase::Good);
  EXPECT_EQ(w->served_by(), "0.2.0");
  EXPECT_EQ(w->processes(), 1);
  EXPECT_EQ(w->not_answering, 0ms);
  EXPECT_EQ(w->trial->state().previous, "installed");
  for (auto& [id, one] : w->live)
    EXPECT_TRUE(one.slot != "0.2.0" || one.bake >= 60);
  try {
    w->trial->begin("0.2.0", {"a test"});
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error_type(), "nothing-to-do");
  }
}

// As on a full disk: nothing can be written down, and the version before serves all the same.
TEST_F(TrialTest, goes_back_also_where_nothing_can_be_written) {
  auto file = folder / "state.json";
  auto fill = [&] {
    fs::rename(file, folder / "kept");
    fs::create_directories(file / "in the way");
  };
  auto empty = [&] {
    fs::remove_all(file);
    fs::rename(folder / "kept", file);
  };
  for (bool after_a_cut : {false, true}) {
    SCOPED_TRACE(after_a_cut);
    fs::remove(file);
    World w(folder);
    w.boot();
    w.pass(2s);
    w.trial->begin("0.2.0", {"a test"});
    for (int i = 0; i < 300 && w.trial->state().run->phase != Phase::Observing; ++i) w.pass(200ms);
    ASSERT_EQ(w.trial->state().run->phase, Phase::Observing);
    if (after_a_cut) {
      // One more start than it may have.
      for (int i = 0; i < TrialOptions{}.tries; ++i) {
        w.power_cut();
        if (i == TrialOptions{}.tries - 1) w.before_start = fill;
        w.boot();
      }
    } else {
      fill();
      for (auto& [id, one] : w.live)
        if (one.slot == "0.2.0") w.kill(id);
    }
    // A tick may throw as long as nothing can be written; the launcher goes on.
    auto until = w.steady + 10s;
    while (w.steady < until) {
      try {
        w.pass(200ms);
      } catch (const Failure&) {
      }
    }
    EXPECT_EQ(w.served_by(), "installed");
    EXPECT_EQ(w.trial->state().current, "installed");
    empty();
    w.settle();
    EXPECT_EQ(w.trial->state().run->phase, Phase::RolledBack);
    EXPECT_EQ(w.served_by(), "installed");
    EXPECT_TRUE(w.trial->state().is_denied("0.2.0"));
  }
}

TEST_F(TrialTest, a_person_goes_back_without_a_pause) {
  auto w = world();
  w->trial->begin("0.2.0", {"a test"});
  w->settle();
  w->not_answering = 0ms;
  w->trial->roll_back("Ada");
  w->settle();
  EXPECT_EQ(w->served_by(), "installed");
  EXPECT_EQ(w->trial->state().run->phase, Phase::RolledBack);
  EXPECT_EQ(w->trial->state().run->error, "Ada asked to go back.");
  EXPECT_EQ(w->not_answering, 0ms);
  EXPECT_EQ(w->processes(), 1);
  EXPECT_TRUE(w->trial->state().is_denied("0.2.0"));
  w->trial->begin("0.2.0", {"a test", true});
  w->settle();
  EXPECT_EQ(w->served_by(), "0.2.0");
  EXPECT_FALSE(w->trial->state().is_denied("0.2.0"));
}

TEST_F(TrialTest, going_back_steps_the_data_down_where_the_old_version_cannot_open_it) {
  auto w = world();
  w->programs["installed"].newest_data = 1;  // as after a finalise
  w->trial->begin("0.2.0", {"a test"});
  w->settle();
  ASSERT_EQ(w->schema, 4);
  w->trial->roll_back("Ada");
  w->settle();
  EXPECT_EQ(w->served_by(), "installed");
  EXPECT_EQ(w->schema, 1);
  EXPECT_EQ(w->processes(), 1);
}

TEST_F(TrialTest, a_bad_version_is_taken_back_by_itself) {
  expect_back([](Program& p) { p.starts = false; }, "no such library (3 tries)", 0s);
  expect_back([](Program& p) { p.becomes_ready = false; }, "did nothing more for 20 seconds; it last said: starting (3 tries)", 0s);
  expect_back([](Program& p) { p.other_rows = true; }, "Card 1 gives other rows", 0s);
  expect_back([](Program& p) { p.card_fails = true; }, "Card 2 fails with Basalt 0.2.0: no such function.", 0s);
  expect_back([](Program& p) { p.nobody_signs_in = true; }, "Nobody can sign in", 0s);
  expect_back([](Program& p) { p.no_backup = true; }, "without a verified backup", 0s);
  expect_back([](Program& p) { p.silent_probe = true; }, "does not say how it is", 0s);
  expect_back([](Program& p) { p.hangs_when_serving = true; }, "does not answer any more", 30s);
  expect_back([](Program& p) { p.dies_when_serving = true; }, "signal 11", 3s);
  expect_back([](Program& p) { p.eats_when_serving = true; }, "of memory", 3s);
  expect_back([](Program& p) { p.fails_when_serving = true; }, "40 % of the requests fail", 0s);
}

TEST_F(TrialTest, what_cannot_be_is_refused_before_anything_starts) {
  auto refused = [&](const std::function<void(Program&)>& spoil, const std::string& why) {
    fs::remove(folder / "state.json");
    World w(folder);
    spoil(w.programs["0.2.0"]);
    w.boot();
    w.pass(2s);
    w.trial->begin("0.2.0", {"a test"});
    w.settle();
    EXPECT_EQ(w.trial->state().run->phase, Phase::Refused);
    EXPECT_EQ(w.trial->state().run->error, why);
    EXPECT_EQ(w.served_by(), "installed");
    EXPECT_EQ(w.schema, 1);
    EXPECT_FALSE(w.trial->state().is_denied("0.2.0"));
    for (auto& [id, one] : w.live) EXPECT_EQ(one.slot, "installed");
  };
  refused([](Program& p) { p.runs = false; }, "Basalt 0.2.0 cannot be run on this host: sh: not found.");
  refused([](Program& p) { p.says = "0.3.0"; }, "What was unpacked as Basalt 0.2.0 says that it is \"basalt 0.3.0\".");
  refused([](Program& p) { p.blocked = "There is no room for a backup."; }, "There is no room for a backup.");
}

TEST_F(TrialTest, rows_that_change_by_themselves_are_not_held_against_it) {
  auto w = world();
  w->changing_rows = 1700;  // milliseconds
  w->trial->begin("0.2.0", {"a test"});
  w->settle();
  EXPECT_EQ(w->trial->state().run->phase, Phase::Good) << w->trial->state().run->error;
}

TEST_F(TrialTest, a_hold_stops_who_does_not_insist) {
  auto w = world();
  w->trial->hold({w->wall.now() + 1h, "Ada", "the fair", w->wall.now()});
  EXPECT_THROW(w->trial->begin("0.2.0", {"a test"}), Failure);
  w->pass(2h);
  w->trial->begin("0.2.0", {"a test"});
  w->trial->roll_back("Ada");
  w->settle();
  EXPECT_EQ(w->served_by(), "installed");
}

TEST_F(TrialTest, a_newer_installed_version_wins_at_the_next_start) {
  add("0.0.9");
  State state;
  state.current = "0.0.9";
  state.installed_version = "0.0.8";
  write_state(folder, state);
  auto w = world();
  EXPECT_EQ(w->served_by(), "installed");
  EXPECT_EQ(w->trial->state().previous, "0.0.9");
  fs::remove(folder / "state.json");
  state.current = "0.2.0";
  write_state(folder, state);
  EXPECT_EQ(world()->served_by(), "0.2.0");
  fs::remove_all(folder / "0.2.0");
  EXPECT_EQ(world()->served_by(), "installed");
}

// Everything is killed before and after every call with an effect, of a good run, of each kind of bad one, and of a way back.
TEST_F(TrialTest, whatever_is_killed_when_a_plain_start_serves_and_goes_on) {
  using Spoil = std::function<void(Program&)>;
  std::vector<std::pair<std::string, Spoil>> kinds{
      {"good", [](Program&) {}},
      {"does not start", [](Program& p) { p.starts = false; }},
      {"never ready", [](Program& p) { p.becomes_ready = false; }},
      {"other rows", [](Program& p) { p.other_rows = true; }},
      {"hangs", [](Program& p) { p.hangs_when_serving = true; }},
      {"dies", [](Program& p) { p.dies_when_serving = true; }},
      {"blocked", [](Program& p) { p.blocked = "There is no room for a backup."; }}};
  int cuts = 0;
  for (auto& [name, spoil] : kinds)
    for (bool back : {false, true}) {
      if (back && name != "good") continue;
      for (int cut = 1;; ++cut) {
        SCOPED_TRACE(name + (back ? " and back" : "") + ", power cut at edge " + std::to_string(cut));
        fs::remove(folder / "state.json");
        World w(folder);
        spoil(w.programs["0.2.0"]);
        w.boot();
        w.pass(2s);
        w.edges = 0;
        if (!back) w.cut_at = cut;
        bool was_cut = false;
        try {
          w.trial->begin("0.2.0", {"a test"});
          w.settle();
          if (back) {
            w.edges = 0;
            w.cut_at = cut;
            w.trial->roll_back("Ada");
            w.settle();
          }
        } catch (const PowerCut&) {
          was_cut = true;
        }
        if (!was_cut) break;
        ++cuts;
        w.cut_at = 0;
        w.power_cut();
        w.boot();
        w.pass(2s);
        // Serving at once, the old or the new one.
        EXPECT_TRUE(name != "good" || w.served_by() != "nobody");
        w.settle();
        EXPECT_FALSE(w.trial->state().has_open_run());
        EXPECT_EQ(w.served_by(), back ? "installed" : name == "good" ? "0.2.0" : "installed");
        EXPECT_EQ(w.trial->current().name, w.served_by());
        EXPECT_EQ(w.processes(), 1);
        EXPECT_TRUE(w.schema == 1 || w.backups >= 1);
      }
    }
  EXPECT_GT(cuts, 100);
  RecordProperty("cuts", cuts);
}

TEST_F(TrialTest, a_version_that_takes_the_machine_down_each_time_is_given_up) {
  World w(folder);
  w.boot();
  w.pass(2s);
  w.trial->begin("0.2.0", {"a test"});
  for (int i = 0; i < 5 && w.trial->state().has_open_run(); ++i) {
    for (int n = 0; n < 100 && w.trial->state().run->phase != Phase::Observing && w.trial->state().has_open_run(); ++n) w.pass(200ms);
    if (!w.trial->state().has_open_run()) break;
    w.pass(5s);
    w.power_cut();
    w.boot();
  }
  w.settle();
  EXPECT_EQ(w.trial->state().run->phase, Phase::RolledBack);
  EXPECT_EQ(w.served_by(), "installed");
}

}  // namespace
}  // namespace basalt::launch
