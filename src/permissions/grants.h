// What one group may do with one database, level by level: the rows of data_permission as answers.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "appdb/value.h"
#include "permissions/rights.h"

namespace basalt::permissions {

// "no" | "query-builder" | "query-builder-and-native", and back. Absent for any other text.
std::optional<DataRight> data_right(std::string_view value);
std::string_view to_text(DataRight right);

// A table's own grant beats its schema's, which beats the database's; nothing stated is no. Tables whose view is blocked
// cannot be queried whatever else is granted. Databases without schemas use "" for theirs.
class DataGrants {
 public:
  void add(const appdb::Row& row);  // a row of data_permission

  DataRight table(const std::string& schema, TableId table) const;
  DataRight least() const;  // what holds for every table
  DataRight most() const;   // what holds for at least one

 private:
  template <class T>
  struct Levels {
    std::optional<T> database;
    std::map<std::string, T> schemas;
    std::map<TableId, T> tables;
    void set(const appdb::Row& row, T value);
    std::optional<T> at(const std::string& schema, TableId table) const;
    template <class Visit> void each(Visit&& visit) const;
  };
  Levels<DataRight> query_;
  Levels<bool> blocked_;
};

}  // namespace basalt::permissions
