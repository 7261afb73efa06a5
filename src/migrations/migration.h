// A migration: a list of typed operations from which way up, way down, probe and lint are derived. See operations.h.
#pragma once
#include "migrations/operations.h"

namespace basalt::migrations {

struct Migration {
  int number = 0;                      // 1, 2, 3…: the schema it leads to
  std::string name;                    // "create_alert", as in its file's name
  std::string since_version;           // the release that brought it, "0.1.0"
  int compat_floor = 1;                // oldest schema a binary may target and still open the data afterwards
  std::vector<Operation> operations;
};

// The structure after all of them.
Structure structure_after(const std::vector<Migration>& migrations);
// Stable text of the operations and its SHA-256 in hex: what is stored, and what a released migration is compared with.
std::string operations_text(const std::vector<Operation>& prepared);
std::string checksum(std::string_view operations_text);

}  // namespace basalt::migrations
