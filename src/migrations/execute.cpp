#include "migrations/execute.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/random.h"

namespace basalt::migrations {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::Parameter;
using appdb::Parameters;
using appdb::quoted;
using appdb::Row;

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

constexpr std::size_t batch_size = 2000;

std::string list(const std::vector<std::string>& names, const std::string& prefix = "") {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : ", ") + prefix + quoted(n);
  return out;
}

const Table& need(const Structure& s, std::string_view name) {
  if (auto* t = s.table(name)) return *t;
  throw Failure(FailureKind::Bug, "A migration does not fit the data it meets: there is no table " + std::string(name) + ".");
}

// Rows whose value differs from what a new row would get.
std::string not_preset(const Column& c) {
  auto name = quoted(c.name);
  if (!c.preset || c.preset->is_null()) return name + " IS NOT NULL";
  return "(" + name + " IS NULL OR " + name + " <> " + literal(*c.preset) + ")";
}

std::string expressions(const Table& t, const Unique& u) {
  std::string out;
  for (auto& name : u.columns) {
    auto* c = t.column(name);
    bool fill = c && !c->not_null && u.columns.size() > 1;
    out += (out.empty() ? "" : ", ") + (fill ? "coalesce(" + quoted(name) + ", " + (c->type == Type::Integer ? "-1" : "''") + ")" : quoted(name));
  }
  return out;
}

// Characters, not bytes.
std::string first_characters(const std::string& text, std::int64_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --count;
  }
  return text.substr(0, at);
}

json::value plain_value(const json::value& v, Type type) {
  switch (type) {
    case Type::Integer:
      if (v.is_bool()) return v.get_bool() ? 1 : 0;
      if (auto* d = v.if_double()) return *d >= 9.2e18 ? INT64_MAX : *d <= -9.2e18 ? INT64_MIN : static_cast<std::int64_t>(*d);
      if (auto* s = v.if_string()) {
        std::int64_t n = 0;
        auto read = std::from_chars(s->data(), s->data() + s->size(), n);
        return read.ec == std::errc() && read.ptr == s->data() + s->size() ? json::value(n) : json::value(nullptr);
      }
      return v;
    case Type::Real:
      if (v.is_bool()) return v.get_bool() ? 1.0 : 0.0;
      if (auto* i = v.if_int64()) return static_cast<double>(*i);
      if (auto* s = v.if_string()) {
        double d = 0;
        auto read = std::from_chars(s->data(), s->data() + s->size(), d);
        return read.ec == std::errc() && read.ptr == s->data() + s->size() ? json::value(d) : json::value(nullptr);
      }
      return v;
    case Type::Boolean:
      if (auto* i = v.if_int64()) return *i == 0 ? json::value(false) : *i == 1 ? json::value(true) : json::value(nullptr);
      return v.is_bool() ? v : json::value(nullptr);
    case Type::Text: case Type::Json: case Type::Time:
      if (v.is_null() || v.is_string()) return v;
      return json::value(json::write(v));
    case Type::Blob: return v;
  }
  return v;
}

// The nearest value that the column can hold.
json::value fitted(json::value v, const Column& c, const json::value& fallback) {
  v = plain_value(v, c.type);
  if (v.is_string() && !c.allowed.empty() && std::find(c.allowed.begin(), c.allowed.end(), std::string(v.get_string())) == c.allowed.end()) v = fallback;
  if (v.is_string() && c.longest) v = json::value(first_characters(std::string(v.get_string()), *c.longest));
  if (auto* i = v.if_int64()) {
    if (c.least && *i < *c.least) v = *c.least;
    else if (c.most && *i > *c.most) v = *c.most;
  }
  if (v.is_null() && c.not_null) v = fallback.is_null() && c.preset ? *c.preset : fallback;
  return v;
}

json::value made_value(const json::value& v, const std::string& now) {
  auto* o = v.if_object();
  auto* what = o ? o->if_contains("$") : nullptr;
  if (!what || !what->is_string()) return v;
  if (*what == "now") return json::value(now);
  if (*what == "entity_id") return json::value(entity_id());
  if (*what == "uuid") return json::value(uuid4());
  return v;
}

