#include "migrations/next/all_next.h"

namespace basalt::migrations {

// A column whose values the older schema has no place for: they are parked on the way down.
Migration m0002_add_card_audience() {
  Schema schema;
  schema.add_column("card", text("audience").required().by_default("everyone").at_most(100));
  return {.number = 2, .name = "add_card_audience", .since_version = "0.2.0", .compat_floor = 1, .operations = std::move(schema).operations()};
}

}  // namespace basalt::migrations
