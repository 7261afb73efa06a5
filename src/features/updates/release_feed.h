// Which versions of Basalt there are: a small JSON document in a file or at an http(s) address, asked now and then.
#pragma once
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"

namespace basalt::features {

// {"releases":[{"version":"0.2.0","released_at":"2026-11-20","class":"security|minor|major","schema":4,"notes":"markdown","withdrawn":false}]}
// What is asked of outside is only that document: nothing of this installation is sent, not even its version.
class ReleaseFeed {
 public:
  struct Options {
    std::string source;               // a path, file://…, http://… or https://…; empty: off
    bool air_gapped = false;          // no network: only a file is read
    std::string current;              // the version that runs
    std::chrono::milliseconds patience{10'000};  // for all of one answer, redirections included
    std::size_t most_bytes = 1 << 20;
  };
  explicit ReleaseFeed(Options options);

  bool is_off() const;
  // What is known. {"current":…, "available": {version, released_at, class, schema, notes} or null, "withdrawn": whether the current
  // one was, "feed": "off" | "ok" | "failed: <sentence>" | "not asked yet", "checked_at": time or null}. Any thread, at once.
  json::value latest() const;
  // Asks. Blocks up to `patience`, so never on a thread that answers requests of everybody; never throws. What was known stays
  // when it fails.
  void refresh();

 private:
  std::string fetched() const;

  Options options_;
  std::mutex asking_;                 // one at a time
  mutable std::mutex mutex_;
  json::value available_;             // GUARDED_BY(mutex_)
  bool withdrawn_ = false;            // GUARDED_BY(mutex_)
  std::string state_;                 // GUARDED_BY(mutex_)
  std::string checked_at_;            // GUARDED_BY(mutex_)
};

// -1, 0 or 1 as `a` is older, the same or newer than `b`; absent when one is no version. "1.2" is "1.2.0"; "1.2.0-rc1" is older
// than "1.2.0".
std::optional<int> compare_versions(std::string_view a, std::string_view b);

}  // namespace basalt::features