// Same tokens, whatever the blanks: then nothing was lost by reading it.
bool read_without_loss(std::string_view text, const json::value& tree) {
  std::string packed;
  bool inside = false, escaped = false;
  for (char c : text) {
    if (inside) {
      if (escaped) escaped = false;
      else if (c == '\\') escaped = true;
      else if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      continue;
    }
    packed += c;
  }
  return packed == json::write(tree);
}

}  // namespace

json::value value_json(const appdb::Value& value) {
  return std::visit(Cases{
                        [](std::nullptr_t) -> json::value { return nullptr; },
                        [](bool b) -> json::value { return b; },
                        [](std::int64_t n) -> json::value { return n; },
                        [](double d) -> json::value { return d; },
                        [](const std::string& s) -> json::value { return json::value(s); },
                        [](const appdb::Blob& b) -> json::value { return json::object{{"base64", base64(b.bytes)}}; },
                    },
                    value);
}

Parameter parameter_of(const json::value& v) {
  if (v.is_null()) return nullptr;
  if (v.is_bool()) return v.get_bool();
  if (auto* i = v.if_int64()) return *i;
  if (auto* d = v.if_double()) return *d;
  if (auto* s = v.if_string()) return std::string(*s);
  if (auto bytes = json::text(v, "base64"); bytes && v.as_object().size() == 1) return appdb::Blob{from_base64(*bytes).value_or("")};
  return v;
}

bool table_exists(Connection& c, std::string_view table) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", {table}) > 0;
  return c.count("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?", {table}) > 0;
}

bool column_exists(Connection& c, std::string_view table, std::string_view column) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?", {table, column}) > 0;
  return c.count("SELECT count(*) FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = current_schema() AND t.relkind = 'r' AND t.relname = ? AND a.attname = ? AND NOT a.attisdropped", {table, column}) > 0;
}

bool index_exists(Connection& c, std::string_view index) {
  if (c.engine() == Engine::Sqlite) return c.count("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name = ?", {index}) > 0;
  return c.count("SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = ?", {index}) > 0;
}

Executor::Executor(Connection& connection, Structure& structure, int migration, std::int64_t run, std::string now)
    : connection_(connection), structure_(structure), migration_(migration), run_(run), now_(std::move(now)) {}

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
                   connection_.execute_script(direction == Direction::Up ? create_index_sql(t, o.index) : "DROP INDEX " + quoted(index_name(t, o.index)));
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

void Executor::create_indexes(const Table& t, const Table& already) {
  for (auto& u : t.uniques)
    if (std::find(already.uniques.begin(), already.uniques.end(), u) == already.uniques.end())
      for (auto& sql : create_unique_sql(t, u)) connection_.execute_script(sql);
  for (auto& i : t.indexes)
    if (std::find(already.indexes.begin(), already.indexes.end(), i) == already.indexes.end()) connection_.execute_script(create_index_sql(t, i));
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
  std::optional<std::int64_t> sequence;
  if (after.has_id)
    if (auto row = connection_.query_one("SELECT seq FROM sqlite_sequence WHERE name = ?", {before.name})) sequence = row->optional_integer("seq");
  connection_.execute_script(create_table_sql(Engine::Sqlite, after, temporary));
  connection_.execute("INSERT INTO " + quoted(temporary) + " (" + into + ") SELECT " + from + " FROM " + quoted(before.name));
  connection_.execute_script("DROP TABLE " + quoted(before.name));
  connection_.execute_script("ALTER TABLE " + quoted(temporary) + " RENAME TO " + quoted(after.name));
  for (auto& sql : index_sqls(after)) connection_.execute_script(sql);
  if (sequence) {
    // Ids of deleted rows are not given out again.
    connection_.execute("DELETE FROM sqlite_sequence WHERE name = ?", {after.name});
    connection_.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", {after.name, *sequence});
  }
}

// ---- Columns

