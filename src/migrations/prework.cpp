#include "migrations/prework.h"

#include <random>
#include <thread>

#include "appdb/postgres_connection.h"
#include "base/crypto.h"
#include "migrations/execute_parts.h"
#include "migrations/migration.h"
#include "migrations/phases.h"

namespace basalt::migrations {

using appdb::Connection;
using appdb::Engine;
using appdb::Parameters;
using appdb::PostgresConnection;
using appdb::quoted;
using appdb::Row;

namespace {

constexpr std::string_view building = "building", later = "later", all_done = "~";  // beside row_uids, which are smaller than "~"

bool asked_to_stop(const Prework& how) { return how.go_on && !how.go_on(); }

void tell(const Prework& how, const std::string& what, std::int64_t done = 0, std::int64_t total = 0) {
  if (how.tell) how.tell(what, done, total);
}

// Runs a statement outside of any transaction with a bounded wait for locks, and again when somebody was in the way: while
// it waits others queue behind it, so it waits briefly and often. False: told to stop. `cleanup` runs before another try.
bool patiently(PostgresConnection& c, const std::string& sql, std::chrono::milliseconds wait, const Prework& how, const std::function<void()>& cleanup = {}) {
  std::mt19937 random{std::random_device{}()};
  for (;;) {
    if (asked_to_stop(how)) return false;
    c.execute_script("SET lock_timeout = " + std::to_string(wait.count()));
    try {
      c.execute_script(sql);
      c.execute_script("SET lock_timeout = 0");
      return true;
    } catch (const Failure&) {
      auto code = c.last_error_code();
      if (!c.is_alive()) throw;
      if (c.in_transaction()) c.execute_script("ROLLBACK");
      c.execute_script("SET lock_timeout = 0");
      if (cleanup) cleanup();
      if (code != "55P03" && code != "40P01") throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(100, 600)(random)));
  }
}

void note(Connection& c, int migration, const std::string& what, std::string_view position, std::int64_t rows) {
  if (c.execute("UPDATE upgrade_backfill SET last_key = ?, rows_done = ? WHERE migration = ? AND table_name = ?", {position, rows, migration, what}) == 0)
    c.insert("upgrade_backfill", {{"migration", migration}, {"table_name", what}, {"last_key", position}, {"rows_done", rows}});
}

// An index while everybody writes. Cut off, it leaves an invalid one behind, which the next attempt drops.
bool make_index(PostgresConnection& c, int migration, const Table& t, const Index& index, const Prework& how) {
  auto name = index_name(t, index);
  auto state = index_state(c, t, index);
  if (state == IndexState::Valid) return true;
  tell(how, "index " + name);
  if (c.count("SELECT count(*) FROM upgrade_backfill WHERE migration = ? AND table_name = ? AND last_key = ?", {migration, name, later}) == 0) note(c, migration, name, building, 0);
  // Waiting for it holds up nobody but other changes of the structure.
  constexpr std::chrono::seconds wait{30};
  auto drop_left_over = [&] {
    if (index_state(c, t, index) == IndexState::Invalid) patiently(c, "DROP INDEX CONCURRENTLY IF EXISTS " + quoted(name), wait, {});
  };
  drop_left_over();
  auto sql = create_index_sql(t, index);
  sql.replace(0, std::string_view("CREATE INDEX").size(), "CREATE INDEX CONCURRENTLY");
  return patiently(c, sql, wait, how, drop_left_over);
}

// ---- Documents


void store_page(Connection& c, const std::string& side, const ReshapeJson& o, const std::vector<Row>& rows) {
  Parameters parameters;
  std::size_t waiting = 0;
  auto flush = [&] {
    if (!waiting) return;
    std::string sql = "INSERT INTO " + quoted(side) + " (row_uid, source_md5, document, lost, shown) VALUES ";
    for (std::size_t i = 0; i < waiting; ++i) sql += i ? ", (?,?,?,?,?)" : "(?,?,?,?,?)";
    c.execute(sql + " ON CONFLICT (row_uid) DO UPDATE SET source_md5 = excluded.source_md5, document = excluded.document, lost = excluded.lost, shown = excluded.shown", parameters);
    parameters.clear();
    waiting = 0;
  };
  for (auto& row : rows) {
    auto made = reshaped_text(row.text(o.column), o.changes, Direction::Up);
    parameters.emplace_back(row.text("row_uid"));
    parameters.emplace_back(row.text("source_md5"));
    parameters.emplace_back(made.text);
    parameters.push_back(made.lost ? appdb::Parameter(json::write(*made.lost)) : appdb::Parameter(nullptr));
    parameters.push_back(made.lost ? appdb::Parameter(json::write(made.document)) : appdb::Parameter(nullptr));
    if (++waiting == 500) flush();
  }
  flush();
}

bool backfill(PostgresConnection& c, const Planned& planned, const ReshapeJson& o, const Prework& how) {
  auto side = backfill_name(planned.migration, planned.number);
  if (!backfill_matches(c, o, planned.migration, planned.number)) {
    c.execute_script("BEGIN; DROP TABLE IF EXISTS " + quoted(side) + "; CREATE TABLE " + quoted(side) +
                     " (row_uid text PRIMARY KEY, source_md5 text NOT NULL, document text, lost text, shown text); COMMENT ON TABLE " + quoted(side) + " IS '" +
                     checksum(json::write(to_json(Operation(o)))) + "'; DELETE FROM upgrade_backfill WHERE table_name = '" + side + "'; COMMIT");
  }
  std::string last;
  std::int64_t done = 0;
  if (auto row = c.query_one("SELECT last_key, rows_done FROM upgrade_backfill WHERE migration = ? AND table_name = ?", {planned.migration, side})) {
    last = row->optional_text("last_key").value_or("");
    done = row->integer("rows_done");
  }
  auto column = quoted(o.column), table = quoted(o.table);
  auto what = describe(planned.operation);
  auto total = c.count("SELECT count(" + column + ") FROM " + table);
  std::size_t rows_at_once = 100;
  // The first time through all of them; afterwards what was written meanwhile.
  for (bool first = last != all_done;;) {
    if (asked_to_stop(how)) return false;
    tell(how, what, done, total);
    auto start = std::chrono::steady_clock::now();
    c.execute_script("BEGIN");
    std::vector<Row> rows;
    try {
      rows = first ? c.query("SELECT row_uid, " + column + ", md5(" + column + ") AS source_md5 FROM " + table + " WHERE " + column + " IS NOT NULL AND row_uid > ? ORDER BY row_uid LIMIT " + std::to_string(rows_at_once), {last})
                   : c.query("SELECT t.row_uid, t." + column + ", md5(t." + column + ") AS source_md5 FROM " + table + " t LEFT JOIN " + quoted(side) + " b ON b.row_uid = t.row_uid WHERE t." + column +
                                 " IS NOT NULL AND (b.row_uid IS NULL OR b.source_md5 <> md5(t." + column + ")) LIMIT " + std::to_string(rows_at_once));
      store_page(c, side, o, rows);
      if (first) {
        done += static_cast<std::int64_t>(rows.size());
        if (!rows.empty()) last = rows.back().text("row_uid");
        if (rows.size() < rows_at_once) last = all_done;
        note(c, planned.migration, side, last, done);
      }
      c.execute_script("COMMIT");
    } catch (...) {
      if (c.is_alive() && c.in_transaction()) c.execute_script("ROLLBACK");
      throw;
    }
    auto took = std::chrono::steady_clock::now() - start;
    if (rows.size() < rows_at_once) {
      if (!first) break;
      first = false;
      c.execute_script("ANALYZE " + quoted(side));
    }
    if (took > how.batch) rows_at_once = std::max<std::size_t>(1, rows_at_once / 2);
    else if (took < how.batch / 3) rows_at_once = std::min<std::size_t>(5000, rows_at_once * 2);
  }
  tell(how, what, total, total);
  return true;
}

// ---- What was left for afterwards

struct Unproved {
  std::string table, constraint, column;  // column: to be made required once it is proved
  bool validated = false;
};

std::vector<Unproved> unproved_rules(Connection& c) {
  std::vector<Unproved> out;
  c.each("SELECT t.relname AS table_name, k.conname AS name, k.convalidated AS validated, a.attname AS column_name FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid "
         "LEFT JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
         "WHERE k.connamespace = current_schema()::regnamespace AND k.contype IN ('c', 'f') AND ((NOT k.convalidated AND left(k.conname, 2) IN ('c_', 'f_')) OR left(k.conname, 2) = 'n_') ORDER BY 1, 2",
         {}, [&](const Row& row) {
           auto name = row.text("name");
           out.push_back({row.text("table_name"), name, name.starts_with("n_") ? row.optional_text("column_name").value_or("") : "", row.boolean("validated")});
         });
  return out;
}

}  // namespace

