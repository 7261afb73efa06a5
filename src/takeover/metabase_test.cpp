#include "takeover/metabase.h"

#include <gtest/gtest.h>

namespace basalt::takeover {
namespace {

Evidence with_ids(std::vector<std::string> ids) {
  Evidence out;
  for (auto& id : ids) out.changes.push_back(Change{id, "", "EXECUTED"});
  out.models = out.semantic_types = true;
  return out;
}

Evidence old(std::vector<std::string> comments, bool models, bool semantic_types) {
  Evidence out;
  int id = 1;
  for (auto& comment : comments) out.changes.push_back(Change{std::to_string(id++), comment, "EXECUTED"});
  out.models = models;
  out.semantic_types = semantic_types;
  return out;
}

TEST(Metabase, is_as_new_as_its_greatest_id_by_number) {
  struct Case { std::vector<std::string> ids; int release; };
  for (auto& one : std::vector<Case>{{{"v42.00-001", "v42.00-002", "1", "381"}, 42},
                                     {{"v00.00-000"}, 44},
                                     {{"v00.00-000", "v45.00-001"}, 45},
                                     {{"v49.2024-01-22T11:50:00", "v50.2024-05-17T19:54:26", "v49.2024-08-21T08:33:06"}, 50},
                                     // Not by the letters: "v9…" would be greater than "v50…".
                                     {{"v50.2024-05-17T19:54:26", "v9.00-001"}, 50},
                                     // These two came out with 0.55.
                                     {{"v55.2025-03-01T00:00:00", "v56.2025-06-05T16:48:48", "v56.2025-05-19T16:48:48"}, 55},
                                     {{"v56.2025-06-05T16:48:48", "v56.2025-07-01T00:00:00"}, 56}}) {
    auto judgement = judge(with_ids(one.ids));
    EXPECT_EQ(judgement.release, one.release) << one.ids.back();
    EXPECT_EQ(judgement.way, Way::Direct) << judgement.sentence;
  }
}

TEST(Metabase, has_the_patch_that_saved_a_question_when_that_is_of_the_same_release) {
  auto evidence = with_ids({"v50.2024-05-17T19:54:26"});
  evidence.saved_by = "v0.50.3 (abc1234)";
  EXPECT_EQ(judge(evidence).version, "0.50.3");
  evidence.saved_by = "v1.49.9 (abc1234)";
  EXPECT_EQ(judge(evidence).version, "0.50");
  evidence.saved_by = "v0.52.1 (abc1234)";
  auto judgement = judge(evidence);
  EXPECT_EQ(judgement.version, "0.50");
  ASSERT_EQ(judgement.notes.size(), 1u);
  EXPECT_NE(judgement.notes[0].find("stepped down"), std::string::npos);
}

TEST(Metabase, below_0_40_goes_through_the_last_of_each_release) {
  struct Case { std::vector<std::string> comments; bool models, semantic; int release; std::vector<std::string> through; };
  for (auto& one : std::vector<Case>{{{"Added 0.36.0", "Added 0.37.0 - something"}, false, false, 37, {"0.37.x", "0.38.x", "0.39.x", "0.40.x"}},
                                     {{"Added 0.38.0", "Added 0.39.0"}, false, true, 39, {"0.39.x", "0.40.x"}},
                                     // What the tables say beats what the comments say.
                                     {{"Added 0.40.0", "Added 0.41.0"}, false, true, 39, {"0.39.x", "0.40.x"}},
                                     {{"", ""}, false, false, 0, {"0.40.x"}}}) {
    auto judgement = judge(old(one.comments, one.models, one.semantic));
    EXPECT_EQ(judgement.release, one.release) << judgement.sentence;
    EXPECT_EQ(judgement.way, Way::ThroughReleases);
    EXPECT_EQ(judgement.through, one.through) << judgement.sentence;
    EXPECT_NE(judgement.sentence.find("last 0.40"), std::string::npos);
  }
  EXPECT_EQ(judge(old({"", ""}, false, false)).version, "0.38 or older");
}

TEST(Metabase, of_0_40_and_0_41_is_told_by_its_tables_and_comments) {
  EXPECT_EQ(judge(old({"Added 0.39.0", "Added 0.40.0 - models"}, true, true)).version, "0.40");
  EXPECT_EQ(judge(old({"Added 0.41.2 - Add index"}, true, true)).version, "0.41");
  EXPECT_EQ(judge(old({""}, true, true)).version, "0.40");
  for (auto* comment : {"Added 0.40.0", "Added 0.41.0"}) EXPECT_EQ(judge(old({comment}, true, true)).way, Way::Direct);
}

TEST(Metabase, newer_than_known_waits_and_a_development_build_is_refused) {
  EXPECT_EQ(judge(with_ids({"v59.2026-01-01T00:00:00"})).way, Way::Direct);
  auto judgement = judge(with_ids({"v60.2026-01-01T00:00:00"}));
  EXPECT_EQ(judgement.way, Way::TooNew);
  EXPECT_NE(judgement.sentence.find("0.60"), std::string::npos);
  auto evidence = with_ids({"v59.2026-01-01T00:00:00"});
  evidence.envelope_keys = true;
  EXPECT_EQ(judge(evidence).way, Way::TooNew);
  evidence.version_row = "x.65.2";
  EXPECT_EQ(judge(evidence).version, "0.65.2");
  evidence.version_row = "x.9999.0.0";
  EXPECT_EQ(judge(evidence).way, Way::Unknown);
  EXPECT_NE(judge(evidence).sentence.find("development build"), std::string::npos);
}

TEST(Metabase, in_the_middle_of_a_change_is_left_alone) {
  auto evidence = with_ids({"v50.2024-05-17T19:54:26"});
  evidence.locked = true;
  evidence.locked_by = "web-1 (10.0.0.3)";
  EXPECT_EQ(judge(evidence).way, Way::NotNow);
  EXPECT_NE(judge(evidence).sentence.find("web-1"), std::string::npos);
  evidence = with_ids({"v50.2024-05-17T19:54:26"});
  evidence.changes.push_back(Change{"v50.2024-06-01T00:00:00", "", "FAILED"});
  EXPECT_EQ(judge(evidence).way, Way::NotNow);
  evidence = with_ids({"v50.2024-05-17T19:54:26"});
  evidence.changes[0].state = "MARK_RAN";
  EXPECT_EQ(judge(evidence).way, Way::Direct);
}

TEST(Metabase, with_an_empty_log_says_that_it_cannot_tell) {
  auto judgement = judge({});
  EXPECT_EQ(judgement.way, Way::Unknown);
  EXPECT_EQ(judgement.release, 0);
  EXPECT_FALSE(judgement.sentence.empty());
}

TEST(Metabase, in_an_h2_file_tells_older_or_newer_by_the_format) {
  EXPECT_EQ(judge_h2("H:2,block:3,blockSize:1000,chunk:7,created:18a9fa4de59,format:1,version:7,fletcher:354e48e1\n")->version, "0.45 or older");
  EXPECT_EQ(judge_h2("H:2,block:3,blockSize:1000,chunk:7,created:18a9fa4de59,format:2,version:7,fletcher:354e48e1\n")->version, "0.46 or newer");
  EXPECT_EQ(judge_h2("H:2,block:3,format:3")->version, "0.46 or newer");
  EXPECT_EQ(judge_h2("H:2,block:3,format:")->version, "");
  EXPECT_FALSE(judge_h2("SQLite format 3"));
  EXPECT_FALSE(judge_h2(""));
}

TEST(Metabase, with_hostile_texts_in_its_log_still_gets_a_judgement) {
  for (auto* id : {"v", "v.", "v99999999999999.1", "v-5.1", "v50", "", "'; DROP TABLE x", "50", "v50."}) {
    auto judgement = judge(with_ids({id}));
    EXPECT_FALSE(judgement.sentence.empty()) << id;
  }
  for (auto* version : {"x.", "v0.", "v", "x.99999999999999", "0", ""}) {
    auto evidence = with_ids({"v50.2024-05-17T19:54:26"});
    evidence.version_row = evidence.saved_by = version;
    EXPECT_EQ(judge(evidence).release, 50) << version;
  }
}

}  // namespace
}  // namespace basalt::takeover