void Executor::add_column(const AddColumn& o, Direction direction) {
  auto before = need(structure_, o.table);
  auto& c = o.column;
  std::string parent_uid = c.target.empty() ? "" : "(SELECT p.row_uid FROM " + quoted(c.target) + " p WHERE p.id = t." + quoted(c.name) + ")";
  if (direction == Direction::Up) {
    connection_.execute_script("ALTER TABLE " + quoted(o.table) + " ADD COLUMN " + column_sql(connection_.engine(), before, c));
    Structure after = structure_;
    apply_to(after, o, migration_, number_);
    create_indexes(need(after, o.table), before);
    unpark(need(after, o.table), c.name, direction, [&](const Parked& p) {
      if (!p.present) return Fate::Orphan;
      auto value = p.value.at("value");
      if (auto uid = json::text(p.value, "uid")) {
        auto id = connection_.query_one("SELECT id FROM " + quoted(c.target) + " WHERE row_uid = ?", {*uid});
        if (!id) return Fate::Orphan;
        value = id->integer("id");
      }
      connection_.execute("UPDATE " + quoted(o.table) + " SET " + quoted(c.name) + " = ? WHERE row_uid = ?", {parameter_of(value), p.row_uid});
      return Fate::Returned;
    });
    return;
  }
  scan(o.table, {c.name}, not_preset(c), [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      json::object value{{"value", value_json(row[c.name])}};
      if (!c.target.empty() && !row.is_null(c.name))
        if (auto parent = connection_.query_one("SELECT row_uid FROM " + quoted(c.target) + " WHERE id = ?", {row.integer(c.name)})) value["uid"] = parent->text("row_uid");
      parks.push_back({row.text("row_uid"), std::move(value), nullptr, "parked"});
    }
    park(o.table, c.name, direction, std::move(parks));
  });
  Structure after = structure_;
  undo_in(after, o, migration_, number_);
  if (sqlite()) rebuild(before, need(after, o.table));
  else connection_.execute_script("ALTER TABLE " + quoted(o.table) + " DROP COLUMN " + quoted(c.name));
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
    if (sqlite()) rebuild(before, need(after, o.table));
    else connection_.execute_script("ALTER TABLE " + quoted(o.table) + " DROP COLUMN " + quoted(o.column));
    return;
  }
  undo_in(after, o, migration_, number_);
  auto& target = need(after, o.table);
  auto& c = *target.column(o.column);
  connection_.execute_script("ALTER TABLE " + quoted(o.table) + " ADD COLUMN " + column_sql(connection_.engine(), target, c));
  create_indexes(target, before);
  std::string value = "h." + quoted(c.name);
  if (!c.target.empty()) value = "(SELECT p.id FROM " + quoted(c.target) + " p WHERE p.row_uid = h." + quoted(c.name + "__uid") + ")";
  counters_.returned += connection_.execute("UPDATE " + quoted(o.table) + " SET " + quoted(c.name) + " = (SELECT " + value + " FROM " + quoted(name) + " h WHERE h.row_uid = " + quoted(o.table) +
                                            ".row_uid) WHERE row_uid IN (SELECT row_uid FROM " + quoted(name) + ")");
  std::vector<Park> orphans;
  connection_.each("SELECT row_uid, " + quoted(c.name) + " FROM " + quoted(name) + " h WHERE NOT EXISTS (SELECT 1 FROM " + quoted(o.table) + " t WHERE t.row_uid = h.row_uid)", {},
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

void Executor::change(const ChangeColumn& o, Direction direction) {
  auto before = need(structure_, o.table);
  Structure after = structure_;
  if (direction == Direction::Up) apply_to(after, o, migration_, number_);
  else undo_in(after, o, migration_, number_);
  auto& target = need(after, o.table);
  const Column &from = *std::as_const(before).column(o.column.name), &to = *target.column(o.column.name);
  auto name = quoted(to.name);

  // First make every value fit. Only where the type stays can the database say which rows do not.
  std::string where = "1 = 1";
  if (from.type == to.type) {
    std::string broken = to.not_null && !from.not_null ? name + " IS NULL" : "1 = 0";
    if (auto check = check_sql(to); !check.empty()) broken += " OR NOT (" + check + ")";
    where = "(" + broken + ")";
  }
  scan(o.table, {to.name}, where, [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      auto value = value_json(row[to.name]);
      auto shown = fitted(value, to, o.fallback);
      bool exact = fitted(shown, from, o.fallback) == value;
      // Kept in the old type until the type changes below: text of the new value where the old one is text.
      auto stored = plain_value(shown, from.type);
      if (stored != value) connection_.execute("UPDATE " + quoted(o.table) + " SET " + name + " = ? WHERE row_uid = ?", {parameter_of(stored), row.text("row_uid")});
      if (!exact) parks.push_back({row.text("row_uid"), json::object{{"value", value}}, shown, "parked"});
    }
    park(o.table, to.name, direction, std::move(parks));
  });

  if (sqlite()) {
    rebuild(before, target);
  } else {
    auto alter = "ALTER TABLE " + quoted(o.table) + " ";
    auto check = quoted(check_name(o.table, to.name));
    if (!check_sql(from).empty()) connection_.execute_script(alter + "DROP CONSTRAINT " + check);
    if (from.preset) connection_.execute_script(alter + "ALTER COLUMN " + name + " DROP DEFAULT");
    if (type_sql(Engine::Postgres, from) != type_sql(Engine::Postgres, to)) {
      auto type = type_sql(Engine::Postgres, to);
      std::string cast = from.type == Type::Boolean || to.type == Type::Boolean ? "::int::" : "::";
      connection_.execute_script(alter + "ALTER COLUMN " + name + " TYPE " + type + " USING " + name + cast + type);
    }
    if (to.preset) connection_.execute_script(alter + "ALTER COLUMN " + name + " SET DEFAULT " + literal(*to.preset));
    if (to.not_null != from.not_null) connection_.execute_script(alter + "ALTER COLUMN " + name + (to.not_null ? " SET" : " DROP") + " NOT NULL");
    if (auto condition = check_sql(to); !condition.empty()) connection_.execute_script(alter + "ADD CONSTRAINT " + check + " CHECK (" + condition + ")");
  }

  unpark(target, to.name, direction, [&](const Parked& p) {
    if (!p.present) return Fate::Orphan;
    if (plain_value(p.current, from.type) != p.shown && p.current != p.shown && plain_value(p.shown, to.type) != p.current) return Fate::Superseded;
    auto& value = p.value.at("value");
    if (fitted(value, to, o.fallback) != value) return Fate::Superseded;
    connection_.execute("UPDATE " + quoted(o.table) + " SET " + name + " = ? WHERE row_uid = ?", {parameter_of(value), p.row_uid});
    return Fate::Returned;
  });
}

