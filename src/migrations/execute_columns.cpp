// The operations on columns.
#include <cmath>
#include <set>

#include "migrations/execute_parts.h"
#include "migrations/prework.h"

namespace basalt::migrations {

using appdb::Engine;
using appdb::Parameter;
using appdb::quoted;
using appdb::Row;

// Adds it at the end of the table, which on neither engine rewrites the rows.
void Executor::add_column_in_place(const Table& t, const Column& c) {
  auto check = check_sql(c);
  if (!leave_slow_work_ || check.empty()) {
    connection_.execute_script("ALTER TABLE " + quoted(t.name) + " ADD COLUMN " + column_sql(connection_.engine(), t, c));
    return;
  }
  // With its rule it would read the whole table while nobody else may.
  auto plain = c;
  plain.allowed.clear();
  plain.longest = plain.least = plain.most = std::nullopt;
  connection_.execute_script("ALTER TABLE " + quoted(t.name) + " ADD COLUMN " + column_sql(connection_.engine(), t, plain) + ", ADD CONSTRAINT " + quoted(check_name(t.name, c.name)) + " CHECK (" + check + ") NOT VALID");
}

void Executor::drop_column_in_place(const Table& before, const Column& c) {
  if (!sqlite()) {
    connection_.execute_script("ALTER TABLE " + quoted(before.name) + " DROP COLUMN " + quoted(c.name));
    return;
  }
  auto after = before;
  auto uses = [&](auto& rule) { return std::find(rule.columns.begin(), rule.columns.end(), c.name) != rule.columns.end(); };
  std::erase_if(after.uniques, uses);
  std::erase_if(after.indexes, uses);
  std::erase_if(after.columns, [&](auto& column) { return column.name == c.name; });
  // SQLite drops in place what nothing else is about; a reference is turned into a plain column before.
  auto plain = c;
  plain.target.clear();
  if (c.target.empty() || edit_column(before, c, before, plain)) {
    for (auto& u : before.uniques)
      if (uses(u)) for (auto& suffix : {"", "_n"}) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(unique_name(before, u) + suffix));
    for (auto& i : before.indexes) if (uses(i)) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(index_name(before, i)));
    try {
      connection_.execute_script("ALTER TABLE " + quoted(before.name) + " DROP COLUMN " + quoted(c.name));
      return;
    } catch (const Failure&) {
      // Somebody else's index or view is about it: below, which keeps what it can of that.
    }
  }
  rebuild(before, after);
}

void Executor::add_column(const AddColumn& o, Direction direction) {
  auto before = need(structure_, o.table);
  auto& c = o.column;
  if (direction == Direction::Up) {
    add_column_in_place(before, c);
    Structure after = structure_;
    apply_to(after, o, migration_, number_);
    create_indexes(need(after, o.table), before);
    ColumnUpdates updates(connection_, o.table, c);
    std::map<std::string, std::optional<std::int64_t>> targets;  // few, and many rows refer to each
    unpark(
        need(after, o.table), c.name, direction,
        [&](const Parked& p) {
          if (!p.present) return Fate::Orphan;
          auto value = p.value.at("value");
          if (auto uid = json::text(p.value, "uid")) {
            auto known = targets.find(*uid);
            if (known == targets.end()) {
              auto id = connection_.query_one("SELECT id FROM " + quoted(c.target) + " WHERE row_uid = ?", {*uid});
              if (targets.size() > 100000) targets.clear();
              known = targets.emplace(*uid, id ? std::optional(id->integer("id")) : std::nullopt).first;
            }
            if (!known->second) return Fate::Orphan;
            value = *known->second;
          }
          updates.add(p.row_uid, parameter_of(value));
          return Fate::Returned;
        },
        [&] { updates.flush(); });
    return;
  }
  std::vector<std::string> wanted{quoted(c.name)};
  if (!c.target.empty()) wanted.push_back("(SELECT p.row_uid FROM " + quoted(c.target) + " p WHERE p.id = " + quoted(o.table) + "." + quoted(c.name) + ") AS target_uid");
  scan(before, wanted, not_preset(c), [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      json::object value{{"value", value_json(row[c.name])}};
      if (!c.target.empty() && !row.is_null("target_uid")) value["uid"] = row.text("target_uid");
      parks.push_back({row.text("row_uid"), std::move(value), nullptr, "parked"});
    }
    park(o.table, c.name, direction, std::move(parks));
  });
  if (!sqlite()) connection_.execute("DELETE FROM upgrade_backfill WHERE table_name = ?", {index_name(before, {{c.name}})});
  drop_column_in_place(before, c);
}

