#include "migrations/all.h"

namespace basalt::migrations {

std::vector<Migration> all() { return {m0001_first_schema()}; }

}  // namespace basalt::migrations