// ---- Unique rules

void Executor::unique(const std::string& table, const Unique& rule, const Duplicates& duplicates, bool add, Direction direction) {
  auto& t = need(structure_, table);
  if (!add) {
    for (auto& suffix : {"", "_n"}) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(unique_name(t, rule) + suffix));
    unpark(t, duplicates.rename, direction, [&](const Parked& p) {
      if (auto* row = json::find(p.value, "row")) {
        if (p.present) return Fate::Superseded;
        for (auto& c : t.columns) {
          auto* id = row->as_object().if_contains(c.name);
          if (!c.target.empty() && id && !id->is_null() && connection_.count("SELECT count(*) FROM " + quoted(c.target) + " WHERE id = ?", {parameter_of(*id)}) == 0) return Fate::Orphan;
        }
        insert_row(t, row->as_object());
        return Fate::Returned;
      }
      if (!p.present) return Fate::Orphan;
      if (p.current != p.shown) return Fate::Superseded;
      connection_.execute("UPDATE " + quoted(table) + " SET " + quoted(duplicates.rename) + " = ? WHERE row_uid = ?", {parameter_of(p.value.at("value")), p.row_uid});
      return Fate::Returned;
    });
    return;
  }
  std::string order;
  if (!duplicates.order_by.empty()) {
    order = "CASE " + quoted(duplicates.order_by);
    for (std::size_t i = 0; i < duplicates.strictest_first.size(); ++i) order += " WHEN " + literal(json::value(duplicates.strictest_first[i])) + " THEN " + std::to_string(i);
    order += " ELSE " + std::to_string(duplicates.strictest_first.size()) + " END, ";
  }
  order += t.has_id ? "id" : "row_uid";
  std::string known;
  for (auto& c : rule.columns) known += " AND " + quoted(c) + " IS NOT NULL";
  if (rule.columns.size() > 1) known.clear();  // there null counts as a value, see create_unique_sql
  // All of them are found before any is changed; a renamed one is checked against everything that is there then.
  auto later = connection_.query("SELECT " + list(t.column_names()) + " FROM (SELECT " + list(t.column_names()) + ", row_number() OVER (PARTITION BY " + expressions(t, rule) + " ORDER BY " + order +
                                 ") AS place FROM " + quoted(table) + " WHERE 1 = 1" + known + ") ranked WHERE place > 1 ORDER BY " + (t.has_id ? "id" : "row_uid"));
  std::vector<Park> parks;
  for (auto& row : later) {
    auto& uid = row.text("row_uid");
    if (duplicates.rename.empty()) {
      parks.push_back({uid, json::object{{"row", row_json(t, row)}}, nullptr, "parked"});
      connection_.execute("DELETE FROM " + quoted(table) + " WHERE row_uid = ?", {uid});
      continue;
    }
    auto& original = row.text(duplicates.rename);
    auto longest = t.column(duplicates.rename)->longest;
    for (int n = 2;; ++n) {
      std::string ending = " (" + std::to_string(n) + ")";
      auto shown = (longest ? first_characters(original, *longest - static_cast<std::int64_t>(ending.size())) : original) + ending;
      if (connection_.count("SELECT count(*) FROM " + quoted(table) + " WHERE " + quoted(duplicates.rename) + " = ?", {shown}) > 0) continue;
      connection_.execute("UPDATE " + quoted(table) + " SET " + quoted(duplicates.rename) + " = ? WHERE row_uid = ?", {shown, uid});
      parks.push_back({uid, json::object{{"value", original}}, json::value(shown), "parked"});
      break;
    }
  }
  park(table, duplicates.rename, direction, std::move(parks));
  for (auto& sql : create_unique_sql(t, rule)) connection_.execute_script(sql);
}

