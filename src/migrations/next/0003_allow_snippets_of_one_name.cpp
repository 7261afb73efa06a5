#include "migrations/next/all_next.h"

namespace basalt::migrations {

// A rule less: snippets that share a name are renamed on the way down, and get their name back on the way up.
Migration m0003_allow_snippets_of_one_name() {
  Schema schema;
  schema.drop_unique("snippet", {"name"}, {.rename = "name"});
  schema.create_index("snippet", {"name"});
  return {.number = 3, .name = "allow_snippets_of_one_name", .since_version = "0.2.0", .compat_floor = 3, .operations = std::move(schema).operations()};
}

}  // namespace basalt::migrations
