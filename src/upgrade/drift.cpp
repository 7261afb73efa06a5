#include "upgrade/drift.h"

#include <algorithm>
#include <set>

#include "base/failure.h"
#include "upgrade/drift_catalogue.h"
#include "upgrade/drift_expression.h"
#include "upgrade/drift_repair.h"

namespace basalt::upgrade {
namespace {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using migrations::Column;
using migrations::OnDelete;
using migrations::Table;
using migrations::Type;

const char* name_of(Type type) {
  switch (type) {
    case Type::Integer: return "a whole number";
    case Type::Real: return "a number";
    case Type::Boolean: return "a truth value";
    case Type::Text: return "text";
    case Type::Json: return "a document (text)";
    case Type::Time: return "a time";
    case Type::Blob: return "bytes";
  }
  return "";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// Whether a column declared so holds what it must, whole and as Basalt reads it.
bool holds(Engine engine, const Column& expected, const std::string& declared) {
  if (engine == Engine::Postgres) {
    switch (expected.type) {
      case Type::Integer: return declared == "bigint";
      case Type::Real: return declared == "double precision";
      case Type::Boolean: return declared == "boolean";
      case Type::Text: case Type::Json: return declared == "text" || declared == "character varying";
      case Type::Time: return declared == "timestamp with time zone";
      case Type::Blob: return declared == "bytea";
    }
    return false;
  }
  // SQLite's own rules for what a declared type means; BOOLEAN is ours, it decides how a 1 is read.
  auto type = upper(declared);
  auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  bool whole = has("INT"), text = !whole && (has("CHAR") || has("CLOB") || has("TEXT")), bytes = !whole && !text && (has("BLOB") || type.empty()),
       real = !whole && !text && !bytes && (has("REAL") || has("FLOA") || has("DOUB"));
  switch (expected.type) {
    case Type::Integer: return whole;
    case Type::Real: return real;
    case Type::Boolean: return type == "BOOLEAN";
    case Type::Text: case Type::Json: case Type::Time: return text;
    case Type::Blob: return bytes;
  }
  return false;
}

// A default as a value of the column's type: 1 and true are the same truth, '5' and 5 the same number.
std::string preset_text(const Column& column, std::string_view expression) {
  auto text = canonical(expression);
  if (text == "null") return "";
  bool quoted_text = text.size() >= 2 && text.front() == '\'';
  if (column.type == Type::Boolean) {
    if (text == "1" || text == "'1'" || text == "'t'") return "true";
    if (text == "0" || text == "'0'" || text == "'f'") return "false";
  }
  if ((column.type == Type::Integer || column.type == Type::Real) && quoted_text) return canonical(text.substr(1, text.size() - 2));
  return text;
}

std::string rule_of(OnDelete on_delete) { return on_delete == OnDelete::Cascade ? "cascade" : on_delete == OnDelete::SetNull ? "set-null" : "restrict"; }

std::string effect_of(const std::string& rule) {
  if (rule == "cascade") return "deletes with it";
  if (rule == "set-null") return "empties it";
  if (rule == "set-default") return "puts its default there";
  return "refuses";
}

std::string listed(const std::vector<std::string>& names, const char* between = ", ") {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : between) + n;
  return out;
}

class TableComparison {
 public:
  // `under_way`: names of indexes that a change makes before or after it, and has not finished.
  TableComparison(Connection& c, const Table& table, const FoundTable& found, const std::set<std::string>& under_way, std::vector<Drift>& out)
      : engine_(c.engine()), table_(table), found_(found), under_way_(under_way), repair_(c, table, found), out_(out) {}

  void run() {
    if (!found_.logged) note(Drift::Kind::Different, "table " + table_.name, "A crash would empty table " + table_.name + " (it is unlogged).", repair_.log_it());
    if (!found_.rules_on) note(Drift::Kind::Different, "table " + table_.name, "The references of table " + table_.name + " are switched off (disabled triggers).", repair_.switch_rules_on());
    own_columns();
    for (auto& column : table_.columns) compare(column);
    checks();
    references();
    indexes();
    extras();
  }

 private:
  void note(Drift::Kind kind, std::string object, std::string sentence, std::string repair = {}) { out_.push_back({kind, std::move(object), std::move(sentence), std::move(repair)}); }
  std::string of(std::string_view column) const { return table_.name + "." + std::string(column); }