// ---- Documents

void Executor::reshape(const ReshapeJson& o, Direction direction) {
  auto& t = need(structure_, o.table);
  auto other = direction == Direction::Up ? Direction::Down : Direction::Up;
  auto set = [&](const std::string& uid, const std::string& text) {
    connection_.execute("UPDATE " + quoted(o.table) + " SET " + quoted(o.column) + " = ? WHERE row_uid = ?", {text, uid});
  };
  // What the new text cannot give back; absent when it can.
  auto complement = [&](const json::value& document, const std::string& text, const json::value& made) -> std::optional<json::value> {
    bool lossless = read_without_loss(text, document);
    auto back = reshaped(made, o.changes, other);
    if (lossless && back == document) return std::nullopt;
    auto patch = lossless ? merge_patch(back, document) : std::nullopt;
    return patch ? json::object{{"patch", *patch}} : json::object{{"text", text}};
  };
  // What was parked first: rows that were left alone get their exact document back. What comes out may itself be more than
  // the other shape can hold, when the row was changed meanwhile: then that is parked in turn.
  std::set<std::string> settled;
  std::vector<Park> again;
  unpark(t, o.column, direction, [&](const Parked& p) {
    if (!p.present) return Fate::Orphan;
    auto current = p.current.is_string() ? json::try_parse(p.current.get_string()) : std::nullopt;
    if (!current) return Fate::Superseded;
    if (auto whole = json::text(p.value, "text")) {
      if (*current != p.shown) return Fate::Superseded;
      set(p.row_uid, *whole);
      settled.insert(p.row_uid);
      return Fate::Returned;
    }
    auto merge = merged_where_untouched(reshaped(*current, o.changes, direction), reshaped(p.shown, o.changes, direction), p.value.at("patch"));
    set(p.row_uid, json::write(merge.document));
    settled.insert(p.row_uid);
    if (auto rest = complement(*current, std::string(p.current.get_string()), merge.document)) again.push_back({p.row_uid, *rest, merge.document, "parked"});
    return merge.all ? Fate::Returned : Fate::Superseded;
  });
  park(o.table, o.column, direction, std::move(again));
  scan(o.table, {o.column}, quoted(o.column) + " IS NOT NULL", [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      auto& uid = row.text("row_uid");
      if (settled.contains(uid)) continue;
      auto& text = row.text(o.column);
      auto document = json::try_parse(text);
      if (!document || !document->is_object()) continue;  // dirty: stays as it is, both ways
      auto made = reshaped(*document, o.changes, direction);
      if (made == *document && reshaped(made, o.changes, other) == *document) continue;
      if (made != *document) set(uid, json::write(made));
      if (auto rest = complement(*document, text, made)) parks.push_back({uid, *rest, made, "parked"});
    }
    park(o.table, o.column, direction, std::move(parks));
  });
}

