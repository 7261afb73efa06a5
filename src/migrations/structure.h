// The structure of the application database as data: what migrations fold over, what travels with the data (so that any
// binary can rebuild a table it does not know), and what SQL is derived from.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "appdb/connection.h"
#include "base/json.h"

namespace basalt::migrations {

enum class Type { Integer, Real, Boolean, Text, Json, Time, Blob };
enum class OnDelete { Restrict, Cascade, SetNull };

struct Column {
  std::string name;
  Type type = Type::Text;
  bool not_null = false;
  std::optional<json::value> preset;         // constant default
  std::string target;                        // referenced table, empty when none
  OnDelete on_delete = OnDelete::Restrict;
  std::vector<std::string> allowed;          // texts that are allowed; empty: all. Strictest first where it is about rights
  std::optional<std::int64_t> longest;       // characters
  std::optional<std::int64_t> least, most;   // integers
  bool alone = false;                        // unique by itself; becomes a Unique of the table

  // Builder, as in create_table("alert", {text("name").required().unique(), reference("card").cascade()}).
  Column required() && { not_null = true; return std::move(*this); }
  Column by_default(json::value v) && { preset = std::move(v); return std::move(*this); }
  Column unique() && { alone = true; return std::move(*this); }
  Column one_of(std::vector<std::string> texts) && { allowed = std::move(texts); return std::move(*this); }
  Column at_most(std::int64_t characters) && { longest = characters; return std::move(*this); }
  Column between(std::int64_t low, std::int64_t high) && { least = low; most = high; return std::move(*this); }
  Column cascade() && { on_delete = OnDelete::Cascade; return std::move(*this); }
  Column set_null() && { on_delete = OnDelete::SetNull; return std::move(*this); }

  bool operator==(const Column&) const = default;
};

Column integer(std::string name);
Column real(std::string name);
Column boolean(std::string name);
Column text(std::string name);
Column json_document(std::string name);
Column time(std::string name);
Column blob(std::string name);
Column reference(std::string table);                    // column "<table>_id"
Column reference(std::string name, std::string table);

struct Unique {
  std::vector<std::string> columns;
  bool operator==(const Unique&) const = default;
};

struct Index {
  std::vector<std::string> columns;
  bool operator==(const Index&) const = default;
};

struct Table {
  std::string name;
  std::vector<Column> columns;    // without id and row_uid, which every table has (see has_id)
  std::vector<Unique> uniques;    // a column that may be null counts null as a value like another
  std::vector<Index> indexes;
  bool has_id = true;
  bool in_backup = true;
  bool held = false;              // a hold: plain columns, no rules

  Table without_id() && { has_id = false; return std::move(*this); }
  Table unique(std::vector<std::string> c) && { uniques.push_back({std::move(c)}); return std::move(*this); }
  Table index(std::vector<std::string> c) && { indexes.push_back({std::move(c)}); return std::move(*this); }
  Table not_in_backups() && { in_backup = false; return std::move(*this); }

  const Column* column(std::string_view name) const;
  Column* column(std::string_view name);
  std::vector<std::string> column_names() const;  // all, with id and row_uid
  bool operator==(const Table&) const = default;
};
Table table(std::string name, std::vector<Column> columns);

struct Structure {
  std::vector<Table> tables;  // in an order in which they can be made: referenced ones first

  const Table* table(std::string_view name) const;
  Table* table(std::string_view name);
  // Tables with a column that references `name`.
  std::vector<std::string> referencing(std::string_view name) const;
  bool operator==(const Structure&) const = default;
};

json::value to_json(const Column&);
json::value to_json(const Table&);
json::value to_json(const Structure&);
Column column_from_json(const json::value&);
Table table_from_json(const json::value&);
Structure structure_from_json(const json::value&);

// ---- SQL

std::string type_sql(appdb::Engine, const Column&);
std::string literal(const json::value& constant);                       // TRUE, 5, 'a''b', NULL
std::string check_sql(const Column&);                                   // the condition, empty when there is none
std::string check_name(std::string_view table, std::string_view column);
std::string reference_name(std::string_view table, std::string_view column);
std::string required_name(std::string_view table, std::string_view column);  // a rule that stands in for NOT NULL until the rows are proved
std::string column_sql(appdb::Engine, const Table&, const Column&);
// CREATE TABLE without its indexes; `as` gives it another name.
std::string create_table_sql(appdb::Engine, const Table&, std::string_view as = {});
std::string unique_name(const Table&, const Unique&);
std::string index_name(const Table&, const Index&);
std::vector<std::string> create_unique_sql(const Table&, const Unique&);
std::string create_index_sql(const Table&, const Index&);
std::vector<std::string> index_sqls(const Table&);                      // all of the table's indexes, unique ones too

}  // namespace basalt::migrations
