#include "launch/state.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/failure.h"
#include "base/random.h"
#include "launch/judge.h"

namespace basalt::launch {
namespace {

namespace fs = std::filesystem;

State full() {
  State out;
  out.current = "0.2.0";
  out.previous = installed_slot;
  out.installed_version = "0.1.0";
  Run run;
  run.phase = Phase::Observing;
  run.from = installed_slot;
  run.to = run.to_version = "0.2.0";
  run.by = "Ada \"the first\"";
  run.tries = 2;
  run.schema_before = 3;
  run.previous_before = "0.0.9";
  run.before = json::parse(R"({"cards":[{"id":1,"ok":true,"fingerprint":"ab"}]})");
  run.started_at = *parse_timestamp("2026-11-23T08:00:00Z");
  out.run = run;
  out.denied = {{"0.1.9", "It hangs.", *parse_timestamp("2026-11-22T08:00:00Z")}};
  out.hold = Held{parse_timestamp("2026-12-01T00:00:00Z"), "Ada", "the fair", *parse_timestamp("2026-11-23T07:00:00Z")};
  out.newest_seen = json::parse(R"({"version":"0.3.0"})");
  out.unknown["weather"] = "fine";
  return out;
}

TEST(State, what_is_written_is_read_again) {
  auto folder = fs::temp_directory_path() / ("basalt-state-" + random_hex(8));
  fs::create_directories(folder);
  EXPECT_EQ(json::write(read_state(folder).to_json()), json::write(State().to_json()));
  write_state(folder, full());
  auto again = read_state(folder);
  EXPECT_EQ(json::write(again.to_json()), json::write(full().to_json()));
  EXPECT_EQ(again.unknown.at("weather"), "fine");
  for (auto phase : {Phase::Staged, Phase::Measured, Phase::Starting, Phase::Ready, Phase::Judged, Phase::Observing, Phase::Good, Phase::RollingBack, Phase::RolledBack, Phase::Refused}) {
    auto state = full();
    state.run->phase = phase;
    write_state(folder, state);
    EXPECT_EQ(read_state(folder).run->phase, phase);
  }
  fs::remove_all(folder);
}

TEST(State, what_is_missing_has_its_default_and_what_is_broken_is_refused) {
  auto state = State::from_json(json::parse(R"({"current":"0.2.0","run":{"phase":"dancing"},"denied":[{"why":"?"},7],"hold":3})"));
  EXPECT_EQ(state.current, "0.2.0");
  EXPECT_FALSE(state.run);
  EXPECT_TRUE(state.denied.empty());
  EXPECT_FALSE(state.hold);
  EXPECT_THROW(State::from_json(json::parse("[]")), Failure);
  EXPECT_THROW(State::from_json(json::parse(R"({"format":2})")), Failure);
  auto folder = fs::temp_directory_path() / ("basalt-state-" + random_hex(8));
  fs::create_directories(folder);
  std::ofstream(folder / "state.json") << "{";
  EXPECT_THROW(read_state(folder), Failure);
  fs::remove_all(folder);
}

json::value probe(const std::string& text) { return json::parse(text); }
const auto good = R"({"format":1,"version":"0.2.0","schema":4,"sign_in":{"ok":true},"dashboards":[{"id":1,"ok":true}],"cards":[{"id":1,"ok":true,"fingerprint":"a"},{"id":2,"ok":false}],
  "data_sources":[{"id":1,"ok":true}],"backup":{"schema":1,"verified_at":"2026-11-23T08:00:00Z"},"requests":{"count":100,"failures":1,"p95_ms":90}})";

std::optional<std::string> judged(const std::string& from, const std::string& to, Rows rows = Rows::MustBeEqual) {
  auto before = probe(good).get_object();
  before["version"] = "0.1.0";
  before["schema"] = 1;
  std::string after = good;
  if (auto at = after.find(from); !from.empty() && at != std::string::npos) after.replace(at, from.size(), to);
  return worse(before, probe(after), "0.2.0", rows);
}

