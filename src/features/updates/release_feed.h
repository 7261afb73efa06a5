// Which versions of Basalt there are, asked now and then. A signed list (release/) is checked and remembered; an unsigned one of the
// older form is news only and never installed from.
#pragma once
#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/time.h"
#include "release/metadata.h"

namespace basalt::features {

// What is asked of outside is only those documents: nothing of this installation is sent, not even its version.
class ReleaseFeed {
 public:
  struct Options {
    std::string source;               // a path, file://…, http://… or https://…, of releases.json or its folder; empty: off
    bool air_gapped = false;          // no network: only a file is read
    std::string current;              // the version that runs
    std::string root;                 // text of the first root that is trusted; empty: no signed list is
    std::filesystem::path trust;      // folder of what was seen (release::Trust)
    std::string ca_file;              // for https, besides the system's certificates
    std::chrono::milliseconds patience{10'000};  // for each document, redirections included
    const Clock* clock = &system_clock();        // must live longer
  };
  explicit ReleaseFeed(Options options);

  bool is_off() const;
  // What is known. {"current":…, "available": {version, released_at, class, schema, notes} or null, "withdrawn": whether the current
  // one was, "withdrawn_why": sentence or null, "signed": whether the list was and was found good, "feed": "off" | "ok" |
  // "failed: <sentence>" | "not asked yet", "checked_at": time or null}. Any thread, at once.
  json::value latest() const;
  // Asks. Blocks, so never on a thread that answers requests of everybody; never throws. What was known stays when it fails.
  void refresh();

 private:
  struct Found {
    std::vector<release::Release> releases;
    bool is_signed = false;
  };
  Found asked() const;

  Options options_;
  std::mutex asking_;                 // one at a time
  mutable std::mutex mutex_;
  json::value available_;             // GUARDED_BY(mutex_)
  std::optional<std::string> withdrawn_;  // GUARDED_BY(mutex_): why the current one was; absent: it was not
  bool signed_ = false;               // GUARDED_BY(mutex_)
  std::string state_;                 // GUARDED_BY(mutex_)
  std::string checked_at_;            // GUARDED_BY(mutex_)
};

}  // namespace basalt::features
