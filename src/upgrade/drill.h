// Does a backup really bring the server back? It is restored into a data directory of its own, and this program is started on it.
#pragma once
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

struct DrillOptions {
  std::filesystem::path program = "/proc/self/exe";
  std::string encryption_key;                    // BASALT_ENCRYPTION_SECRET_KEY of the child; empty: none
  std::chrono::milliseconds patience{180'000};   // until the child serves
};
struct DrillResult {
  std::string backup, at, sentence;
  int schema = 0;                                // the backup's
  std::int64_t people = 0, cards = 0, dashboards = 0;
  double seconds = 0, boot_seconds = 0;
  json::object to_json() const;
};
// Loopback only, a free port, no scheduled work, no sample content; everything of it is removed afterwards. The result is noted
// beside the file, and in upgrade_backup where the backup is known. Failure BadRequest in a sentence when the backup fails it.
DrillResult drill(Context&, const std::filesystem::path& file, const DrillOptions& = {});

}  // namespace basalt::upgrade
