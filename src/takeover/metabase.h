// Which Metabase is it, and can it be taken over from there? A pure judgement on what look.h read.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace basalt::takeover {

// One line of its change log.
struct Change {
  std::string id, comment, state;  // state: EXECUTED, RERAN, MARK_RAN; anything else did not work
};

// What its tables say. Absent and zero where there was nothing to read.
struct Evidence {
  std::vector<Change> changes;
  std::string version_row;     // of databasechangelog_version, which later ones have: "x.65.2"
  bool models = false;         // report_card.dataset or .type: since 0.40
  bool semantic_types = false; // metabase_field.semantic_type: since 0.39
  std::string saved_by;        // the newest version that saved a question: "v0.50.3 (abc1234)"; since 0.48
  bool locked = false;         // a migration of it is under way, or was cut off
  std::string locked_by;
  bool envelope_keys = false;  // encrypts in a way that no released version did
  std::optional<bool> encrypted;  // connection details at rest; absent: it does not say
  std::optional<std::int64_t> people, questions, dashboards;
};

enum class Way {
  Direct,           // can be taken over as it is
  ThroughReleases,  // Metabase itself must bring it up first
  TooNew,           // newer than what is known here
  NotNow,           // in the middle of a change
  Unknown,          // cannot be told from here
};

struct Judgement {
  int release = 0;                   // 50 for 0.50; 0: not known
  std::string version;               // "0.50", "0.50.3", "0.38 or older", "0.45 or older"; empty: not known
  Way way = Way::Unknown;
  std::vector<std::string> through;  // releases to go through first, in order: "0.38.x"; each time the last of its line
  std::string sentence;              // for a person: which it is, and the way
  std::vector<std::string> notes;    // what else is worth knowing before
};

// The oldest that can be taken over as it is, and the newest whose tables are known.
constexpr int oldest_direct = 40, newest_known = 59;

Judgement judge(const Evidence&);
// From the first block of an H2 file: "H:2,block:…,format:2,…"; absent when it is none. The format tells only older or newer.
std::optional<Judgement> judge_h2(const std::string& first_block);

const char* word_of(Way);

}  // namespace basalt::takeover
