// Every migration of this Basalt, in order.
#pragma once
#include "migrations/migration.h"

namespace basalt::migrations {

std::vector<Migration> all();

Migration m0001_first_schema();

}  // namespace basalt::migrations
