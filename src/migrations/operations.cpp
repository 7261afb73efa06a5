#include "migrations/operations.h"

#include <algorithm>

#include "base/failure.h"

namespace basalt::migrations {
namespace {

template <class... F> struct Cases : F... { using F::operator()...; };
template <class... F> Cases(F...) -> Cases<F...>;

[[noreturn]] void mistake(std::string what) {
  throw Failure(FailureKind::Bug, "A migration does not fit the data it meets: " + what + ".");
}

Table& need_table(Structure& s, std::string_view name) {
  if (auto* t = s.table(name)) return *t;
  mistake("there is no table " + std::string(name));
}
const Table& need_table(const Structure& s, std::string_view name) { return need_table(const_cast<Structure&>(s), name); }
const Column& need_column(const Structure& s, std::string_view table, std::string_view column) {
  if (auto* c = need_table(s, table).column(column)) return *c;
  mistake("table " + std::string(table) + " has no column " + std::string(column));
}

void remove_table(Structure& s, std::string_view name) { std::erase_if(s.tables, [&](auto& t) { return t.name == name; }); }

void replace_name(std::vector<std::string>& names, const std::string& from, const std::string& to) {
  for (auto& n : names) if (n == from) n = to;
}

void rename_column_in(Structure& s, const std::string& table, const std::string& from, const std::string& to) {
  auto& t = need_table(s, table);
  auto* c = t.column(from);
  if (!c) mistake("table " + table + " has no column " + from);
  c->name = to;
  for (auto& u : t.uniques) replace_name(u.columns, from, to);
  for (auto& i : t.indexes) replace_name(i.columns, from, to);
}

void rename_table_in(Structure& s, const std::string& from, const std::string& to) {
  need_table(s, from).name = to;
  for (auto& t : s.tables) for (auto& c : t.columns) if (c.target == from) c.target = to;
}

// Columns without their rules, and beside each reference the row_uid of what it pointed at: ids may be used again.
Table held_copy(const Table& t, std::string name) {
  Table out;
  out.name = std::move(name);
  out.has_id = t.has_id;
  out.held = true;
  for (auto& c : t.columns) {
    Column plain;
    plain.name = c.name;
    plain.type = c.type;
    out.columns.push_back(plain);
    if (c.target.empty()) continue;
    out.columns.push_back(text(c.name + "__uid"));
  }
  return out;
}

Table held_column(const Column& c, std::string name) {
  Table out;
  out.name = std::move(name);
  out.has_id = false;
  out.held = true;
  Column plain;
  plain.name = c.name;
  plain.type = c.type;
  out.columns.push_back(plain);
  if (!c.target.empty()) out.columns.push_back(text(c.name + "__uid"));
  return out;
}

json::array names_json(const std::vector<std::string>& names) {
  json::array out;
  for (auto& n : names) out.emplace_back(n);
  return out;
}
std::vector<std::string> names_from(const json::value* v) {
  std::vector<std::string> out;
  if (v && v->is_array()) for (auto& item : v->get_array()) out.emplace_back(item.as_string());
  return out;
}

json::value duplicates_json(const Duplicates& d) {
  json::object out;
  if (!d.rename.empty()) out["rename"] = d.rename;
  if (!d.order_by.empty()) out["order_by"] = d.order_by;
  if (!d.strictest_first.empty()) out["strictest_first"] = names_json(d.strictest_first);
  return out;
}
Duplicates duplicates_from(const json::value& v) {
  return {json::text(v, "rename").value_or(""), json::text(v, "order_by").value_or(""), names_from(json::find(v, "strictest_first"))};
}

json::value change_json(const JsonChange& c) {
  switch (c.kind) {
    case JsonChange::Kind::Move: return {{"move", names_json(c.from)}, {"to", names_json(c.to)}};
    case JsonChange::Kind::Preset: return {{"preset", c.value}, {"to", names_json(c.to)}};
    case JsonChange::Kind::Added: return {{"added", true}, {"to", names_json(c.to)}};
    case JsonChange::Kind::Split: return {{"split", names_json(c.from)}, {"at", c.separator}, {"to", names_json(c.to)}, {"rest", names_json(c.rest)}};
  }
  return nullptr;
}

std::string joined(const std::vector<std::string>& names, const char* between = ", ") {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : between) + n;
  return out;
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

std::string hold_name(int migration, int number) { return "hold_" + std::to_string(migration) + "_" + std::to_string(number); }

Schema& Schema::add_enum_value(std::string table, std::string column, std::string value, std::string fallback) {
  // The column as it is is only known when the migration runs: prepare() completes the list.
  Column c;
  c.name = std::move(column);
  c.allowed = {std::move(value)};
  ChangeColumn change{std::move(table), std::move(c), json::object{{"$add_enum_value", fallback}}, {}};
  return add(std::move(change));
}

JsonChange move(std::vector<std::string> from, std::vector<std::string> to) { return {JsonChange::Kind::Move, std::move(from), std::move(to), {}, nullptr, {}}; }
JsonChange preset(std::vector<std::string> to, json::value value) { return {JsonChange::Kind::Preset, {}, std::move(to), {}, std::move(value), {}}; }
JsonChange added(std::vector<std::string> to) { return {JsonChange::Kind::Added, {}, std::move(to), {}, nullptr, {}}; }
JsonChange split(std::vector<std::string> from, std::string separator, std::vector<std::string> to, std::vector<std::string> rest) {
  return {JsonChange::Kind::Split, std::move(from), std::move(to), std::move(rest), nullptr, std::move(separator)};
}

Operation prepare(Operation operation, const Structure& before) {
  std::visit(Cases{
                 [&](DropTable& o) { if (!o.was) o.was = need_table(before, o.table); },
                 [&](DropColumn& o) { if (!o.was) { need_column(before, o.table, o.column); o.was = need_table(before, o.table); } },
                 [&](ChangeColumn& o) {
                   if (!o.was) o.was = need_column(before, o.table, o.column.name);
                   if (auto* added = json::find(o.fallback, "$add_enum_value")) {
                     json::value fallback = *added;
                     auto value = o.column.allowed.front();
                     o.column = *o.was;
                     o.column.allowed.push_back(value);
                     o.fallback = std::move(fallback);
                   }
                 },
                 [](auto&) {},
             },
             operation);
  return operation;
}

void apply_to(Structure& s, const Operation& operation, int migration, int number) {
  auto hold = hold_name(migration, number);
  std::visit(Cases{
                 [&](const CreateTable& o) {
                   remove_table(s, hold);
                   if (s.table(o.table.name)) mistake("table " + o.table.name + " is there already");
                   s.tables.push_back(o.table);
                 },
                 [&](const DropTable& o) {
                   auto held = held_copy(need_table(s, o.table), hold);
                   remove_table(s, o.table);
                   s.tables.push_back(std::move(held));
                 },
                 [&](const AddColumn& o) {
                   auto& t = need_table(s, o.table);
                   if (t.column(o.column.name)) mistake("table " + o.table + " has a column " + o.column.name + " already");
                   auto c = o.column;
                   c.alone = false;
                   t.columns.push_back(c);
                   if (!c.target.empty()) t.indexes.push_back({{c.name}});
                 },
                 [&](const DropColumn& o) {
                   auto held = held_column(need_column(s, o.table, o.column), hold);
                   auto& t = need_table(s, o.table);
                   auto uses = [&](auto& rule) { return std::find(rule.columns.begin(), rule.columns.end(), o.column) != rule.columns.end(); };
                   std::erase_if(t.uniques, uses);
                   std::erase_if(t.indexes, uses);
                   std::erase_if(t.columns, [&](auto& c) { return c.name == o.column; });
                   s.tables.push_back(std::move(held));
                 },
                 [&](const RenameTable& o) { rename_table_in(s, o.from, o.to); },
                 [&](const RenameColumn& o) { rename_column_in(s, o.table, o.from, o.to); },
                 [&](const ChangeColumn& o) { need_column(s, o.table, o.column.name); *need_table(s, o.table).column(o.column.name) = o.column; },
                 [&](const AddUnique& o) { need_table(s, o.table).uniques.push_back(o.unique); },
                 [&](const DropUnique& o) { std::erase(need_table(s, o.table).uniques, o.unique); },
                 [&](const CreateIndex& o) { need_table(s, o.table).indexes.push_back(o.index); },
                 [](const auto&) {},
             },
             operation);
}

void undo_in(Structure& s, const Operation& operation, int migration, int number) {
  auto hold = hold_name(migration, number);
  std::visit(Cases{
                 [&](const CreateTable& o) {
                   auto held = held_copy(need_table(s, o.table.name), hold);
                   remove_table(s, o.table.name);
                   s.tables.push_back(std::move(held));
                 },
                 [&](const DropTable& o) { remove_table(s, hold); s.tables.push_back(o.was.value()); },
                 [&](const AddColumn& o) {
                   auto& t = need_table(s, o.table);
                   std::erase_if(t.columns, [&](auto& c) { return c.name == o.column.name; });
                   std::erase_if(t.indexes, [&](auto& i) { return i.columns == std::vector<std::string>{o.column.name}; });
                 },
                 [&](const DropColumn& o) { remove_table(s, hold); need_table(s, o.table) = o.was.value(); },
                 [&](const RenameTable& o) { rename_table_in(s, o.to, o.from); },
                 [&](const RenameColumn& o) { rename_column_in(s, o.table, o.to, o.from); },
                 [&](const ChangeColumn& o) { *need_table(s, o.table).column(o.column.name) = o.was.value(); },
                 [&](const AddUnique& o) { std::erase(need_table(s, o.table).uniques, o.unique); },
                 [&](const DropUnique& o) { need_table(s, o.table).uniques.push_back(o.unique); },
                 [&](const CreateIndex& o) { std::erase(need_table(s, o.table).indexes, o.index); },
                 [](const auto&) {},
             },
             operation);
}

json::value to_json(const Operation& operation) {
  return std::visit(
      Cases{
          [](const CreateTable& o) -> json::object { return {{"op", "create_table"}, {"table", to_json(o.table)}}; },
          [](const DropTable& o) -> json::object { return {{"op", "drop_table"}, {"table", o.table}, {"was", o.was ? to_json(*o.was) : json::value(nullptr)}}; },
          [](const AddColumn& o) -> json::object { return {{"op", "add_column"}, {"table", o.table}, {"column", to_json(o.column)}}; },
          [](const DropColumn& o) -> json::object { return {{"op", "drop_column"}, {"table", o.table}, {"column", o.column}, {"was", o.was ? to_json(*o.was) : json::value(nullptr)}}; },
          [](const RenameTable& o) -> json::object { return {{"op", "rename_table"}, {"from", o.from}, {"to", o.to}}; },
          [](const RenameColumn& o) -> json::object { return {{"op", "rename_column"}, {"table", o.table}, {"from", o.from}, {"to", o.to}}; },
          [](const ChangeColumn& o) -> json::object { return {{"op", "change_column"}, {"table", o.table}, {"column", to_json(o.column)}, {"fallback", o.fallback}, {"was", o.was ? to_json(*o.was) : json::value(nullptr)}}; },
          [](const AddUnique& o) -> json::object { return {{"op", "add_unique"}, {"table", o.table}, {"columns", names_json(o.unique.columns)}, {"duplicates", duplicates_json(o.duplicates)}}; },
          [](const DropUnique& o) -> json::object { return {{"op", "drop_unique"}, {"table", o.table}, {"columns", names_json(o.unique.columns)}, {"duplicates", duplicates_json(o.duplicates)}}; },
          [](const CreateIndex& o) -> json::object { return {{"op", "create_index"}, {"table", o.table}, {"columns", names_json(o.index.columns)}}; },
          [](const ReshapeJson& o) -> json::object {
            json::array changes;
            for (auto& c : o.changes) changes.push_back(change_json(c));
            return {{"op", "reshape_json"}, {"table", o.table}, {"column", o.column}, {"changes", std::move(changes)}};
          },
          [](const InsertRows& o) -> json::object {
            json::array rows;
            for (auto& r : o.rows) rows.push_back(r);
            return {{"op", "insert_rows"}, {"table", o.table}, {"key", names_json(o.key)}, {"rows", std::move(rows)}};
          },
      },
      operation);
}

Operation operation_from_json(const json::value& v) {
  auto op = json::text(v, "op").value_or("");
  auto part = [&](const char* key) { return json::text(v, key).value(); };
  auto* was = json::find(v, "was");
  try {
    if (op == "create_table") return CreateTable{table_from_json(v.at("table"))};
    if (op == "drop_table") return DropTable{part("table"), was ? std::optional(table_from_json(*was)) : std::nullopt};
    if (op == "add_column") return AddColumn{part("table"), column_from_json(v.at("column"))};
    if (op == "drop_column") return DropColumn{part("table"), part("column"), was ? std::optional(table_from_json(*was)) : std::nullopt};
    if (op == "rename_table") return RenameTable{part("from"), part("to")};
    if (op == "rename_column") return RenameColumn{part("table"), part("from"), part("to")};
    if (op == "change_column") return ChangeColumn{part("table"), column_from_json(v.at("column")), v.at("fallback"), was ? std::optional(column_from_json(*was)) : std::nullopt};
    if (op == "add_unique") return AddUnique{part("table"), {names_from(json::find(v, "columns"))}, duplicates_from(v.at("duplicates"))};
    if (op == "drop_unique") return DropUnique{part("table"), {names_from(json::find(v, "columns"))}, duplicates_from(v.at("duplicates"))};
    if (op == "create_index") return CreateIndex{part("table"), {names_from(json::find(v, "columns"))}};
    if (op == "reshape_json") {
      ReshapeJson out{part("table"), part("column"), {}};
      for (auto& c : v.at("changes").as_array()) {
        auto to = names_from(json::find(c, "to"));
        if (auto* from = json::find(c, "move")) out.changes.push_back(move(names_from(from), to));
        else if (auto* from = json::find(c, "split")) out.changes.push_back(split(names_from(from), json::text(c, "at").value(), to, names_from(json::find(c, "rest"))));
        else if (c.as_object().contains("added")) out.changes.push_back(added(to));
        else if (c.as_object().contains("preset")) out.changes.push_back(preset(to, c.at("preset")));
        else throw std::out_of_range("change");
      }
      return out;
    }
    if (op == "insert_rows") {
      InsertRows out{part("table"), names_from(json::find(v, "key")), {}};
      for (auto& r : v.at("rows").as_array()) out.rows.push_back(r.as_object());
      return out;
    }
  } catch (const Failure&) {
    throw;
  } catch (const std::exception&) {
    throw Failure(FailureKind::BadRequest, "The way back stored with the data cannot be read by this version (operation " + op + "); step down with the version that made it.");
  }
  throw Failure(FailureKind::BadRequest, "The way back stored with the data has an operation that this version does not know (" + op + "); step down with the version that made it.");
}

std::string describe(const Operation& operation) {
  return std::visit(Cases{
                        [](const CreateTable& o) { return "create table " + o.table.name; },
                        [](const DropTable& o) { return "put table " + o.table + " on hold"; },
                        [](const AddColumn& o) { return "add column " + o.column.name + " to " + o.table; },
                        [](const DropColumn& o) { return "put column " + o.column + " of " + o.table + " on hold"; },
                        [](const RenameTable& o) { return "rename table " + o.from + " to " + o.to; },
                        [](const RenameColumn& o) { return "rename column " + o.from + " of " + o.table + " to " + o.to; },
                        [](const ChangeColumn& o) { return "change column " + o.column.name + " of " + o.table; },
                        [](const AddUnique& o) { return "make " + joined(o.unique.columns) + " unique in " + o.table; },
                        [](const DropUnique& o) { return "allow the same " + joined(o.unique.columns) + " twice in " + o.table; },
                        [](const CreateIndex& o) { return "index " + joined(o.index.columns) + " of " + o.table; },
                        [](const ReshapeJson& o) { return "reshape the documents in " + o.column + " of " + o.table; },
                        [](const InsertRows& o) { return "insert " + std::to_string(o.rows.size()) + " rows into " + o.table; },
                    },
                    operation);
}

std::string table_of(const Operation& operation) {
  return std::visit(Cases{
                        [](const CreateTable& o) { return o.table.name; },
                        [](const RenameTable& o) { return o.from; },
                        [](const auto& o) { return o.table; },
                    },
                    operation);
}

std::vector<std::string> lint(const Operation& operation, const Structure& before) {
  std::vector<std::string> found;
  auto complain = [&](std::string sentence) { found.push_back(describe(operation) + ": " + std::move(sentence)); };
  auto check_column = [&](const Column& c) {
    if (!good_name(c.name)) complain("column name " + c.name + " must be lower-case words with _, at most 40 characters.");
    if (c.name == "id" || c.name == "row_uid") complain("id and row_uid are there by themselves.");
    if (c.name.ends_with("__uid")) complain("names that end in __uid belong to holds.");
    if (c.not_null && c.on_delete == OnDelete::SetNull) complain("a required reference cannot become null.");
    if (c.preset && !c.allowed.empty() && std::find(c.allowed.begin(), c.allowed.end(), c.preset->is_string() ? std::string(c.preset->as_string()) : "") == c.allowed.end())
      complain("the default is not one of the allowed texts.");
  };
  auto check_table = [&](std::string_view name) {
    if (before.table(name)) return true;
    complain("there is no table " + std::string(name) + ".");
    return false;
  };
  auto check_duplicates = [&](const std::string& table, const Unique& unique, const Duplicates& d) {
    auto* t = before.table(table);
    if (!t) return complain("there is no table " + table + ".");
    if (unique.columns.empty()) return complain("a unique rule needs columns.");
    for (auto& c : unique.columns) if (!t->column(c)) complain("there is no column " + c + ".");
    if (d.rename.empty()) {
      if (!before.referencing(table).empty()) complain("whole rows cannot be parked while other tables refer to them; name a text column to rename.");
    } else if (auto* c = t->column(d.rename); !c || c->type != Type::Text || !c->allowed.empty()) {
      complain("the column to rename must be a free text.");
    } else if (std::find(unique.columns.begin(), unique.columns.end(), d.rename) == unique.columns.end()) {
      complain("the column to rename must be part of the rule.");
    }
  };
  std::visit(Cases{
                 [&](const CreateTable& o) {
                   if (!good_name(o.table.name) || o.table.name.starts_with("hold_")) complain("table names are lower-case words with _, at most 40 characters, not hold_….");
                   if (before.table(o.table.name)) complain("the table is there already.");
                   for (auto& c : o.table.columns) {
                     check_column(c);
                     if (!c.target.empty() && c.target != o.table.name && !before.table(c.target)) complain("there is no table " + c.target + " to refer to.");
                   }
                   for (auto& u : o.table.uniques) for (auto& c : u.columns) if (!o.table.column(c)) complain("there is no column " + c + ".");
                   for (auto& i : o.table.indexes) for (auto& c : i.columns) if (!o.table.column(c)) complain("there is no column " + c + ".");
                 },
                 [&](const DropTable& o) {
                   if (!check_table(o.table)) return;
                   for (auto& other : before.referencing(o.table)) if (other != o.table) complain("table " + other + " still refers to it.");
                 },
                 [&](const AddColumn& o) {
                   check_column(o.column);
                   if (!check_table(o.table)) return;
                   if (before.table(o.table)->column(o.column.name)) complain("the column is there already.");
                   if (o.column.not_null && !o.column.preset) complain("a required column needs a default for the rows that are there.");
                   if (o.column.alone) complain("make it unique with an operation of its own.");
                   if (!o.column.target.empty() && !before.table(o.column.target)) complain("there is no table " + o.column.target + " to refer to.");
                 },
                 [&](const DropColumn& o) {
                   auto* t = before.table(o.table);
                   auto* c = t ? t->column(o.column) : nullptr;
                   if (!c) return complain("there is no such column.");
                   if (c->not_null && !c->preset) complain("a required column without default cannot come back; make it optional first.");
                   for (auto& u : t->uniques) if (std::find(u.columns.begin(), u.columns.end(), o.column) != u.columns.end()) complain("drop the unique rule on it first.");
                 },
                 [&](const RenameTable& o) { if (check_table(o.from) && before.table(o.to)) complain("the new name is taken."); if (!good_name(o.to)) complain("bad name."); },
                 [&](const RenameColumn& o) {
                   auto* t = before.table(o.table);
                   if (!t || !t->column(o.from)) return complain("there is no such column.");
                   if (t->column(o.to)) complain("the new name is taken.");
                   if (!good_name(o.to)) complain("bad name.");
                 },
                 [&](const ChangeColumn& raw) {
                   auto* t = before.table(raw.table);
                   if (!t || !t->column(raw.column.name)) return complain("there is no such column.");
                   auto o = std::get<ChangeColumn>(prepare(raw, before));
                   check_column(o.column);
                   if (o.column.target != o.was->target) complain("a reference cannot be changed; add another column.");
                   bool narrows = !o.column.allowed.empty() || !o.was->allowed.empty() || o.column.not_null != o.was->not_null;
                   if (narrows && o.fallback.is_null() && (o.column.not_null || o.was->not_null)) complain("a fallback is needed for values that do not fit.");
                   if (o.fallback.is_string()) {
                     for (auto* c : {&o.column, &*o.was})
                       if (!c->allowed.empty() && std::find(c->allowed.begin(), c->allowed.end(), std::string(o.fallback.as_string())) == c->allowed.end()) complain("the fallback must be allowed before and after.");
                   }
                   bool rights = raw.table.find("permission") != std::string::npos && !o.was->allowed.empty();
                   if (rights && o.fallback != json::value(o.was->allowed.front())) complain("about rights the fallback must be the strictest value, the first of the list.");
                 },
                 [&](const AddUnique& o) { check_duplicates(o.table, o.unique, o.duplicates); },
                 [&](const DropUnique& o) {
                   check_duplicates(o.table, o.unique, o.duplicates);
                   auto* t = before.table(o.table);
                   if (t && std::find(t->uniques.begin(), t->uniques.end(), o.unique) == t->uniques.end()) complain("there is no such rule.");
                   if (t && o.duplicates.rename.empty() && o.table.find("permission") != std::string::npos && o.duplicates.strictest_first.empty()) complain("about rights the strictest row must stay: name its column and order.");
                 },
                 [&](const CreateIndex& o) {
                   if (!check_table(o.table)) return;
                   for (auto& c : o.index.columns) if (!before.table(o.table)->column(c)) complain("there is no column " + c + ".");
                 },
                 [&](const ReshapeJson& o) {
                   auto* t = before.table(o.table);
                   auto* c = t ? t->column(o.column) : nullptr;
                   if (!c || c->type != Type::Json) complain("the column must hold JSON.");
                   for (auto& change : o.changes) if (change.to.empty() || (change.kind != JsonChange::Kind::Preset && change.kind != JsonChange::Kind::Added && change.from.empty())) complain("a path needs at least one key.");
                 },
                 [&](const InsertRows& o) {
                   auto* t = before.table(o.table);
                   if (!t) return complain("there is no such table.");
                   if (o.key.empty()) complain("rows need a key to be found again.");
                   for (auto& row : o.rows)
                     for (auto& [name, value] : row) if (!t->column(name)) complain("there is no column " + std::string(name) + ".");
                 },
             },
             operation);
  return found;
}

}  // namespace basalt::migrations
