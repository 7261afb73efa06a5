// What an operation costs on an engine: a model from measured runs, for when nothing was measured here yet. Internal to this folder.
#pragma once
#include "migrations/execute.h"

namespace basalt::upgrade {

struct Cost {
  double seconds = 0;    // of the operation itself
  double lock_ms = 0;    // how long somebody waits for it
  const char* lock = "none";
  bool copies = false;   // writes the table's rows a second time: the disk must hold them twice
};
// `rows`: in the table. On SQLite writers wait for the whole change, readers never; on PostgreSQL it depends on the operation.
Cost cost_of(appdb::Engine, const migrations::Operation&, migrations::Direction, std::int64_t rows);

}  // namespace basalt::upgrade
