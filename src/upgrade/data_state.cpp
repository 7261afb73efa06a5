#include "upgrade/data_state.h"

#include <algorithm>

#include "base/crypto.h"

namespace basalt::upgrade {

using appdb::Connection;

namespace {

// The parked values as a table without what differs from run to run.
Fingerprint parked_fingerprint(Connection& c) {
  migrations::Table table;
  table.name = "upgrade_park";
  table.has_id = false;
  for (auto* name : {"migration", "operation"}) table.columns.push_back(migrations::integer(name));
  for (auto* name : {"direction", "table_name", "column_name", "parked_row", "value", "shown", "state"}) table.columns.push_back(migrations::text(name));
  RowHasher hasher(table);
  std::string columns;
  // Every table's hash has a row_uid; here it is the parked row's own, so that the hasher's order of names stays one rule.
  for (auto& name : hasher.names()) columns += (columns.empty() ? "" : ", ") + (name == "row_uid" ? std::string("parked_row AS row_uid") : appdb::quoted(name));
  c.each("SELECT " + columns + " FROM upgrade_park", {}, [&](const appdb::Row& row) { hasher.add(row.values()); });
  return hasher.result();
}

}  // namespace

DataState data_state(Connection& c) {
  DataState out;
  auto ledger = read_ledger(c);
  out.present = ledger.present;
  if (!ledger.present) return out;
  out.schema = ledger.schema;
  json::object phase{{"level", ledger.schema}, {"pending", json::array{}}};
  c.each("SELECT key, value FROM upgrade_meta WHERE key IN ('level', 'pending')", {}, [&](const appdb::Row& row) {
    if (auto value = json::try_parse(row.text("value"))) phase[row.text("key")] = *value;
  });
  out.phase = json::write(phase);
  for (auto& table : ledger.structure.tables)
    if (table.in_backup && !table.name.starts_with("upgrade_")) out.tables.push_back({table.name, fingerprint(c, table)});
  std::sort(out.tables.begin(), out.tables.end(), [](auto& a, auto& b) { return a.table < b.table; });
  out.parked = parked_fingerprint(c);
  std::string text = std::to_string(out.schema) + "\n" + out.phase + "\n";
  for (auto& entry : out.tables) text += entry.table + " " + entry.fingerprint.text() + "\n";
  out.root = sha256_hex(text + "parked " + out.parked.text() + "\n");
  return out;
}

json::object DataState::to_json() const {
  json::object list;
  for (auto& entry : tables) list[entry.table] = entry.fingerprint.text();
  return {{"present", present}, {"schema", schema}, {"phase", present ? json::parse(phase) : json::value(nullptr)}, {"tables", std::move(list)}, {"parked", parked.text()}, {"root", root}};
}

}  // namespace basalt::upgrade
