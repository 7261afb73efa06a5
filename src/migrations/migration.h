// A migration: a list of typed operations from which way up, way down, probe and lint are derived. See operations.h.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "migrations/operations.h"

namespace basalt::migrations {

struct Migration {
  int number = 0;                      // 1, 2, 3…: the schema it leads to
  std::string name;                    // "create_alert", as in its file's name
  std::string since_version;           // the release that brought it, "0.1.0"
  int compat_floor = 0;                // oldest schema a binary may target and still open the data afterwards
  std::vector<Operation> operations;
};

}  // namespace basalt::migrations