void Executor::drop_column(const DropColumn& o, Direction direction) {
  auto name = hold_name(migration_, number_);
  auto before = need(structure_, o.table);
  Structure after = structure_;
  if (direction == Direction::Up) {
    apply_to(after, o, migration_, number_);
    auto& held = need(after, name);
    auto& c = *before.column(o.column);
    connection_.execute_script(create_table_sql(connection_.engine(), held));
    std::string into = "row_uid, " + quoted(c.name), from = "t.row_uid, t." + quoted(c.name);
    if (!c.target.empty()) {
      into += ", " + quoted(c.name + "__uid");
      from += ", (SELECT p.row_uid FROM " + quoted(c.target) + " p WHERE p.id = t." + quoted(c.name) + ")";
    }
    auto rows = connection_.execute("INSERT INTO " + quoted(name) + " (" + into + ") SELECT " + from + " FROM " + quoted(o.table) + " t WHERE " + not_preset(c));
    log_hold("column", o.table, o.column, rows);
    counters_.parked += rows;
    drop_column_in_place(before, c);
    return;
  }
  undo_in(after, o, migration_, number_);
  auto& target = need(after, o.table);
  auto& c = *target.column(o.column);
  add_column_in_place(target, c);
  create_indexes(target, before);
  std::string value = "h." + quoted(c.name);
  if (!c.target.empty()) value = "(SELECT p.id FROM " + quoted(c.target) + " p WHERE p.row_uid = h." + quoted(c.name + "__uid") + ")";
  counters_.returned += connection_.execute("UPDATE " + quoted(o.table) + " SET " + quoted(c.name) + " = " + value + " FROM " + quoted(name) + " h WHERE h.row_uid = " + quoted(o.table) + ".row_uid");
  std::vector<Park> orphans;
  // Rows that are gone, and references to what was gone already: they cannot be shown, but stay listed.
  auto lost = "NOT EXISTS (SELECT 1 FROM " + quoted(o.table) + " t WHERE t.row_uid = h.row_uid)" + (c.target.empty() ? "" : " OR (h." + quoted(c.name) + " IS NOT NULL AND " + value + " IS NULL)");
  connection_.each("SELECT row_uid, " + quoted(c.name) + " FROM " + quoted(name) + " h WHERE " + lost, {},
                   [&](const Row& row) { orphans.push_back({row.text("row_uid"), json::object{{"value", value_json(row[c.name])}}, nullptr, "orphan"}); });
  park(o.table, c.name, direction, std::move(orphans));
  connection_.execute_script("DROP TABLE " + quoted(name));
  connection_.execute("UPDATE upgrade_hold SET state = 'returned' WHERE hold_table = ?", {name});
}

void Executor::rename_column(const RenameColumn& o, Direction direction) {
  auto& from = direction == Direction::Up ? o.from : o.to;
  auto& to = direction == Direction::Up ? o.to : o.from;
  auto before = need(structure_, o.table);
  Structure after = structure_;
  if (direction == Direction::Up) apply_to(after, o, migration_, number_);
  else undo_in(after, o, migration_, number_);
  auto& target = need(after, o.table);
  connection_.execute_script("ALTER TABLE " + quoted(o.table) + " RENAME COLUMN " + quoted(from) + " TO " + quoted(to));
  for (std::size_t i = 0; i < before.uniques.size(); ++i) {
    if (before.uniques[i] == target.uniques[i]) continue;
    for (auto& suffix : {"", "_n"}) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(unique_name(before, before.uniques[i]) + suffix));
    for (auto& sql : create_unique_sql(target, target.uniques[i])) connection_.execute_script(sql);
  }
  for (std::size_t i = 0; i < before.indexes.size(); ++i) {
    if (before.indexes[i] == target.indexes[i]) continue;
    connection_.execute_script("DROP INDEX " + quoted(index_name(before, before.indexes[i])) + ";" + create_index_sql(target, target.indexes[i]));
  }
  if (sqlite()) return;
  auto& c = *before.column(from);
  if (!check_sql(c).empty()) connection_.execute_script("ALTER TABLE " + quoted(o.table) + " RENAME CONSTRAINT " + quoted(check_name(o.table, from)) + " TO " + quoted(check_name(o.table, to)));
  if (!c.target.empty()) connection_.execute_script("ALTER TABLE " + quoted(o.table) + " RENAME CONSTRAINT " + quoted(reference_name(o.table, from)) + " TO " + quoted(reference_name(o.table, to)));
}

namespace {

// Whether the engines' own casts between these say what plain_value() says.
bool cast_as_we_read(Type from, Type to) {
  auto simple = [](Type t) { return t == Type::Integer || t == Type::Text || t == Type::Json; };
  return simple(from) && simple(to);
}

}  // namespace