  // id and row_uid, which every table has.
  void own_columns() {
    if (table_.has_id) {
      auto* id = found_.column("id");
      if (!id) {
        note(Drift::Kind::Missing, "column " + of("id"), "Column " + of("id") + " is missing, and what refers to it with it: only a backup brings it back.");
      } else if (!table_.held) {
        auto expected = migrations::integer("id");
        bool key = found_.primary_key == std::vector<std::string>{"id"};
        if (!holds(engine_, expected, id->type)) note(Drift::Kind::Different, "column " + of("id"), "Column " + of("id") + " is " + id->type + " and must be a whole number.", repair_.type(expected, *id));
        if (!key) note(Drift::Kind::Missing, "primary key of " + table_.name, "Table " + table_.name + " has no primary key on its id.", repair_.primary_key());
        else if (!id->counts) note(Drift::Kind::Different, "column " + of("id"), "Column " + of("id") + " gives out no numbers by itself (or gives them out again).", repair_.count_ids());
      }
    }
    auto uid = migrations::text("row_uid").required();
    if (!table_.held) uid.alone = true;
    compare(uid);
  }

  void compare(const Column& column) {
    auto object = "column " + of(column.name);
    auto* found = found_.column(column.name);
    if (!found) {
      auto repair = repair_.add_column(column);
      note(Drift::Kind::Missing, object, "Column " + of(column.name) + " is missing" + (repair.empty() ? "; only a backup has what was in it." : "; what was in it is only in a backup."), repair);
      return;
    }
    if (found->derived) note(Drift::Kind::Different, object, "Column " + of(column.name) + " is computed from others and cannot be written.", repair_.plain_column(column));
    if (!holds(engine_, column, found->type)) note(Drift::Kind::Different, object, "Column " + of(column.name) + " is " + (found->type.empty() ? "of no type" : found->type) + " and must be " + name_of(column.type) + " (" + migrations::type_sql(engine_, column) + ").", repair_.type(column, *found));
    if (table_.held && column.name != "row_uid") return;  // a hold has plain columns
    if (column.not_null && !found->not_null && proved_later(column.name)) unfinished("rule that " + of(column.name) + " has a value");
    else if (column.not_null && !found->not_null) note(Drift::Kind::Missing, "rule that " + of(column.name) + " has a value", "Column " + of(column.name) + " may be empty, and Basalt counts on a value.", repair_.require(column));
    if (!column.not_null && found->not_null) note(Drift::Kind::Different, object, "Column " + of(column.name) + " must have a value, and Basalt leaves it empty at times.", repair_.allow_empty(column.name));
    auto expected = column.preset ? preset_text(column, migrations::literal(*column.preset)) : std::string();
    auto now = found->preset ? preset_text(column, *found->preset) : std::string();
    if (expected == now) return;
    if (expected.empty()) note(Drift::Kind::Extra, "default of " + of(column.name), "Column " + of(column.name) + " has a default of its own, " + now + "; it is left alone.");
    else if (now.empty()) note(Drift::Kind::Missing, "default of " + of(column.name), "Column " + of(column.name) + " has no default; it must be " + expected + ".", repair_.preset(column));
    else note(Drift::Kind::Different, "default of " + of(column.name), "The default of column " + of(column.name) + " is " + now + " and must be " + expected + ".", repair_.preset(column));
  }

  void unfinished(std::string object) { note(Drift::Kind::Unfinished, object, "A change was cut off before it finished the " + object + "; the next start does it."); }

  // A change leaves such a rule where it makes a column required once that is proved.
  bool proved_later(const std::string& column) const {
    return std::any_of(found_.checks.begin(), found_.checks.end(), [&](auto& check) {
      return check.name.starts_with("n_") && std::find(check.conditions.begin(), check.conditions.end(), column + " is not null") != check.conditions.end();
    });
  }

