// The operations on rows and documents, and the parking of what does not fit.
#include <set>

#include "base/random.h"
#include "migrations/execute_parts.h"
#include "migrations/prework.h"

namespace basalt::migrations {

using appdb::Connection;
using appdb::Parameter;
using appdb::Parameters;
using appdb::quoted;
using appdb::Row;

namespace {

std::string expressions(const Table& t, const Unique& u) {
  std::string out;
  for (auto& name : u.columns) {
    auto* c = t.column(name);
    bool fill = c && !c->not_null && u.columns.size() > 1;
    out += (out.empty() ? "" : ", ") + (fill ? "coalesce(" + quoted(name) + ", " + (c->type == Type::Integer ? "-1" : "''") + ")" : quoted(name));
  }
  return out;
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

constexpr std::size_t parks_at_once = 500;

// Calls `work` with `?,?,…` and at most 500 of the values at a time.
void in_lists(const Parameters& values, const std::function<void(const std::string& marks, const Parameters& some)>& work) {
  for (std::size_t at = 0; at < values.size(); at += 500) {
    Parameters some(values.begin() + static_cast<std::ptrdiff_t>(at), values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), at + 500)));
    work(appdb::placeholders(some.size()), some);
  }
}

}  // namespace

// ---- Unique rules

void Executor::unique(const std::string& table, const Unique& rule, const Duplicates& duplicates, bool add, Direction direction) {
  auto& t = need(structure_, table);
  if (!add) {
    for (auto& suffix : {"", "_n"}) connection_.execute_script("DROP INDEX IF EXISTS " + quoted(unique_name(t, rule) + suffix));
    ColumnUpdates updates(connection_, table, duplicates.rename.empty() ? Column{} : *t.column(duplicates.rename));
    std::map<std::pair<std::string, std::int64_t>, bool> targets;
    auto refers_well = [&](const json::object& row) {
      for (auto& c : t.columns) {
        auto* id = c.target.empty() ? nullptr : row.if_contains(c.name);
        if (!id || !id->is_int64()) continue;
        std::pair key(c.target, id->get_int64());
        auto known = targets.find(key);
        if (known == targets.end()) known = targets.emplace(key, connection_.count("SELECT count(*) FROM " + quoted(c.target) + " WHERE id = ?", {key.second}) > 0).first;
        if (!known->second) return false;
      }
      return true;
    };
    std::vector<json::object> rows;
    unpark(
        t, duplicates.rename, direction,
        [&](const Parked& p) {
          if (auto* row = json::find(p.value, "row")) {
            if (p.present) return Fate::Superseded;
            if (!refers_well(row->as_object())) return Fate::Orphan;
            rows.push_back(row->as_object());
            return Fate::Returned;
          }
          if (!p.present) return Fate::Orphan;
          if (p.current != p.shown) return Fate::Superseded;
          updates.add(p.row_uid, parameter_of(p.value.at("value")));
          return Fate::Returned;
        },
        [&] {
          updates.flush();
          insert_whole_rows(t, rows);
          rows.clear();
          targets.clear();
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
  if (duplicates.rename.empty()) {
    Parameters gone;
    for (auto& p : parks) gone.emplace_back(p.row_uid);
    in_lists(gone, [&](const std::string& marks, const Parameters& some) { connection_.execute("DELETE FROM " + quoted(table) + " WHERE row_uid IN (" + marks + ")", some); });
  }
  park(table, duplicates.rename, direction, std::move(parks));
  for (auto& sql : create_unique_sql(t, rule)) connection_.execute_script(sql);
}

// ---- Documents

void Executor::reshape(const ReshapeJson& o, Direction direction) {
  auto& t = need(structure_, o.table);
  auto column = quoted(o.column), table = quoted(o.table), side = quoted(backfill_name(migration_, number_));
  // Documents that were reshaped beforehand and were not written since. Those with something parked are done here, below.
  bool beforehand = direction == Direction::Up && !sqlite() && backfill_matches(connection_, o, migration_, number_);
  if (beforehand) {
    connection_.execute("DELETE FROM " + side + " b WHERE NOT EXISTS (SELECT 1 FROM " + table + " t WHERE t.row_uid = b.row_uid AND md5(t." + column + ") = b.source_md5)");
    connection_.execute("DELETE FROM " + side + " b USING upgrade_park p WHERE p.parked_row = b.row_uid AND p.migration = ? AND p.operation = ? AND p.direction = 'down' AND p.state = 'parked'", {migration_, number_});
  }
  ColumnUpdates updates(connection_, o.table, *t.column(o.column));
  // What was parked first: rows that were left alone get their exact document back. What comes out may itself be more than
  // the other shape can hold, when the row was changed meanwhile: then that is parked in turn.
  std::set<std::string> settled;
  std::vector<Park> again;
  unpark(
      t, o.column, direction,
      [&](const Parked& p) {
        if (!p.present) return Fate::Orphan;
        auto current = p.current.is_string() ? json::try_parse(p.current.get_string()) : std::nullopt;
        if (!current) return Fate::Superseded;
        if (auto whole = json::text(p.value, "text")) {
          if (*current != p.shown) return Fate::Superseded;
          updates.add(p.row_uid, *whole);
          settled.insert(p.row_uid);
          auto document = json::try_parse(*whole).value_or(nullptr);
          if (auto rest = lost_by(*current, std::string(p.current.get_string()), document, o.changes, direction)) again.push_back({p.row_uid, *rest, document, "parked"});
          return Fate::Returned;
        }
        auto merge = merged_where_untouched(reshaped(*current, o.changes, direction), reshaped(p.shown, o.changes, direction), p.value.at("patch"));
        updates.add(p.row_uid, json::write(merge.document));
        settled.insert(p.row_uid);
        if (auto rest = lost_by(*current, std::string(p.current.get_string()), merge.document, o.changes, direction)) again.push_back({p.row_uid, *rest, merge.document, "parked"});
        return merge.all ? Fate::Returned : Fate::Superseded;
      },
      [&] { updates.flush(); });
  park(o.table, o.column, direction, std::move(again));
  auto where = column + " IS NOT NULL";
  if (beforehand) where += " AND NOT EXISTS (SELECT 1 FROM " + side + " b WHERE b.row_uid = " + table + ".row_uid)";
  scan(t, {column}, where, [&](const std::vector<Row>& rows) {
    std::vector<Park> parks;
    for (auto& row : rows) {
      auto& uid = row.text("row_uid");
      if (settled.contains(uid)) continue;
      auto made = reshaped_text(row.text(o.column), o.changes, direction);
      if (made.text) updates.add(uid, std::move(*made.text));
      if (made.lost) parks.push_back({uid, std::move(*made.lost), std::move(made.document), "parked"});
    }
    updates.flush();
    park(o.table, o.column, direction, std::move(parks));
  });
  if (!beforehand) return;
  counters_.parked += connection_.execute(
      "INSERT INTO upgrade_park (row_uid, migration, operation, direction, table_name, column_name, parked_row, value, shown, state, parked_at, run) "
      "SELECT gen_random_uuid()::text, CAST(? AS bigint), CAST(? AS bigint), 'up', CAST(? AS text), CAST(? AS text), row_uid, lost, shown, 'parked', CAST(? AS timestamptz), CAST(? AS bigint) FROM " +
          side + " WHERE lost IS NOT NULL",
      {migration_, number_, o.table, o.column, now_, run_});
  connection_.execute("UPDATE " + table + " SET " + column + " = b.document FROM " + side + " b WHERE b.row_uid = " + table + ".row_uid AND b.document IS NOT NULL");
  connection_.execute_script("DROP TABLE " + side);
  connection_.execute("DELETE FROM upgrade_backfill WHERE table_name = ?", {backfill_name(migration_, number_)});
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

void Executor::insert_whole_rows(const Table& t, const std::vector<json::object>& rows) {
  auto names = t.column_names();
  std::vector<Parameters> whole;
  for (auto& row : rows) {
    if (!std::all_of(names.begin(), names.end(), [&](auto& n) { return row.contains(n); })) {
      insert_row(t, row);
      continue;
    }
    Parameters values;
    for (auto& n : names) values.push_back(parameter_of(row.at(n)));
    whole.push_back(std::move(values));
  }
  connection_.insert_rows(t.name, names, whole);
}

void Executor::unpark(const Table& t, const std::string& column, Direction direction, const std::function<Fate(const Parked&)>& visit, const std::function<void()>& after_batch) {
  std::int64_t last = 0;
  std::string current = column.empty() ? "NULL" : "t." + quoted(column);
  for (;;) {
    if (tick_) tick_();
    auto rows = connection_.query("SELECT p.id, p.parked_row, p.value, p.shown, t.row_uid AS found, " + current + " AS current_value FROM upgrade_park p LEFT JOIN " + quoted(t.name) +
                                      " t ON t.row_uid = p.parked_row WHERE p.migration = ? AND p.operation = ? AND p.direction = ? AND p.state = 'parked' AND p.id > ? ORDER BY p.id LIMIT " +
                                      std::to_string(parks_at_once),
                                  {migration_, number_, direction == Direction::Up ? "down" : "up", last});
    std::map<const char*, Parameters> fates;
    for (auto& row : rows) {
      Parked p{row.integer("id"), row.text("parked_row"), row.json("value"), row.json("shown"), !row.is_null("found"), value_json(row["current_value"])};
      last = p.id;
      auto fate = visit(p);
      ++(fate == Fate::Returned ? counters_.returned : fate == Fate::Superseded ? counters_.superseded : counters_.orphaned);
      fates[fate == Fate::Returned ? "returned" : fate == Fate::Superseded ? "superseded" : "orphan"].emplace_back(p.id);
    }
    if (after_batch) after_batch();
    for (auto& [state, ids] : fates)
      in_lists(ids, [&, state = state](const std::string& marks, const Parameters& some) { connection_.execute("UPDATE upgrade_park SET state = '" + std::string(state) + "' WHERE id IN (" + marks + ")", some); });
    if (rows.size() < parks_at_once) return;
  }
}

void Executor::scan(const Table& t, const std::vector<std::string>& columns, const std::string& where, const std::function<void(const std::vector<Row>&)>& batch) {
  // By the key the rows lie in: one pass over the table, whatever its size.
  std::string key = t.has_id ? "id" : "row_uid", wanted = t.has_id ? "id, row_uid" : "row_uid";
  for (auto& c : columns) wanted += ", " + c;
  Parameter last = t.has_id ? Parameter(INT64_MIN) : Parameter("");
  for (std::size_t rows_at_once = 500;;) {
    if (tick_) tick_();
    auto rows = connection_.query("SELECT " + wanted + " FROM " + quoted(t.name) + " WHERE " + key + " > ?" + (where.empty() ? "" : " AND " + where) + " ORDER BY " + key + " LIMIT " + std::to_string(rows_at_once), {last});
    if (!rows.empty()) {
      last = Parameter(rows.back()[key]);
      batch(rows);
    }
    if (rows.size() < rows_at_once) return;
    // Large documents in smaller batches, so that memory stays bounded.
    std::size_t bytes = 0;
    for (auto& row : rows) for (auto& value : row.values()) if (auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (bytes > 8'000'000) rows_at_once = std::max<std::size_t>(5, rows_at_once / 4);
    else if (bytes < 1'000'000) rows_at_once = std::min<std::size_t>(5000, rows_at_once * 2);
  }
}

}  // namespace basalt::migrations
