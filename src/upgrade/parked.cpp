#include "base/failure.h"
#include "upgrade/ledger.h"
#include "upgrade/parked.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::quoted;

namespace {

constexpr const char* columns = "SELECT id, migration, table_name, column_name, parked_row, value, shown, state, parked_at FROM upgrade_park ";

ParkedValue parked_from(const appdb::Row& row) {
  ParkedValue out;
  out.id = row.integer("id");
  out.migration = static_cast<int>(row.integer("migration"));
  out.table = row.text("table_name");
  out.column = row.optional_text("column_name").value_or("");
  out.row = row.text("parked_row");
  out.state = row.text("state");
  out.value = row.json("value");
  out.shown = row.json("shown");
  out.parked_at = row.text("parked_at");
  return out;
}

ParkedValue find(Connection& c, std::int64_t id) {
  auto row = migrations::table_exists(c, "upgrade_park") ? c.query_one(std::string(columns) + "WHERE id = ?", {id}) : std::nullopt;
  if (!row) throw Failure(FailureKind::NotFound, "There is no parked value " + std::to_string(id) + "; `basalt parked list` shows them.");
  return parked_from(*row);
}

// What is at the value's place now; absent when the row or the column is not there.
std::optional<json::value> current_value(Connection& c, const ParkedValue& parked) {
  if (parked.column.empty() || !migrations::table_exists(c, parked.table) || !migrations::column_exists(c, parked.table, parked.column)) return std::nullopt;
  auto row = c.query_one("SELECT " + quoted(parked.column) + " AS current_value FROM " + quoted(parked.table) + " WHERE row_uid = ?", {parked.row});
  return row ? std::optional(migrations::value_json((*row)["current_value"])) : std::nullopt;
}

}  // namespace

std::vector<ParkedValue> parked_list(Context& context, std::size_t limit) {
  std::vector<ParkedValue> out;
  context.store.read([&](Connection& c) {
    if (!migrations::table_exists(c, "upgrade_park")) return;
    c.each(std::string(columns) + "WHERE state IN ('parked', 'superseded', 'orphan') ORDER BY id LIMIT ?", {static_cast<std::int64_t>(limit)}, [&](const appdb::Row& row) { out.push_back(parked_from(row)); });
  });
  return out;
}

ParkedValue parked_show(Context& context, std::int64_t id) {
  return context.store.read([&](Connection& c) { return find(c, id); });
}

ParkedValue parked_take(Context& context, std::int64_t id) {
  return context.store.write([&](Connection& c) {
    auto parked = find(c, id);
    auto conflict = [&](const std::string& why) { throw Failure(FailureKind::Conflict, "Parked value " + std::to_string(id) + " cannot be put back: " + why); };
    if (parked.state == "returned" || parked.state == "taken") conflict("it is back already.");
    if (parked.column.empty()) conflict("it is a whole row of " + parked.table + "; `basalt parked show` prints it.");
    if (!migrations::table_exists(c, parked.table) || !migrations::column_exists(c, parked.table, parked.column))
      conflict("this schema has no column " + parked.column + " in " + parked.table + ".");
    auto row = c.query_one("SELECT " + quoted(parked.column) + " AS current_value FROM " + quoted(parked.table) + " WHERE row_uid = ?", {parked.row});
    if (!row) conflict("its row is not there any more.");
    json::value value;
    if (auto* whole = json::find(parked.value, "text")) value = *whole;
    else if (auto* patch = json::find(parked.value, "patch")) value = json::value(json::write(migrations::merged(row->json("current_value"), *patch)));
    else value = parked.value.at("value");
    c.execute("UPDATE " + quoted(parked.table) + " SET " + quoted(parked.column) + " = ? WHERE row_uid = ?", {migrations::parameter_of(value), parked.row});
    // What is there now as the engine reads it back, so that parked_untake() can tell whether somebody changed it since.
    json::object taken{{"shown", parked.shown}, {"state", parked.state}, {"replaced", migrations::value_json((*row)["current_value"])}, {"written", current_value(c, parked).value_or(nullptr)}};
    c.execute("UPDATE upgrade_park SET state = 'taken', shown = ? WHERE id = ?", {json::write(json::object{{"taken", std::move(taken)}}), id});
    parked.state = "taken";
    return parked;
  });
}

ParkedValue parked_untake(Context& context, std::int64_t id) {
  return context.store.write([&](Connection& c) {
    auto parked = find(c, id);
    auto* taken = json::find(parked.shown, "taken");
    if (parked.state != "taken" || !taken) throw Failure(FailureKind::Conflict, "Parked value " + std::to_string(id) + " was not put back, so there is nothing to undo.");
    auto current = current_value(c, parked);
    if (!current || *current != taken->at("written"))
      throw Failure(FailureKind::Conflict, "Parked value " + std::to_string(id) + " cannot be taken out again: what it was written to has changed since.");
    c.execute("UPDATE " + quoted(parked.table) + " SET " + quoted(parked.column) + " = ? WHERE row_uid = ?", {migrations::parameter_of(taken->at("replaced")), parked.row});
    auto shown = taken->at("shown");
    parked.state = json::text(*taken, "state").value_or("parked");
    parked.shown = shown;
    c.execute("UPDATE upgrade_park SET state = ?, shown = ? WHERE id = ?", {parked.state, json::write(parked.shown), id});
    return parked;
  });
}

ParkedPage parked_page(Connection& c, const ParkedFilter& filter) {
  ParkedPage out;
  if (!filter.state.empty() && filter.state != "parked" && filter.state != "superseded" && filter.state != "orphan" && filter.state != "returned" && filter.state != "taken")
    throw bad_field("state", "value must be parked, superseded, orphan, returned or taken.");
  if (!migrations::table_exists(c, "upgrade_park")) return out;
  std::string where = filter.state.empty() ? "WHERE state IN ('parked', 'superseded', 'orphan')" : "WHERE state = ?";
  appdb::Parameters bound;
  if (!filter.state.empty()) bound.push_back(filter.state);
  if (!filter.table.empty()) {
    where += " AND table_name = ?";
    bound.push_back(filter.table);
  }
  out.total = c.count("SELECT count(*) FROM upgrade_park " + where, bound);
  bound.push_back(static_cast<std::int64_t>(filter.limit));
  bound.push_back(static_cast<std::int64_t>(filter.offset));
  c.each(std::string(columns) + where + " ORDER BY id LIMIT ? OFFSET ?", bound, [&](const appdb::Row& row) { out.values.push_back(parked_from(row)); });
  return out;
}

}  // namespace basalt::upgrade