// ---- Rows that a version brings

void Executor::insert_rows(const InsertRows& o, Direction direction) {
  auto& t = need(structure_, o.table);
  auto find = [&](const json::object& wanted) {
    std::string where;
    Parameters parameters;
    for (auto& key : o.key) {
      where += (where.empty() ? "" : " AND ") + quoted(key) + " = ?";
      parameters.push_back(parameter_of(wanted.at(key)));
    }
    return connection_.query_one("SELECT " + list(t.column_names()) + " FROM " + quoted(o.table) + " WHERE " + where, parameters);
  };
  if (direction == Direction::Down) {
    std::vector<Park> parks;
    for (std::size_t i = 0; i < o.rows.size(); ++i) {
      auto row = find(o.rows[i]);
      json::object value{{"seed", i}};
      if (row) {
        value["row"] = row_json(t, *row);
        connection_.execute("DELETE FROM " + quoted(o.table) + " WHERE row_uid = ?", {row->text("row_uid")});
      }
      parks.push_back({row ? row->text("row_uid") : uuid7(), std::move(value), nullptr, "parked"});
    }
    park(o.table, "", direction, std::move(parks));
    return;
  }
  std::set<std::int64_t> settled;
  if (table_exists(connection_, "upgrade_park") && migration_ > 1) {
    unpark(t, "", direction, [&](const Parked& p) {
      settled.insert(json::integer(p.value, "seed").value_or(-1));
      auto* row = json::find(p.value, "row");
      if (!row) return Fate::Returned;  // it had been deleted before the way down: it stays so
      if (p.present || find(row->as_object())) return Fate::Superseded;
      insert_row(t, row->as_object());
      return Fate::Returned;
    });
  }
  for (std::size_t i = 0; i < o.rows.size(); ++i) {
    if (settled.contains(static_cast<std::int64_t>(i)) || find(o.rows[i])) continue;
    std::vector<std::string> names;
    std::vector<appdb::Assignment> assignments;
    for (auto& [name, value] : o.rows[i]) assignments.emplace_back(std::string_view(name.data(), name.size()), parameter_of(made_value(value, now_)));
    connection_.insert(o.table, assignments, t.has_id ? Connection::HasId::Yes : Connection::HasId::No);
  }
}

// ---- Parking

json::object Executor::row_json(const Table& t, const Row& row) const {
  json::object out;
  for (auto& name : t.column_names()) out[name] = value_json(row[name]);
  return out;
}

void Executor::insert_row(const Table& t, const json::object& row) {
  std::string names, marks;
  Parameters parameters;
  for (auto& name : t.column_names()) {
    auto* value = row.if_contains(name);
    if (!value) continue;
    names += (names.empty() ? "" : ", ") + quoted(name);
    marks += marks.empty() ? "?" : ", ?";
    parameters.push_back(parameter_of(*value));
  }
  connection_.execute("INSERT INTO " + quoted(t.name) + " (" + names + ") VALUES (" + marks + ")", parameters);
}