std::string backfill_name(int migration, int number) { return "backfill_" + std::to_string(migration) + "_" + std::to_string(number); }

bool backfill_matches(Connection& c, const ReshapeJson& o, int migration, int number) {
  auto side = backfill_name(migration, number);
  auto row = c.query_one("SELECT obj_description(t.oid, 'pg_class') AS made_for FROM pg_class t WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND t.relname = ?", {side});
  return row && row->optional_text("made_for") == checksum(json::write(to_json(Operation(o))));
}

IndexState index_state(Connection& c, const Table& t, const Index& index) {
  auto name = index_name(t, index);
  if (c.engine() == Engine::Sqlite) return index_exists(c, name) ? IndexState::Valid : IndexState::Absent;
  auto row = c.query_one(
      "SELECT i.indisvalid AND i.indisready AS whole, (i.indpred IS NULL AND i.indexprs IS NULL AND NOT i.indisunique) AS plain, t.relname AS table_name, "
      "(SELECT string_agg(a.attname, ', ' ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) AS columns "
      "FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid WHERE x.relnamespace = current_schema()::regnamespace AND x.relname = ?",
      {name});
  if (!row) return IndexState::Absent;
  std::string columns;
  for (auto& column : index.columns) columns += (columns.empty() ? "" : ", ") + column;
  if (!row->boolean("plain") || row->text("table_name") != t.name || row->text("columns") != columns)
    throw Failure(FailureKind::Conflict, "The application database has an index " + name + " that is not Basalt's (on " + row->text("table_name") + "); give it another name: ALTER INDEX " + quoted(name) + " RENAME TO …");
  return row->boolean("whole") ? IndexState::Valid : IndexState::Invalid;
}

