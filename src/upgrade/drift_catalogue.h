// What is really in the database, as its own catalogue tells. Internal to this folder; drift.h has what others call.
#pragma once
#include <map>

#include "appdb/connection.h"

namespace basalt::upgrade {

struct FoundColumn {
  std::string name, type;             // type: as declared (SQLite) or as PostgreSQL formats it
  bool not_null = false;
  std::optional<std::string> preset;  // the default's expression, as the engine tells it
  bool counts = false;                // gives out numbers by itself: AUTOINCREMENT, identity, a sequence
  bool derived = false;               // generated from other columns
};
struct FoundCheck {
  std::string name;                   // empty on SQLite, where a rule is part of the table's text
  std::vector<std::string> conditions;
  bool valid = true;                  // false: never compared with the rows that were there
};
struct FoundReference {
  std::string name, column, target, target_column, on_delete;  // on_delete: restrict | cascade | set-null | …
  bool valid = true;
};
struct FoundIndex {
  std::string name, constraint;       // constraint: the rule it belongs to; it goes only with that
  std::vector<std::string> items;     // columns and expressions, canonical
  bool unique = false, primary = false, valid = true, nulls_equal = false;
  std::string where, sql;
};
struct FoundTable {
  std::string name;
  std::vector<FoundColumn> columns;
  std::vector<std::string> primary_key;
  std::vector<FoundCheck> checks;
  std::vector<FoundReference> references;
  std::vector<FoundIndex> indexes;
  std::vector<std::pair<std::string, std::string>> triggers;  // name and, on SQLite, text
  bool logged = true;                 // PostgreSQL: false means that a crash empties it
  bool rules_on = true;               // PostgreSQL: false means that references are not looked at

  const FoundColumn* column(std::string_view name) const;
};
struct Catalogue {
  std::map<std::string, FoundTable, std::less<>> tables;
  std::vector<std::string> views;
};

// Of the schema that the connection works in. Reads only.
Catalogue read_catalogue(appdb::Connection&);

}  // namespace basalt::upgrade