void Executor::park(const std::string& table, const std::string& column, Direction direction, std::vector<Park> parks) {
  if (parks.empty()) return;
  std::vector<Parameters> rows;
  rows.reserve(parks.size());
  for (auto& p : parks) {
    ++(p.state == "orphan" ? counters_.orphaned : counters_.parked);
    rows.push_back({migration_, number_, direction == Direction::Up ? "up" : "down", table, column.empty() ? Parameter(nullptr) : Parameter(column), p.row_uid, json::write(p.value),
                    json::write(p.shown), p.state, now_, run_});
  }
  connection_.insert_rows("upgrade_park", {"migration", "operation", "direction", "table_name", "column_name", "parked_row", "value", "shown", "state", "parked_at", "run"}, rows);
}

void Executor::unpark(const Table& t, const std::string& column, Direction direction, const std::function<Fate(const Parked&)>& visit) {
  std::int64_t last = 0;
  std::string current = column.empty() ? "NULL" : "t." + quoted(column);
  for (;;) {
    if (tick_) tick_();
    auto rows = connection_.query("SELECT p.id, p.parked_row, p.value, p.shown, t.row_uid AS found, " + current + " AS current_value FROM upgrade_park p LEFT JOIN " + quoted(t.name) +
                                      " t ON t.row_uid = p.parked_row WHERE p.migration = ? AND p.operation = ? AND p.direction = ? AND p.state = 'parked' AND p.id > ? ORDER BY p.id LIMIT " +
                                      std::to_string(batch_size),
                                  {migration_, number_, direction == Direction::Up ? "down" : "up", last});
    for (auto& row : rows) {
      Parked p{row.integer("id"), row.text("parked_row"), row.json("value"), row.json("shown"), !row.is_null("found"), value_json(row["current_value"])};
      last = p.id;
      auto fate = visit(p);
      ++(fate == Fate::Returned ? counters_.returned : fate == Fate::Superseded ? counters_.superseded : counters_.orphaned);
      connection_.execute("UPDATE upgrade_park SET state = ? WHERE id = ?", {fate == Fate::Returned ? "returned" : fate == Fate::Superseded ? "superseded" : "orphan", p.id});
    }
    if (rows.size() < batch_size) return;
  }
}

void Executor::scan(const std::string& table, const std::vector<std::string>& columns, const std::string& where, const std::function<void(const std::vector<Row>&)>& batch) {
  std::vector<std::string> wanted{"row_uid"};
  for (auto& c : columns) if (c != "row_uid") wanted.push_back(c);
  std::string last;
  for (;;) {
    if (tick_) tick_();
    auto rows = connection_.query("SELECT " + list(wanted) + " FROM " + quoted(table) + " WHERE row_uid > ?" + (where.empty() ? "" : " AND " + where) + " ORDER BY row_uid LIMIT " + std::to_string(batch_size), {last});
    if (!rows.empty()) {
      last = rows.back().text("row_uid");
      batch(rows);
    }
    if (rows.size() < batch_size) return;
  }
}

// ---- Looking without touching