void Executor::change(const ChangeColumn& o, Direction direction) {
  auto before = need(structure_, o.table);
  Structure after = structure_;
  if (direction == Direction::Up) apply_to(after, o, migration_, number_);
  else undo_in(after, o, migration_, number_);
  auto& target = need(after, o.table);
  const Column &from = *std::as_const(before).column(o.column.name), &to = *target.column(o.column.name);
  auto name = quoted(to.name);
  bool other_type = from.type != to.type;

  auto without_rules = [](Column c) {
    c.not_null = false;
    c.allowed.clear();
    c.longest = c.least = c.most = std::nullopt;
    return c;
  };
  Table now = before;  // the table as it is while this goes on
  auto alter = [&](const Column& wanted) {
    auto next = now;
    *next.column(to.name) = wanted;
    auto current = *now.column(to.name);
    if (current == wanted) return;
    if (!sqlite()) alter_column(o.table, current, wanted);
    else if (!edit_column(now, current, next, wanted)) rebuild(now, next);
    now = next;
  };
  // While values of the new kind stand in the old column, its old rules must not be in their way. Only when there are such
  // values: on PostgreSQL others wait from the first ALTER on.
  ColumnUpdates values(connection_, o.table, from);
  auto put = [&](const std::string& uid, const json::value& value) {
    alter(without_rules(from));
    values.add(uid, parameter_of(value));
  };
  // What the engine's own cast would not say as we read it (numbers and times as texts, SQLite with 15 digits only) or what
  // the old type has no word for waits here until the column has its new type.
  std::vector<appdb::Parameters> recasts;
  auto put_recasts = [&] {
    if (!recasts.empty()) connection_.insert_rows("recast", {"row_uid", "value"}, recasts);
    recasts.clear();
  };
  if (other_type) connection_.execute_script("CREATE TEMP TABLE recast (row_uid text PRIMARY KEY, value" + (sqlite() ? std::string() : " " + type_sql(Engine::Postgres, to)) + ")");
  bool recast_all = other_type && !cast_as_we_read(from.type, to.type);
  auto show = [&](const std::string& uid, const json::value& value, const json::value& shown) {
    if (recast_all) {
      recasts.push_back({uid, parameter_of(shown)});
      return;
    }
    auto stored = plain_value(shown, from.type);
    if (stored != value) put(uid, stored);
    if (other_type && plain_value(stored, to.type) != shown) recasts.push_back({uid, parameter_of(shown)});
  };

  // What was parked comes back where the other version left the shown value alone.
  std::set<std::string> settled;
  unpark(
      before, to.name, direction,
      [&](const Parked& p) {
        if (!p.present) return Fate::Orphan;
        auto& value = p.value.at("value");
        if (p.current != p.shown || fitted(value, to, o.fallback) != value) return Fate::Superseded;
        settled.insert(p.row_uid);
        show(p.row_uid, p.current, value);
        return Fate::Returned;
      },
      [&] {
        values.flush();
        put_recasts();
      });

  // Then every other value is made to fit. Only where the type stays can the database say which rows do not.
  std::string where;
  if (!other_type) {
    where = to.not_null && !from.not_null ? "(" + name + " IS NULL" : "(1 = 0";
    if (auto check = check_sql(to); !check.empty()) where += " OR NOT (" + check + ")";
    where += ")";
  }
  // Every whole number is a text, and the same one on either engine: no need to look at them.
  if (from.type == Type::Integer && to.type == Type::Text && check_sql(to).empty()) where = to.not_null && !from.not_null ? name + " IS NULL" : "1 = 0";
  scan(before, {name}, where, [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      auto& uid = row.text("row_uid");
      if (settled.contains(uid)) continue;
      auto value = value_json(row[to.name]);
      auto shown = fitted(value, to, o.fallback);
      auto again = fitted(shown, from, o.fallback);
      auto negative_zero = [](const json::value& v) { return v.is_double() && v.get_double() == 0 && std::signbit(v.get_double()); };
      bool exact = again == value && negative_zero(again) == negative_zero(value);
      if (sqlite() && negative_zero(shown)) exact = exact && value.is_double();  // SQLite keeps no -0
      show(uid, value, shown);
      if (!exact) parks.push_back({uid, json::object{{"value", value}}, shown, "parked"});
    }
    values.flush();
    put_recasts();
    park(o.table, to.name, direction, std::move(parks));
  });

  if (other_type) {
    if (recast_all) alter(without_rules(from));
    alter(without_rules(to));
    connection_.execute("UPDATE " + quoted(o.table) + " SET " + name + " = r.value FROM recast r WHERE r.row_uid = " + quoted(o.table) + ".row_uid");
    connection_.execute_script("DROP TABLE recast");
  }
  alter(to);
}