  void checks() {
    std::set<std::string> claimed;
    for (auto& column : table_.columns) {
      auto sql = table_.held ? std::string() : migrations::check_sql(column);
      if (sql.empty() || !found_.column(column.name)) continue;
      auto expected = conditions(sql);
      std::vector<std::string> absent, invalid;
      bool ours = true;  // named as a change names it, which proves its rules afterwards
      for (auto& condition : expected) {
        bool there = false, valid = false;
        for (auto& check : found_.checks)
          if (std::find(check.conditions.begin(), check.conditions.end(), condition) != check.conditions.end()) {
            there = true;
            valid = valid || check.valid;
            ours = ours && check.name.starts_with("c_");
          }
        if (!there) absent.push_back(condition);
        else if (!valid) invalid.push_back(condition);
        claimed.insert(condition);
      }
      // Another limit of the same kind stands where ours should: it goes, and ours comes.
      std::set<std::string> instead;
      std::string other;
      for (auto& condition : absent) {
        auto start = start_of(condition);
        for (auto& check : found_.checks)
          for (auto& candidate : check.conditions)
            if (candidate != condition && !start.empty() && candidate.starts_with(start) && std::find(expected.begin(), expected.end(), candidate) == expected.end()) {
              instead.insert(check.name);
              claimed.insert(candidate);
              other = candidate;
            }
      }
      auto object = "rule on " + of(column.name);
      if (!absent.empty() && other.empty()) note(Drift::Kind::Missing, object, "The rule on column " + of(column.name) + " is missing: " + listed(absent, " and ") + ".", repair_.check(column, instead));
      else if (!absent.empty()) note(Drift::Kind::Different, object, "The rule on column " + of(column.name) + " is " + other + " and must be " + listed(absent, " and ") + ".", repair_.check(column, instead));
      else if (!invalid.empty() && ours) unfinished(object);
      else if (!invalid.empty()) note(Drift::Kind::Different, object, "The rule on column " + of(column.name) + " was never compared with the rows that were there.", repair_.validate(found_, invalid));
    }
    for (auto& check : found_.checks) {
      std::vector<std::string> own;
      for (auto& condition : check.conditions)
        if (!claimed.contains(condition) && !check.name.starts_with("n_")) own.push_back(condition);
      if (!own.empty()) note(Drift::Kind::Extra, "rule on " + table_.name, "Table " + table_.name + " has a rule of its own that may refuse what Basalt writes: " + listed(own, " and ") + ".");
    }
  }

  // "length(x) <= " of "length(x) <= 100": what tells a rule's kind.
  static std::string start_of(const std::string& condition) {
    for (std::string_view sign : {" in (", " <= ", " >= "})
      if (auto at = condition.find(sign); at != std::string::npos) return condition.substr(0, at + sign.size());
    return "";
  }

  void references() {
    std::set<const FoundReference*> known;
    for (auto& column : table_.columns) {
      if (table_.held || column.target.empty() || !found_.column(column.name)) continue;
      const FoundReference* same = nullptr;
      const FoundReference* wrong = nullptr;
      for (auto& reference : found_.references) {
        if (reference.column != column.name) continue;
        bool right = reference.target == column.target && reference.target_column == "id";
        if (right && reference.on_delete == rule_of(column.on_delete)) same = &reference;
        else wrong = &reference;
      }
      auto object = "reference " + of(column.name) + " → " + column.target;
      if (same) known.insert(same);
      if (wrong) known.insert(wrong);
      if (wrong)
        note(Drift::Kind::Different, object,
             wrong->target == column.target ? "When a " + column.target + " is deleted, the reference " + of(column.name) + " " + effect_of(wrong->on_delete) + " and must be one that " + effect_of(rule_of(column.on_delete)) + "."
                                            : "Column " + of(column.name) + " refers to " + wrong->target + " and must refer to " + column.target + ".",
             repair_.reference(column, wrong, !same));
      else if (!same)
        note(Drift::Kind::Missing, object, "Nothing keeps column " + of(column.name) + " to rows that are there in " + column.target + ".", repair_.reference(column, nullptr, true));
      else if (!same->valid && same->name.starts_with("f_"))
        unfinished(object);
      else if (!same->valid)
        note(Drift::Kind::Different, object, "The reference " + of(column.name) + " → " + column.target + " was never compared with the rows that were there.", repair_.validate(same->name));
    }
    for (auto& reference : found_.references)
      if (!known.contains(&reference))
        note(Drift::Kind::Extra, "reference " + of(reference.column) + " → " + reference.target, "Table " + table_.name + " has a reference of its own, " + reference.column + " → " + reference.target + "; it may refuse what Basalt writes.");
  }

