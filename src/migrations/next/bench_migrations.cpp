// What bench/upgrade measures, on the tables that are large there.
#include "migrations/next/all_next.h"

namespace basalt::migrations {

// What a minor release does: older nodes go on beside all of it.
Migration bench_additive() {
  Schema schema;
  schema.add_column("data_permission", text("origin").required().by_default("graph").at_most(40))
      .create_table("permission_note", {reference("group_id", "permission_group").required().cascade(), text("note")})
      .create_index("revision", {"created_at"});
  return {.number = 2, .name = "bench_additive", .since_version = "0.2.0", .compat_floor = 1, .operations = std::move(schema).operations()};
}

// A large table made anew (its new column changes its type), a column filled for all of its rows, 50,000 documents reshaped.
Migration bench_worst_mix() {
  Schema schema;
  schema.add_column("data_permission", integer("weight").required().by_default(7))
      .change_column("data_permission", text("weight").required().by_default("7"), "7")
      .change_column("task_run", text("duration_ms"))
      .reshape_json("revision", "object", {added({"notes", "author"}), move({"note"}, {"notes", "text"}), preset({"notes", "format"}, "plain")});
  return {.number = 2, .name = "bench_worst_mix", .since_version = "0.2.0", .compat_floor = 2, .operations = std::move(schema).operations()};
}

}  // namespace basalt::migrations
