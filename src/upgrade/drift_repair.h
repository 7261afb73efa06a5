// The SQL that undoes drift, exact for the engine and the table as it is. Internal to this folder.
#pragma once
#include <set>

#include "migrations/structure.h"
#include "upgrade/drift_catalogue.h"

namespace basalt::upgrade {

// A table that is missing, with all that belongs to it.
std::string make_table_sql(appdb::Engine, const migrations::Table&);

// SQLite can change a column only by making the table anew: there all of a table's repairs but its indexes are one script, and
// when it is needed at all, it makes the indexes too.
class DriftRepair {
 public:
  DriftRepair(appdb::Connection&, const migrations::Table&, const FoundTable&);

  std::string add_column(const migrations::Column&);           // empty when only a backup can
  std::string plain_column(const migrations::Column&);
  std::string type(const migrations::Column&, const FoundColumn&);
  std::string require(const migrations::Column&);
  std::string allow_empty(std::string_view column);
  std::string preset(const migrations::Column&);
  std::string check(const migrations::Column&, const std::set<std::string>& instead_of);
  std::string reference(const migrations::Column&, const FoundReference* wrong, bool add);
  std::string primary_key();
  std::string count_ids();
  std::string validate(const FoundTable&, const std::vector<std::string>& conditions);
  std::string validate(const std::string& constraint);
  std::string unique_uid() const;
  std::string index(const std::string& sql, const std::set<std::string>& instead_of, const FoundTable&);
  std::string drop_index(const FoundIndex&);
  std::string log_it();
  std::string switch_rules_on();

 private:
  std::string alter(const std::string& what) const;
  std::string rebuild();
  // What a row that is there gets in a column that comes anew and must have a value; absent when nobody can know.
  std::optional<std::string> stopgap(const migrations::Column&) const;
  bool sqlite() const { return engine_ == appdb::Engine::Sqlite; }

  appdb::Connection& connection_;
  appdb::Engine engine_;
  const migrations::Table& table_;
  const FoundTable& found_;
  std::optional<bool> empty_;
};

}  // namespace basalt::upgrade
