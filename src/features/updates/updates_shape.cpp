#include "features/updates/updates_shape.h"

#include <algorithm>

#include "migrations/execute.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::quoted;

// Columns whose values no page shows, not even to administrators.
bool is_secret(std::string_view table, std::string_view column) {
  return column.ends_with("_hash") || column.ends_with("password") || column.ends_with("secret") || (table == "database" && column == "details") || (table == "setting" && column == "value");
}

json::value without_secrets(const upgrade::ParkedValue& parked, const json::value& value) {
  if (value.is_null()) return value;
  if (is_secret(parked.table, parked.column)) return json::object{{"hidden", true}};
  auto out = value;
  auto* object = out.if_object();
  auto* row = object ? object->if_contains("row") : nullptr;
  if (row && row->is_object())
    for (auto& [column, content] : row->as_object())
      if (is_secret(parked.table, column)) content = nullptr;
  return out;
}

// What people call the row: its name, e-mail or title.
json::value title_of(Connection& c, const upgrade::ParkedValue& parked) {
  for (auto* column : {"name", "email", "title"}) {
    if (!migrations::column_exists(c, parked.table, column)) continue;
    auto row = c.query_one("SELECT " + quoted(column) + " AS title FROM " + quoted(parked.table) + " WHERE row_uid = ?", {parked.row});
    return row ? json::or_null(row->optional_text("title")) : json::value(nullptr);
  }
  return nullptr;
}

json::object step_json(const appdb::Row& row) {
  return {{"migration", row.integer("migration")}, {"name", row.text("name")}, {"direction", row.text("direction")}, {"state", row.text("state")},
          {"rows", row.integer("rows_changed")}, {"ms", row.integer("ms")}, {"at", row.text("at")}};
}

}  // namespace

json::array runs_json(Connection& c, std::size_t most) {
  struct Run { json::object shape; std::string at; std::int64_t rows = 0, ms = 0; json::array steps; };
  std::vector<Run> runs;
  std::map<std::int64_t, std::size_t> places;
  if (!migrations::table_exists(c, "upgrade_history")) return {};
  c.each("SELECT id, from_schema, to_schema, state, backup, last_error, binary_version, started_at, ended_at FROM upgrade_run ORDER BY id DESC LIMIT ?", {static_cast<std::int64_t>(most)}, [&](const appdb::Row& row) {
    auto from = row.integer("from_schema"), to = row.integer("to_schema");
    places.emplace(row.integer("id"), runs.size());
    runs.push_back({json::object{{"run", row.integer("id")}, {"direction", to < from ? "down" : "up"}, {"from", from}, {"to", to}, {"state", row.text("state")}, {"binary", row.text("binary_version")},
                                 {"started_at", row.text("started_at")}, {"ended_at", json::or_null(row.optional_text("ended_at"))}, {"backup", json::or_null(row.optional_text("backup"))},
                                 {"error", json::or_null(row.optional_text("last_error"))}},
                    row.text("started_at"), 0, 0, {}});
  });
  // Steps without a run of ours: made when the data was, or by a run older than those above; those that follow each other
  // with the same binary and direction belong together.
  std::size_t loose = std::size_t(-1);
  std::string loose_key;
  c.each("SELECT run, migration, name, direction, state, rows_changed, ms, binary_version, at FROM upgrade_history ORDER BY id DESC LIMIT ?", {static_cast<std::int64_t>(most * 20)}, [&](const appdb::Row& row) {
    auto run = row.optional_integer("run");
    auto place = run ? places.find(*run) : places.end();
    std::size_t index;
    if (place != places.end()) {
      index = place->second;
    } else {
      auto key = row.text("binary_version") + " " + row.text("direction") + " " + std::to_string(run.value_or(0));
      if (loose == std::size_t(-1) || key != loose_key) {
        loose = runs.size();
        loose_key = key;
        auto up = row.text("direction") == "up";
        auto number = row.integer("migration");
        runs.push_back({json::object{{"run", nullptr}, {"direction", row.text("direction")}, {"from", up ? number - 1 : number}, {"to", up ? number : number - 1}, {"state", row.text("state")}, {"binary", row.text("binary_version")},
                                     {"started_at", row.text("at")}, {"ended_at", row.text("at")}, {"backup", nullptr}, {"error", nullptr}},
                        row.text("at"), 0, 0, {}});
      }
      index = loose;
      // Newest first: the earlier step moves the beginning.
      auto up = row.text("direction") == "up";
      runs[index].shape["from"] = up ? row.integer("migration") - 1 : row.integer("migration");
      runs[index].shape["started_at"] = row.text("at");
    }
    runs[index].rows += row.integer("rows_changed");
    runs[index].ms += row.integer("ms");
    runs[index].steps.push_back(step_json(row));
  });
  std::stable_sort(runs.begin(), runs.end(), [](auto& a, auto& b) { return a.at > b.at; });
  json::array out;
  for (auto& run : runs) {
    if (out.size() == most) break;
    run.shape["rows"] = run.rows;
    run.shape["ms"] = run.ms;
    std::reverse(run.steps.begin(), run.steps.end());
    run.shape["steps"] = std::move(run.steps);
    out.push_back(std::move(run.shape));
  }
  return out;
}

json::object parked_json(Connection& c, const upgrade::ParkedValue& parked) {
  auto out = parked.to_json();
  out["value"] = without_secrets(parked, parked.value);
  auto taken = json::find(parked.shown, "taken");
  out["shown"] = without_secrets(parked, taken ? taken->at("shown") : parked.shown);
  bool whole_row = parked.column.empty() || json::find(parked.value, "row");
  out["kind"] = whole_row ? "row" : "value";
  out["current"] = nullptr;
  out["title"] = nullptr;
  std::string why_not;
  bool has_table = migrations::table_exists(c, parked.table);
  if (has_table) out["title"] = title_of(c, parked);
  if (parked.state == "returned" || parked.state == "taken") why_not = "It is back already.";
  else if (!has_table) why_not = "This version has no table " + parked.table + "; the value returns with the version that knows it.";
  else if (parked.column.empty()) why_not = "It is a whole row; it returns with the version that knows it.";
  else if (!migrations::column_exists(c, parked.table, parked.column)) why_not = "This version has no place for it; it returns with the version that knows it.";
  else {
    auto row = c.query_one("SELECT " + quoted(parked.column) + " AS current_value FROM " + quoted(parked.table) + " WHERE row_uid = ?", {parked.row});
    if (!row) why_not = "What it belonged to has been deleted.";
    else out["current"] = without_secrets(parked, migrations::value_json((*row)["current_value"]));
    if (row && whole_row) why_not = "It is a whole row; it returns with the version that knows it.";
  }
  out["can_take"] = why_not.empty();
  out["why_not"] = why_not.empty() ? json::value(nullptr) : json::value(why_not);
  return out;
}

json::array parked_counts(Connection& c) {
  json::array out;
  if (!migrations::table_exists(c, "upgrade_park")) return out;
  c.each("SELECT table_name, column_name, state, count(*) AS n FROM upgrade_park WHERE state IN ('parked', 'superseded', 'orphan') GROUP BY table_name, column_name, state ORDER BY table_name, column_name, state", {},
         [&](const appdb::Row& row) {
           out.push_back(json::object{{"table", row.text("table_name")}, {"column", json::or_null(row.optional_text("column_name"))}, {"state", row.text("state")}, {"count", row.integer("n")}});
         });
  return out;
}

}  // namespace basalt::features