TEST(Judge, says_what_is_worse) {
  EXPECT_EQ(judged("", ""), std::nullopt);
  EXPECT_EQ(judged(R"("sign_in":{"ok":true})", R"("sign_in":{"ok":false,"error":"no."})"), "Nobody can sign in to Basalt 0.2.0: no.");
  EXPECT_EQ(judged(R"("fingerprint":"a")", R"("fingerprint":"b")"), "Card 1 gives other rows with Basalt 0.2.0 than before.");
  EXPECT_EQ(judged(R"("fingerprint":"a")", R"("fingerprint":"b")", Rows::MayDiffer), std::nullopt);
  EXPECT_EQ(judged(R"("cards":[{"id":1,"ok":true)", R"("cards":[{"id":1,"ok":false,"error":"boom")", Rows::MayDiffer), "Card 1 fails with Basalt 0.2.0: boom.");
  EXPECT_EQ(judged(R"("dashboards":[{"id":1,"ok":true}])", R"("dashboards":[])"), "Dashboard 1 does not open with Basalt 0.2.0: it was not looked at.");
  EXPECT_EQ(judged(R"("data_sources":[{"id":1,"ok":true}])", R"("data_sources":[{"id":1}])"), "Database 1 cannot be reached with Basalt 0.2.0: it does not say why.");
  EXPECT_EQ(judged(R"("backup":{"schema":1)", R"("backup":{"schema":2)"), "Basalt 0.2.0 changed the data without a verified backup.");
  EXPECT_EQ(judged(R"("version":"0.2.0")", R"("version":"0.1.0")"), "What was started as Basalt 0.2.0 says that it is 0.1.0.");
  EXPECT_EQ(judged(R"("format":1)", R"("format":2)"), "Basalt 0.2.0 did not say how it is.");
  auto since = probe(good).get_object();
  since["schema"] = 1;
  since["since"] = "2026-11-23T07:59:00Z";
  EXPECT_EQ(worse(since, probe(good), "0.2.0", Rows::MustBeEqual), std::nullopt);
  since["since"] = "2026-11-23T08:01:00Z";
  EXPECT_EQ(worse(since, probe(good), "0.2.0", Rows::MustBeEqual), "Basalt 0.2.0 changed the data without a verified backup.");
  EXPECT_EQ(worse(nullptr, probe(good), "0.2.0", Rows::MustBeEqual), std::nullopt);
}

TEST(Judge, measures_how_people_fare) {
  Rules rules;
  auto requests = [](int count, int failures, int ms) { return json::value(json::object{{"requests", json::object{{"count", count}, {"failures", failures}, {"p95_ms", ms}}}}); };
  EXPECT_EQ(worse_traffic(requests(1000, 10, 90), requests(100, 5, 250), rules), std::nullopt);
  EXPECT_EQ(worse_traffic(requests(1000, 10, 90), requests(100, 9, 90), rules), "9 % of the requests fail; before it were 1 %.");
  EXPECT_EQ(worse_traffic(requests(1000, 10, 90), requests(20, 20, 90), rules), std::nullopt);  // too few to say
  EXPECT_EQ(worse_traffic(requests(1000, 10, 500), requests(100, 1, 1600), rules), "One in twenty requests takes longer than 1600 ms; before it were 500 ms.");
  EXPECT_EQ(worse_traffic(requests(1000, 10, 90), requests(100, 1, 900), rules), std::nullopt);  // slow for once
  EXPECT_EQ(too_large(100 << 20, 500 << 20, rules), std::nullopt);
  EXPECT_EQ(too_large(100 << 20, 600 << 20, rules), "It takes 600 MB of memory; the version before it took 100 MB.");
  EXPECT_EQ(too_large(0, 600 << 20, rules), std::nullopt);
}

TEST(Measure, keeps_what_two_looks_have_in_common) {
  auto first = probe(R"({"cards":[{"id":1,"ok":true,"fingerprint":"a"},{"id":2,"ok":true,"fingerprint":"b"},{"id":3,"ok":false}]})");
  auto second = probe(R"({"cards":[{"id":1,"ok":true,"fingerprint":"a"},{"id":2,"ok":true,"fingerprint":"c"},{"id":3,"ok":true,"fingerprint":"d"}],"dashboards":[{"id":9,"ok":true}]})");
  EXPECT_EQ(json::write(question(steady_part(first, second))), R"({"dashboards":[],"cards":[1],"data_sources":[]})");
  EXPECT_EQ(json::write(question(nullptr)), "{}");
}

}  // namespace
}  // namespace basalt::launch