  struct ExpectedIndex { std::string sql, what; std::vector<std::string> items; bool unique = false; };

  void indexes() {
    std::vector<ExpectedIndex> expected;
    std::set<const FoundIndex*> known;
    if (!table_.held) {
      expected.push_back({repair_.unique_uid(), "rule that row_uid is unique in " + table_.name, {"row_uid"}, true});
      for (auto& unique : table_.uniques)
        for (auto& sql : migrations::create_unique_sql(table_, unique)) expected.push_back({sql, "rule that " + listed(unique.columns) + (unique.columns.size() > 1 ? " together are" : " is") + " unique in " + table_.name, read_create_index(sql).items, true});
      for (auto& index : table_.indexes) {
        auto sql = migrations::create_index_sql(table_, index);
        expected.push_back({sql, "index " + table_.name + " (" + listed(index.columns) + ")", read_create_index(sql).items, false});
      }
    }
    for (auto& index : expected) {
      const FoundIndex *same = nullptr, *broken = nullptr, *looser = nullptr, *other = nullptr;
      auto own_name = name_in(index.sql);
      for (auto& found : found_.indexes) {
        bool items = found.items == index.items || (found.nulls_equal && found.unique && bare(index.items) == found.items);
        if (items && found.where.empty() && found.valid && (found.unique || !index.unique)) same = &found;
        else if (items && !found.valid) broken = &found;
        else if (items && found.where.empty() && index.unique) looser = &found;
        if (found.name == own_name && !items) other = &found;
        if (found.name == own_name && items && !found.where.empty()) other = &found;
      }
      for (auto* found : {same, broken, looser, other}) if (found) known.insert(found);
      if (same) {
        if (broken) note(Drift::Kind::Different, index.what, "An index that was begun and never finished stands beside the good one: " + broken->name + ".", repair_.drop_index(*broken));
        continue;
      }
      if (under_way_.contains(own_name)) {
        unfinished(index.what);
        continue;
      }
      std::string what = index.what;
      what[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(what[0])));
      auto gone = [&](const FoundIndex* found) { return found ? std::set<std::string>{found->name} : std::set<std::string>{}; };
      if (broken) note(Drift::Kind::Different, index.what, what + " was begun and never finished, so nobody uses it.", repair_.index(index.sql, gone(broken), found_));
      else if (looser) note(Drift::Kind::Different, index.what, what + ": the index is there but allows the same twice.", repair_.index(index.sql, looser->name == own_name ? gone(looser) : std::set<std::string>{}, found_));
      else if (other) note(Drift::Kind::Different, index.what, what + ": the index " + other->name + " is on (" + listed(other->items) + ")" + (other->where.empty() ? "" : " where " + other->where) + ".", repair_.index(index.sql, gone(other), found_));
      else note(Drift::Kind::Missing, index.what, what + (index.unique ? " is missing: the same could be stored twice." : " is missing: looking things up is slow without it."), repair_.index(index.sql, {}, found_));
    }
    for (auto& found : found_.indexes) {
      if (known.contains(&found) || found.primary || under_way_.contains(found.name)) continue;
      bool doubled = std::any_of(found_.indexes.begin(), found_.indexes.end(), [&](auto& i) { return &i != &found && known.contains(&i) && i.items == found.items; });
      note(Drift::Kind::Extra, "index " + found.name, found.unique && !doubled ? "Table " + table_.name + " has a rule of its own that may refuse what Basalt writes: (" + listed(found.items) + ") unique." : "Table " + table_.name + " has an index of its own, " + found.name + "; it is left alone.");
    }
  }

  // The columns without what makes null equal to null.
  static std::vector<std::string> bare(const std::vector<std::string>& items) {
    std::vector<std::string> out;
    for (auto& item : items) out.push_back(item.starts_with("coalesce(") ? item.substr(9, item.find(',') - 9) : item);
    return out;
  }
  static std::string name_in(const std::string& sql) {
    auto from = sql.find('"');
    return from == std::string::npos ? "" : sql.substr(from + 1, sql.find('"', from + 1) - from - 1);
  }

