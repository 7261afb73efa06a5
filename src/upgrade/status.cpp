// What there is and what would happen, without touching anything.
#include <algorithm>
#include <charconv>

#include "base/failure.h"
#include "base/version.h"
#include "upgrade/backup.h"
#include "upgrade/files.h"
#include "upgrade/nodes.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;

namespace {

// What is put off, as it is stored with the data: an older binary can tell it too.
json::array pending_operations(Connection& c, const Ledger& ledger) {
  std::map<int, std::pair<std::string, json::value>> stored;
  if (!ledger.pending.empty())
    c.each("SELECT migration, name, operations FROM upgrade_down WHERE migration > ?", {ledger.level}, [&](const appdb::Row& row) {
      stored[static_cast<int>(row.integer("migration"))] = {row.text("name"), json::try_parse(row.text("operations")).value_or(json::value(nullptr))};
    });
  json::array out;
  for (auto& [migration, operation] : ledger.pending) {
    auto& [name, operations] = stored[migration];
    std::string description = "an operation that this version does not know";
    try {
      description = migrations::describe(migrations::operation_from_json(operations.at(static_cast<std::size_t>(operation))));
    } catch (const std::exception&) {
      // A later version's.
    }
    out.push_back(json::object{{"migration", migration}, {"name", name}, {"operation", operation}, {"description", description}});
  }
  return out;
}

}  // namespace

Status status(Context& context) {
  Status out;
  out.target = target_of(context);
  out.binary = version();
  out.engine = context.store.engine();
  context.store.read([&](Connection& c) {
    auto ledger = read_ledger(c);
    out.schema = ledger.schema;
    out.compat_floor = ledger.compat_floor;
    out.made_by = ledger.made_by;
    out.instance_id = ledger.instance_id;
    out.level = ledger.level;
    out.expanded_at = ledger.expanded_at;
    out.decision = decide(ledger, out.target);
    auto number = std::to_string(ledger.schema);
    switch (out.decision) {
      case Decision::Fresh: out.sentence = "There is no data yet; the first start creates it."; break;
      case Decision::Upgrade: out.sentence = "The data has schema " + number + "; this version brings it to " + std::to_string(out.target) + " (`basalt migrate up`, or simply start)."; break;
      case Decision::Run:
        out.sentence = ledger.pending.empty() ? "Up to date: schema " + number + "."
                                              : "Expanded to schema " + number + "; what older versions cannot open is put off until the last of them is gone (by itself, or `basalt migrate finalize`).";
        break;
      case Decision::RunNewer: out.sentence = "The data has schema " + number + ", newer than this version's " + std::to_string(out.target) + ", and this version can still run on it."; break;
      case Decision::Refuse: out.sentence = refusal(ledger, out.target); break;
    }
    if (auto holder = lock_holder(context, c)) out.lock = holder->to_json();
    if (!ledger.present) return;
    out.pending = pending_operations(c, ledger);
    for (auto& node : nodes(c, context.node_id)) out.nodes.push_back(node.to_json());
    c.each("SELECT migration, name, direction, state, rows_changed, ms, binary_version, at FROM upgrade_history ORDER BY id DESC LIMIT 50", {}, [&](const appdb::Row& row) {
      out.history.push_back(json::object{{"migration", row.integer("migration")}, {"name", row.text("name")}, {"direction", row.text("direction")}, {"state", row.text("state")}, {"rows", row.integer("rows_changed")},
                                         {"ms", row.integer("ms")}, {"binary", row.text("binary_version")}, {"at", row.text("at")}});
    });
    c.each("SELECT table_name, column_name, state, count(*) AS n FROM upgrade_park WHERE state IN ('parked', 'superseded', 'orphan') GROUP BY table_name, column_name, state ORDER BY table_name, column_name, state", {},
           [&](const appdb::Row& row) {
             auto column = row.optional_text("column_name");
             out.parked.push_back(json::object{{"table", row.text("table_name")}, {"column", json::or_null(column)}, {"state", row.text("state")}, {"count", row.integer("n")}});
           });
  });
  auto side = read_side_file(context);
  auto state = json::text(side, "state").value_or("");
  if (!state.empty() && state != "finalised" && state != "observing" && state != "failed") {
    // Somebody is at it; or a crash left it, unless it was finished after all and only this file's last line is missing.
    if (!out.lock.is_null()) out.running = side;
    else if (json::integer(side, "to") != out.schema || json::integer(side, "from") == out.schema) out.open_run = side;
  }
  return out;
}

int schema_of_version(const Context& context, std::string_view wanted) {
  auto parts = [](std::string_view text) -> std::optional<std::array<int, 3>> {
    std::array<int, 3> out{};
    std::size_t index = 0;
    auto* at = text.data();
    auto* end = at + text.size();
    if (at != end && *at == 'v') ++at;
    while (at != end) {
      if (index == 3) return std::nullopt;
      auto read = std::from_chars(at, end, out[index++]);
      if (read.ec != std::errc()) return std::nullopt;
      at = read.ptr;
      if (at != end && *at++ != '.') return std::nullopt;
    }
    return index > 0 ? std::optional(out) : std::nullopt;
  };
  auto version_wanted = parts(wanted);
  if (!version_wanted) throw Failure(FailureKind::BadRequest, "\"" + std::string(wanted) + "\" is no version; a version is like 0.1.0.");
  int schema = 0;
  for (auto& m : context.migrations)
    if (auto since = parts(m.since_version); since && *since <= *version_wanted) schema = m.number;
  if (schema == 0) throw Failure(FailureKind::BadRequest, "There was no Basalt " + std::string(wanted) + ".");
  return schema;
}

}  // namespace basalt::upgrade
