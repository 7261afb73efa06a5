#include "migrations/execute_parts.h"
#include "migrations/prework.h"

namespace basalt::migrations {

using appdb::Connection;
using appdb::Engine;
using appdb::Parameter;
using appdb::quoted;
using appdb::Row;

Executor::Executor(Connection& connection, Structure& structure, int migration, std::int64_t run, std::string now)
    : connection_(connection), structure_(structure), migration_(migration), run_(run), now_(std::move(now)) {
  // The pages of a table that is made anew and of its indexes, 64 MB of them instead of 2.
  if (sqlite()) connection_.execute_script("PRAGMA cache_size = -65536");
}

void Executor::run(const Operation& operation, int number, Direction direction) {
  number_ = number;
  if (tick_) tick_();
  std::visit(Cases{
                 [&](const CreateTable& o) { create(o, direction); },
                 [&](const DropTable& o) { drop(o, direction); },
                 [&](const AddColumn& o) { add_column(o, direction); },
                 [&](const DropColumn& o) { drop_column(o, direction); },
                 [&](const RenameTable& o) { rename_table(o, direction); },
                 [&](const RenameColumn& o) { rename_column(o, direction); },
                 [&](const ChangeColumn& o) { change(o, direction); },
                 [&](const AddUnique& o) { unique(o.table, o.unique, o.duplicates, direction == Direction::Up, direction); },
                 [&](const DropUnique& o) { unique(o.table, o.unique, o.duplicates, direction == Direction::Down, direction); },
                 [&](const CreateIndex& o) {
                   auto& t = need(structure_, o.table);
                   if (direction == Direction::Up) create_index(t, o.index);
                   else connection_.execute_script("DROP INDEX " + quoted(index_name(t, o.index)));
                 },
                 [&](const ReshapeJson& o) { reshape(o, direction); },
                 [&](const InsertRows& o) { insert_rows(o, direction); },
             },
             operation);
  if (direction == Direction::Up) apply_to(structure_, operation, migration_, number);
  else undo_in(structure_, operation, migration_, number);
}

// ---- Tables

void Executor::make_table(const Table& t) {
  std::string script = create_table_sql(connection_.engine(), t);
  for (auto& sql : index_sqls(t)) script += ";" + sql;
  connection_.execute_script(script);
}

void Executor::create_index(const Table& t, const Index& index) {
  if (!sqlite()) {
    // Made beforehand, or the rest of an attempt at it.
    auto state = index_state(connection_, t, index);
    auto name = index_name(t, index);
    if (table_exists(connection_, "upgrade_backfill")) connection_.execute("DELETE FROM upgrade_backfill WHERE table_name = ?", {name});
    if (state == IndexState::Valid) return;
    if (state == IndexState::Invalid) connection_.execute_script("DROP INDEX " + quoted(name));
  }
  connection_.execute_script(create_index_sql(t, index));
}

void Executor::create_indexes(const Table& t, const Table& already) {
  for (auto& u : t.uniques)
    if (std::find(already.uniques.begin(), already.uniques.end(), u) == already.uniques.end())
      for (auto& sql : create_unique_sql(t, u)) connection_.execute_script(sql);
  for (auto& i : t.indexes)
    if (std::find(already.indexes.begin(), already.indexes.end(), i) == already.indexes.end()) {
      if (!leave_slow_work_) {
        create_index(t, i);
        continue;
      }
      connection_.execute("DELETE FROM upgrade_backfill WHERE table_name = ?", {index_name(t, i)});
      connection_.insert("upgrade_backfill", {{"migration", migration_}, {"table_name", index_name(t, i)}, {"last_key", "later"}});
    }
}

void Executor::log_hold(const std::string& kind, const std::string& table, const std::string& column, std::int64_t rows) {
  connection_.execute("DELETE FROM upgrade_hold WHERE hold_table = ?", {hold_name(migration_, number_)});
  connection_.insert("upgrade_hold", {{"migration", migration_}, {"operation", number_}, {"kind", kind}, {"source_table", table}, {"source_column", column.empty() ? Parameter(nullptr) : Parameter(column)},
                                      {"hold_table", hold_name(migration_, number_)}, {"rows_held", rows}, {"state", "held"}, {"held_at", now_}});
}

void Executor::hold_table(const Table& t) {
  auto name = hold_name(migration_, number_);
  Structure after = structure_;
  after.tables.clear();
  after.tables.push_back(t);
  undo_in(after, CreateTable{t}, migration_, number_);
  auto& held = need(after, name);
  connection_.execute_script(create_table_sql(connection_.engine(), held));
  std::string into, from;
  if (t.has_id) into = "id, ", from = "t.id, ";
  into += "row_uid";
  from += "t.row_uid";
  for (auto& c : t.columns) {
    into += ", " + quoted(c.name);
    from += ", t." + quoted(c.name);
    if (c.target.empty()) continue;
    into += ", " + quoted(c.name + "__uid");
    from += ", (SELECT p.row_uid FROM " + quoted(c.target) + " p WHERE p.id = t." + quoted(c.name) + ")";
  }
  auto rows = connection_.execute("INSERT INTO " + quoted(name) + " (" + into + ") SELECT " + from + " FROM " + quoted(t.name) + " t");
  connection_.execute_script("DROP TABLE " + quoted(t.name));
  counters_.parked += rows;
  log_hold("table", t.name, "", rows);
}

void Executor::unhold_table(const Table& t) {
  auto name = hold_name(migration_, number_);
  make_table(t);
  if (!table_exists(connection_, name)) return;
  std::string into, from, fits = "1 = 1";
  if (t.has_id) into = "id, ", from = "h.id, ";
  into += "row_uid";
  from += "h.row_uid";
  for (auto& c : t.columns) {
    into += ", " + quoted(c.name);
    if (c.target.empty() || c.target == t.name) {
      from += ", h." + quoted(c.name);
      continue;
    }
    auto parent = "(SELECT p.id FROM " + quoted(c.target) + " p WHERE p.row_uid = h." + quoted(c.name + "__uid") + ")";
    from += ", " + parent;
    // What hung on a row that is gone: it would have gone with it, so it is no row any more, but it stays listed.
    if (c.not_null || c.on_delete == OnDelete::Cascade) fits += " AND (h." + quoted(c.name) + " IS NULL OR " + parent + " IS NOT NULL)";
  }
  auto returned = connection_.execute("INSERT INTO " + quoted(t.name) + " (" + into + ") SELECT " + from + " FROM " + quoted(name) + " h WHERE " + fits);
  counters_.returned += returned;
  std::vector<Park> orphans;
  connection_.each("SELECT " + list(t.column_names(), "h.") + " FROM " + quoted(name) + " h WHERE NOT (" + fits + ")", {},
                   [&](const Row& row) { orphans.push_back({row.text("row_uid"), json::object{{"row", row_json(t, row)}}, nullptr, "orphan"}); });
  park(t.name, "", Direction::Down, std::move(orphans));
  connection_.execute_script("DROP TABLE " + quoted(name));
  connection_.execute("UPDATE upgrade_hold SET state = 'returned' WHERE hold_table = ?", {name});
  if (t.has_id && !sqlite())
    connection_.count("SELECT setval(pg_get_serial_sequence(?, 'id'), greatest(1, (SELECT coalesce(max(id), 1) FROM " + quoted(t.name) + ")))", {"\"" + t.name + "\""});
}

void Executor::create(const CreateTable& o, Direction direction) {
  if (direction == Direction::Up) unhold_table(o.table);
  else hold_table(need(structure_, o.table.name));
}

void Executor::drop(const DropTable& o, Direction direction) {
  if (direction == Direction::Up) hold_table(need(structure_, o.table));
  else unhold_table(o.was.value());
}

void Executor::rename_table(const RenameTable& o, Direction direction) {
  auto& from = direction == Direction::Up ? o.from : o.to;
  auto& to = direction == Direction::Up ? o.to : o.from;
  auto before = need(structure_, from);
  auto after = before;
  after.name = to;
  for (auto& c : after.columns) if (c.target == from) c.target = to;
  if (sqlite()) {
    for (auto& u : before.uniques)
      for (auto& suffix : {"", "_n"}) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(unique_name(before, u) + suffix));
    for (auto& i : before.indexes) connection_.execute_script("DROP INDEX " + quoted(index_name(before, i)));
    connection_.execute_script("ALTER TABLE " + quoted(from) + " RENAME TO " + quoted(to));
    for (auto& sql : index_sqls(after)) connection_.execute_script(sql);
    return;
  }
  connection_.execute_script("ALTER TABLE " + quoted(from) + " RENAME TO " + quoted(to));
  for (auto& u : before.uniques)
    for (std::string suffix : {"", "_n"}) connection_.execute_script("ALTER INDEX IF EXISTS " + quoted(unique_name(before, u) + suffix) + " RENAME TO " + quoted(unique_name(after, u) + suffix));
  for (auto& i : before.indexes) connection_.execute_script("ALTER INDEX " + quoted(index_name(before, i)) + " RENAME TO " + quoted(index_name(after, i)));
  for (auto& c : before.columns) {
    if (!check_sql(c).empty()) connection_.execute_script("ALTER TABLE " + quoted(to) + " RENAME CONSTRAINT " + quoted(check_name(from, c.name)) + " TO " + quoted(check_name(to, c.name)));
    if (!c.target.empty()) connection_.execute_script("ALTER TABLE " + quoted(to) + " RENAME CONSTRAINT " + quoted(reference_name(from, c.name)) + " TO " + quoted(reference_name(to, c.name)));
  }
}