bool prework(Connection& connection, const Structure& now, const std::vector<Planned>& coming, const Prework& how) {
  if (connection.engine() == Engine::Sqlite) return true;
  auto& c = static_cast<PostgresConnection&>(connection);
  if (!postwork(c, now, how)) return false;
  for (std::size_t i = 0; i < coming.size(); ++i) {
    auto& planned = coming[i];
    bool free = std::all_of(coming.begin(), coming.begin() + static_cast<std::ptrdiff_t>(i), [&](auto& earlier) { return commute(earlier.operation, planned.operation); });
    if (!free) continue;
    if (auto* o = std::get_if<CreateIndex>(&planned.operation)) {
      auto* t = now.table(o->table);
      bool there = t && std::all_of(o->index.columns.begin(), o->index.columns.end(), [&](auto& name) { return t->column(name); });
      if (there && !make_index(c, planned.migration, *t, o->index, how)) return false;
    } else if (auto* o = std::get_if<ReshapeJson>(&planned.operation)) {
      auto* t = now.table(o->table);
      if (t && t->column(o->column) && !backfill(c, planned, *o, how)) return false;
    }
  }
  return true;
}

bool postwork_due(Connection& c) {
  if (c.engine() == Engine::Sqlite || !table_exists(c, "upgrade_backfill")) return false;
  return c.count("SELECT count(*) FROM upgrade_backfill WHERE last_key = ?", {later}) > 0 || !unproved_rules(c).empty();
}

bool postwork(Connection& connection, const Structure& now, const Prework& how) {
  if (connection.engine() == Engine::Sqlite || !postwork_due(connection)) return true;
  auto& c = static_cast<PostgresConnection&>(connection);
  constexpr std::chrono::seconds wait{1};
  for (auto& rule : unproved_rules(c)) {
    if (!now.table(rule.table)) continue;
    tell(how, "check " + rule.constraint);
    auto alter = "ALTER TABLE " + quoted(rule.table) + " ", name = quoted(rule.constraint);
    // Reads the table while others read and write it.
    if (!rule.validated && !patiently(c, alter + "VALIDATE CONSTRAINT " + name, wait, how)) return false;
    // With the proof at hand the server takes its word for it, and reads nothing.
    if (!rule.column.empty() && !patiently(c, alter + "ALTER COLUMN " + quoted(rule.column) + " SET NOT NULL, DROP CONSTRAINT " + name, wait, how)) return false;
  }
  for (auto& row : c.query("SELECT migration, table_name FROM upgrade_backfill WHERE last_key = ? ORDER BY id", {later})) {
    auto& name = row.text("table_name");
    for (auto& t : now.tables)
      for (auto& index : t.indexes)
        if (index_name(t, index) == name && !make_index(c, static_cast<int>(row.integer("migration")), t, index, how)) return false;
    c.execute("DELETE FROM upgrade_backfill WHERE table_name = ? AND last_key = ?", {name, later});
  }
  return true;
}

void forget_prework(Connection& c) {
  if (c.engine() == Engine::Sqlite || !table_exists(c, "upgrade_backfill")) return;
  // `later` is no prework: the structure has these indexes.
  for (auto& row : c.query("SELECT id, table_name, last_key FROM upgrade_backfill WHERE last_key IS NULL OR last_key <> ?", {later})) {
    auto& name = row.text("table_name");
    bool index = row.optional_text("last_key") == building;
    // Only names that a prework makes: what is stored beside the data is not believed blindly.
    if (index && name.starts_with("i_")) c.execute_script("DROP INDEX IF EXISTS " + quoted(name));
    else if (!index && name.starts_with("backfill_")) c.execute_script("DROP TABLE IF EXISTS " + quoted(name));
    c.execute("DELETE FROM upgrade_backfill WHERE id = ?", {row.integer("id")});
  }
}

}  // namespace basalt::migrations