// SQLite: the column's text in the table's is all that changes, as in https://www.sqlite.org/lang_altertable.html#otheralter;
// the rows keep new rules already, and values of another type are written anew in place, a tenth of the work of making the
// table anew. False when the text is not as expected, or when an index or trigger is about the column.
bool Executor::edit_column(const Table& before, const Column& from, const Table& after, const Column& to) {
  bool other_type = type_sql(Engine::Sqlite, from) != type_sql(Engine::Sqlite, to);
  // An index keeps the old values under the old type's order.
  if (other_type && connection_.count("SELECT count(*) FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL AND (type = 'trigger' OR (type = 'index' AND instr(sql, ?) > 0))", {before.name, to.name}) > 0) return false;
  auto old_text = column_sql(Engine::Sqlite, before, from), new_text = column_sql(Engine::Sqlite, after, to);
  if (old_text == new_text) return true;
  auto row = connection_.query_one("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", {before.name});
  if (!row) return false;
  auto sql = row->text("sql");
  auto at = sql.find(", " + old_text);
  if (at == std::string::npos || sql.find(", " + old_text, at + 1) != std::string::npos) return false;
  auto end = at + 2 + old_text.size();
  if (end >= sql.size() || (sql[end] != ',' && sql[end] != ')')) return false;
  std::string broken = to.not_null ? quoted(to.name) + " IS NULL" : "1 = 0";
  if (auto check = check_sql(to); !check.empty()) broken += " OR NOT (" + check + ")";
  if (other_type && broken != "1 = 0") return false;  // rules come when the values are there
  if (broken != "1 = 0" && connection_.count("SELECT count(*) FROM " + quoted(before.name) + " WHERE " + broken) > 0) return false;  // making it anew says which rule
  sql.replace(at + 2, old_text.size(), new_text);
  auto version = connection_.count("PRAGMA schema_version");
  connection_.execute_script("PRAGMA writable_schema = ON");
  try {
    connection_.execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", {sql, before.name});
    connection_.execute_script("PRAGMA schema_version = " + std::to_string(version + 1));
    connection_.execute_script("PRAGMA writable_schema = RESET");
  } catch (...) {
    connection_.execute_script("PRAGMA writable_schema = OFF");
    throw;
  }
  if (other_type) connection_.execute("UPDATE " + quoted(before.name) + " SET " + quoted(to.name) + " = CAST(" + quoted(to.name) + " AS " + type_sql(Engine::Sqlite, to) + ") WHERE " + quoted(to.name) + " IS NOT NULL");
  return true;
}

// PostgreSQL
void Executor::alter_column(const std::string& table, const Column& from, const Column& to) {
  auto alter = "ALTER TABLE " + quoted(table) + " ", name = quoted(to.name);
  auto check = quoted(check_name(table, to.name)), required = quoted(required_name(table, to.name));
  if (!check_sql(from).empty()) connection_.execute_script(alter + "DROP CONSTRAINT " + check);
  if (from.preset) connection_.execute_script(alter + "ALTER COLUMN " + name + " DROP DEFAULT");
  if (type_sql(Engine::Postgres, from) != type_sql(Engine::Postgres, to)) {
    auto type = type_sql(Engine::Postgres, to);
    // Where the cast would not do every value is written afterwards, and none is in its way.
    connection_.execute_script(alter + "ALTER COLUMN " + name + " TYPE " + type + " USING " + (cast_as_we_read(from.type, to.type) ? name : std::string("NULL")) + "::" + type);
  }
  if (to.preset) connection_.execute_script(alter + "ALTER COLUMN " + name + " SET DEFAULT " + literal(*to.preset));
  // The rows keep the new rules, that was seen to; what is left to postwork() is that the server convinces itself of it.
  if (!to.not_null) connection_.execute_script(alter + "ALTER COLUMN " + name + " DROP NOT NULL, DROP CONSTRAINT IF EXISTS " + required);
  else if (!from.not_null && leave_slow_work_) connection_.execute_script(alter + "ADD CONSTRAINT " + required + " CHECK (" + name + " IS NOT NULL) NOT VALID");
  else if (!from.not_null) connection_.execute_script(alter + "ALTER COLUMN " + name + " SET NOT NULL");
  if (auto condition = check_sql(to); !condition.empty())
    connection_.execute_script(alter + "ADD CONSTRAINT " + check + " CHECK (" + condition + ")" + (leave_slow_work_ ? " NOT VALID" : ""));
}

}  // namespace basalt::migrations