void Executor::rebuild(const Table& before, const Table& after) {
  std::string temporary = "rebuild_" + after.name;
  std::string into = after.has_id ? "id, row_uid" : "row_uid", from = into;
  for (auto& c : after.columns) {
    auto* old = before.column(c.name);
    into += ", " + quoted(c.name);
    if (!old) from += ", " + (c.preset ? literal(*c.preset) : std::string("NULL"));
    else if (old->type != c.type && type_sql(Engine::Sqlite, *old) != type_sql(Engine::Sqlite, c)) from += ", CAST(" + quoted(c.name) + " AS " + type_sql(Engine::Sqlite, c) + ")";
    else from += ", " + quoted(c.name);
  }
  auto create = create_table_sql(Engine::Sqlite, after, temporary);
  // What somebody else added to the table stays: columns by name and type, indexes and triggers by their text.
  auto known = before.column_names();
  std::vector<std::string> theirs;
  connection_.each("SELECT name, type FROM pragma_table_info(?)", {before.name}, [&](const Row& row) {
    auto& column = row.text("name");
    if (std::find(known.begin(), known.end(), column) != known.end()) return;
    std::string type;
    for (char ch : row.text("type")) if (std::isalnum(static_cast<unsigned char>(ch)) || ch == ' ' || ch == '(' || ch == ')' || ch == ',' || ch == '_') type += ch;
    create.insert(create.size() - 1, ", " + quoted(column) + " " + type);
    into += ", " + quoted(column);
    from += ", " + quoted(column);
  });
  std::vector<std::string> ours;
  for (auto& u : before.uniques) for (auto& suffix : {"", "_n"}) ours.push_back(unique_name(before, u) + suffix);
  for (auto& index : before.indexes) ours.push_back(index_name(before, index));
  connection_.each("SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') AND sql IS NOT NULL", {before.name}, [&](const Row& row) {
    if (std::find(ours.begin(), ours.end(), row.text("name")) == ours.end()) theirs.push_back(row.text("sql"));
  });
  std::optional<std::int64_t> sequence;
  if (after.has_id)
    if (auto row = connection_.query_one("SELECT seq FROM sqlite_sequence WHERE name = ?", {before.name})) sequence = row->optional_integer("seq");
  connection_.execute_script(create);
  connection_.execute("INSERT INTO " + quoted(temporary) + " (" + into + ") SELECT " + from + " FROM " + quoted(before.name));
  connection_.execute_script("DROP TABLE " + quoted(before.name));
  connection_.execute_script("ALTER TABLE " + quoted(temporary) + " RENAME TO " + quoted(after.name));
  for (auto& sql : index_sqls(after)) connection_.execute_script(sql);
  for (auto& sql : theirs) {
    try {
      connection_.execute_script(sql);
    } catch (const Failure&) {
      // It was about a column that is gone: it goes with it.
    }
  }
  if (sequence) {
    // Ids of deleted rows are not given out again.
    connection_.execute("DELETE FROM sqlite_sequence WHERE name = ?", {after.name});
    connection_.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", {after.name, *sequence});
  }
}

}  // namespace basalt::migrations
