#include "migrations/next/all_next.h"

namespace basalt::migrations {

// A document in another shape: the flat note becomes an object with a format. Chosen because nothing in the code reads it,
// so that the same sources serve both shapes.
Migration m0004_nest_card_notes() {
  Schema schema;
  schema.reshape_json("card", "visualization_settings", {added({"notes"}), move({"basalt.note"}, {"notes", "text"}), preset({"notes", "format"}, "plain")});
  return {.number = 4, .name = "nest_card_notes", .since_version = "0.2.0", .compat_floor = 4, .operations = std::move(schema).operations()};
}

}  // namespace basalt::migrations
