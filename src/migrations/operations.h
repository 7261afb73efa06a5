// The typed operations a migration is made of. An operation is data: it has a JSON form that is stored beside the data it
// changed (table upgrade_down), so that any binary can undo it. execute.h runs them, in both directions.
#pragma once
#include <variant>

#include "migrations/structure.h"

namespace basalt::migrations {

// `was` is what the structure was before; filled by prepare(), travels in the JSON form, needed for the way back.

struct CreateTable { Table table; };
// The table moves to a hold.
struct DropTable { std::string table; std::optional<Table> was; };
// `column` must be optional or have a default.
struct AddColumn { std::string table; Column column; };
// The column's values move to a hold. It must be optional or have a default, for rows made while it was away.
struct DropColumn { std::string table, column; std::optional<Table> was; };
struct RenameTable { std::string from, to; };
struct RenameColumn { std::string table, from, to; };
// Another type, limit or list of allowed texts. What does not fit is clamped, cut, or becomes `fallback`; the true value is
// parked. New allowed texts fall back to `fallback` on the way down.
struct ChangeColumn { std::string table; Column column; json::value fallback; std::optional<Column> was; };

// What happens to rows that break a unique rule when it comes: the first keeps its place, later ones get `name (2)` in the
// text column, or the whole row is parked. `strictest_first`: for rights, the row whose `value` comes first in the list is
// the one that stays, so that parking never widens access.
struct Duplicates {
  std::string rename;                          // column to rename in, or empty: park the row
  std::string order_by;                        // when parking: column whose …
  std::vector<std::string> strictest_first;    // … earliest text stays
};
struct AddUnique { std::string table; Unique unique; Duplicates duplicates; };
struct DropUnique { std::string table; Unique unique; Duplicates duplicates; };
struct CreateIndex { std::string table; Index index; };

// One change of a JSON document. Paths are lists of keys of nested objects. Each has an inverse.
struct JsonChange {
  enum class Kind {
    Move,     // the value at `from` goes to `to`; not when something is there already
    Preset,   // `value` is put at `to` when the object there is present and lacks it; undone when it is still that value
    Added,    // `to` belongs to the new shape only: the old version never sees it, it returns on the way up
    Split,    // the text at `from` is cut at the first `separator` into `to` and `rest`
  };
  Kind kind = Kind::Move;
  std::vector<std::string> from, to, rest;
  json::value value;
  std::string separator;
};
struct ReshapeJson { std::string table, column; std::vector<JsonChange> changes; };

// Rows a version brings. Found again by `key` columns; rows that are there already are left alone. Values {"$":"now"},
// {"$":"entity_id"}, {"$":"uuid"} are made when the row is.
struct InsertRows { std::string table; std::vector<std::string> key; std::vector<json::object> rows; };

using Operation = std::variant<CreateTable, DropTable, AddColumn, DropColumn, RenameTable, RenameColumn, ChangeColumn, AddUnique, DropUnique, CreateIndex, ReshapeJson, InsertRows>;

// Raised whenever the JSON form gains something that older interpreters would misread.
inline constexpr int operations_version = 1;

// A builder for migrations: what reads well in a file of its own.
class Schema {
 public:
  Schema& create_table(Table table) { return add(CreateTable{std::move(table)}); }
  Schema& create_table(std::string name, std::vector<Column> columns) { return create_table(table(std::move(name), std::move(columns))); }
  Schema& drop_table(std::string table) { return add(DropTable{std::move(table), {}}); }
  Schema& add_column(std::string table, Column column) { return add(AddColumn{std::move(table), std::move(column)}); }
  Schema& drop_column(std::string table, std::string column) { return add(DropColumn{std::move(table), std::move(column), {}}); }
  Schema& rename_table(std::string from, std::string to) { return add(RenameTable{std::move(from), std::move(to)}); }
  Schema& rename_column(std::string table, std::string from, std::string to) { return add(RenameColumn{std::move(table), std::move(from), std::move(to)}); }
  Schema& change_column(std::string table, Column column, json::value fallback = nullptr) { return add(ChangeColumn{std::move(table), std::move(column), std::move(fallback), {}}); }
  // One more text in a column's list; down, rows with it show `fallback`.
  Schema& add_enum_value(std::string table, std::string column, std::string value, std::string fallback);
  Schema& add_unique(std::string table, std::vector<std::string> columns, Duplicates duplicates) { return add(AddUnique{std::move(table), {std::move(columns)}, std::move(duplicates)}); }
  Schema& drop_unique(std::string table, std::vector<std::string> columns, Duplicates duplicates) { return add(DropUnique{std::move(table), {std::move(columns)}, std::move(duplicates)}); }
  Schema& create_index(std::string table, std::vector<std::string> columns) { return add(CreateIndex{std::move(table), {std::move(columns)}}); }
  Schema& reshape_json(std::string table, std::string column, std::vector<JsonChange> changes) { return add(ReshapeJson{std::move(table), std::move(column), std::move(changes)}); }
  Schema& insert_rows(std::string table, std::vector<std::string> key, std::vector<json::object> rows) { return add(InsertRows{std::move(table), std::move(key), std::move(rows)}); }

  std::vector<Operation> operations() && { return std::move(operations_); }

 private:
  Schema& add(Operation operation) { operations_.push_back(std::move(operation)); return *this; }
  std::vector<Operation> operations_;
};

JsonChange move(std::vector<std::string> from, std::vector<std::string> to);
JsonChange preset(std::vector<std::string> to, json::value value);
JsonChange added(std::vector<std::string> to);
JsonChange split(std::vector<std::string> from, std::string separator, std::vector<std::string> to, std::vector<std::string> rest);

// Fills `was` from the structure before the operation. Failure Bug when table or column are not there.
Operation prepare(Operation, const Structure& before);
// The structure after the operation, or after undoing it. Holds that come and go with it are part of it.
void apply_to(Structure&, const Operation&, int migration, int number);
void undo_in(Structure&, const Operation&, int migration, int number);

json::value to_json(const Operation&);
Operation operation_from_json(const json::value&);     // Failure BadRequest when this version does not know it
std::string describe(const Operation&);                // "add column audience to card"
std::string table_of(const Operation&);                // the table it touches, as named before it
// What is wrong with an operation by itself, in sentences; empty when nothing is.
std::vector<std::string> lint(const Operation&, const Structure& before);

// The hold of operation `number` of a migration: "hold_7_2".
std::string hold_name(int migration, int number);

}  // namespace basalt::migrations