  void extras() {
    for (auto& column : found_.columns) {
      if (column.name == "row_uid" || (column.name == "id" && table_.has_id) || table_.column(column.name)) continue;
      // Nobody fills it, so every new row would be refused.
      if (column.not_null && !column.preset && !column.counts && !column.derived)
        note(Drift::Kind::Different, "column " + of(column.name), "Column " + of(column.name) + " is not Basalt's and must have a value, so that Basalt cannot write new rows.", repair_.allow_empty(column.name));
      else
        note(Drift::Kind::Extra, "column " + of(column.name), "Column " + of(column.name) + " is not Basalt's; it is left alone.");
    }
    for (auto& [name, text] : found_.triggers) note(Drift::Kind::Extra, "trigger " + name, "Table " + table_.name + " has a trigger of its own, " + name + "; it may change what Basalt writes.");
  }

  Engine engine_;
  const Table& table_;
  const FoundTable& found_;
  const std::set<std::string>& under_way_;
  DriftRepair repair_;
  std::vector<Drift>& out_;
};

int rank(const Drift& drift) {
  if (!drift.blocks()) return 9;
  if (drift.object.starts_with("table ")) return 0;
  if (drift.object.starts_with("column ")) return 1;
  if (drift.object.starts_with("primary key ")) return 2;
  if (drift.object.starts_with("reference ")) return 5;  // they need the primary key of where they point to
  return 3;
}

const char* kind_name(Drift::Kind kind) { return kind == Drift::Kind::Missing ? "missing" : kind == Drift::Kind::Different ? "different" : kind == Drift::Kind::Extra ? "extra" : "unfinished"; }

}  // namespace

std::vector<Drift> drift(Connection& c, const Ledger& ledger) {
  std::vector<Drift> out;
  auto catalogue = read_catalogue(c);
  std::set<std::string> under_way;
  if (catalogue.tables.contains("upgrade_backfill")) c.each("SELECT table_name FROM upgrade_backfill", {}, [&](const appdb::Row& row) { under_way.insert(row.text("table_name")); });
  for (auto& table : ledger.structure.tables) {
    auto found = catalogue.tables.find(table.name);
    if (found != catalogue.tables.end()) {
      TableComparison(c, table, found->second, under_way, out).run();
      continue;
    }
    out.push_back({Drift::Kind::Missing, "table " + table.name, "Table " + table.name + " is missing; what was in it is only in a backup.", make_table_sql(c.engine(), table)});
  }
  for (auto& [name, found] : catalogue.tables) {
    if (ledger.structure.table(name) || name.starts_with("backfill_")) continue;  // a change that is under way keeps its work there
    out.push_back({Drift::Kind::Extra, "table " + name, "Table " + name + " is not Basalt's; it is left alone and is in no backup.", ""});
  }
  for (auto& view : catalogue.views) out.push_back({Drift::Kind::Extra, "view " + view, "View " + view + " is not Basalt's; it is left alone, and a change of what it reads may be refused.", ""});
  std::stable_sort(out.begin(), out.end(), [](auto& a, auto& b) { return rank(a) < rank(b); });
  return out;
}

std::vector<std::string> repairs(const std::vector<Drift>& all) {
  std::vector<std::string> out;
  for (auto& one : all)
    if (one.blocks() && !one.repair.empty() && std::find(out.begin(), out.end(), one.repair) == out.end()) out.push_back(one.repair);
  return out;
}

void require_no_missing(const std::vector<Drift>& all) {
  std::size_t blocking = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](auto& one) { return one.blocks(); }));
  if (blocking == 0) return;
  auto& first = *std::find_if(all.begin(), all.end(), [](auto& one) { return one.blocks(); });
  throw Failure(FailureKind::Conflict, "The application database is not as Basalt made it: " + first.sentence + (blocking > 1 ? " And " + std::to_string(blocking - 1) + " more." : "") +
                                           " `basalt migrate plan` prints the repair; nothing was changed.")
      .with_error_type("drift");
}

json::object Drift::to_json() const {
  return {{"kind", kind_name(kind)}, {"object", object}, {"sentence", sentence}, {"repair", repair.empty() ? json::value(nullptr) : json::value(repair)}, {"blocks", blocks()}};
}

}  // namespace basalt::upgrade