std::optional<bool> probe(Connection& c, const Operation& operation, int migration, int number) {
  return std::visit(Cases{
                        [&](const CreateTable& o) -> std::optional<bool> { return table_exists(c, o.table.name); },
                        [&](const DropTable& o) -> std::optional<bool> { return table_exists(c, hold_name(migration, number)) && !table_exists(c, o.table); },
                        [&](const AddColumn& o) -> std::optional<bool> { return column_exists(c, o.table, o.column.name); },
                        [&](const DropColumn& o) -> std::optional<bool> { return !column_exists(c, o.table, o.column); },
                        [&](const RenameTable& o) -> std::optional<bool> { return table_exists(c, o.to) && !table_exists(c, o.from); },
                        [&](const RenameColumn& o) -> std::optional<bool> { return column_exists(c, o.table, o.to); },
                        [&](const ChangeColumn& o) -> std::optional<bool> {
                          std::string definition;
                          if (c.engine() == Engine::Sqlite) {
                            if (auto row = c.query_one("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", {o.table})) definition = row->text("sql");
                            Table t;
                            t.name = o.table;
                            return definition.find(column_sql(Engine::Sqlite, t, o.column)) != std::string::npos;
                          }
                          if (!o.was || o.was->not_null != o.column.not_null) {
                            auto row = c.query_one("SELECT a.attnotnull AS required FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ? AND a.attname = ?", {o.table, o.column.name});
                            if (!row || row->boolean("required") != o.column.not_null) return false;
                          }
                          if (!o.was || o.was->type != o.column.type) {
                            auto row = c.query_one("SELECT format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ? AND a.attname = ?", {o.table, o.column.name});
                            return row && row->text("type") == (type_sql(Engine::Postgres, o.column) == "timestamptz" ? "timestamp with time zone" : type_sql(Engine::Postgres, o.column));
                          }
                          if (auto row = c.query_one("SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE connamespace = current_schema()::regnamespace AND conname = ?", {check_name(o.table, o.column.name)})) definition = row->text("text");
                          if (check_sql(o.column).empty()) return definition.empty();
                          bool all = !definition.empty();
                          for (auto& text : o.column.allowed) all = all && definition.find(literal(json::value(text))) != std::string::npos;
                          for (auto& limit : {o.column.longest, o.column.least, o.column.most}) if (limit) all = all && definition.find(std::to_string(*limit)) != std::string::npos;
                          return all;
                        },
                        [&](const AddUnique& o) -> std::optional<bool> { Table t; t.name = o.table; return index_exists(c, unique_name(t, o.unique)); },
                        [&](const DropUnique& o) -> std::optional<bool> { Table t; t.name = o.table; return !index_exists(c, unique_name(t, o.unique)); },
                        [&](const CreateIndex& o) -> std::optional<bool> { Table t; t.name = o.table; return index_exists(c, index_name(t, o.index)); },
                        [](const auto&) -> std::optional<bool> { return std::nullopt; },
                    },
                    operation);
}

std::int64_t would_park(Connection& c, const Operation& operation) {
  auto rows = [&](const std::string& table, const std::string& where) {
    if (!table_exists(c, table)) return std::int64_t{0};
    return c.count("SELECT count(*) FROM " + quoted(table) + (where.empty() ? "" : " WHERE " + where));
  };
  return std::visit(Cases{
                        [&](const CreateTable& o) { return rows(o.table.name, ""); },
                        [&](const AddColumn& o) { return rows(o.table, not_preset(o.column)); },
                        [&](const ChangeColumn& o) {
                          if (!o.was || o.was->type != o.column.type) return rows(o.table, quoted(o.column.name) + " IS NOT NULL");
                          auto check = check_sql(*o.was);
                          return check.empty() ? std::int64_t{0} : rows(o.table, "NOT (" + check + ")");
                        },
                        [&](const DropUnique& o) {
                          if (!table_exists(c, o.table)) return std::int64_t{0};
                          auto columns = list(o.unique.columns);
                          return c.count("SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM " + quoted(o.table) + " GROUP BY " + columns + " HAVING count(*) > 1) doubled");
                        },
                        [&](const ReshapeJson& o) {
                          // Told exactly by trying the way down on each document.
                          std::int64_t lost = 0;
                          if (!table_exists(c, o.table)) return lost;
                          c.each("SELECT " + quoted(o.column) + " FROM " + quoted(o.table) + " WHERE " + quoted(o.column) + " IS NOT NULL", {}, [&](const Row& row) {
                            auto document = json::try_parse(row.text(o.column));
                            if (!document || !document->is_object()) return;
                            if (reshaped(reshaped(*document, o.changes, Direction::Down), o.changes, Direction::Up) != *document) ++lost;
                          });
                          return lost;
                        },
                        [&](const InsertRows& o) { return static_cast<std::int64_t>(o.rows.size()); },
                        [](const auto&) { return std::int64_t{0}; },
                    },
                    operation);
}

}  // namespace basalt::migrations
