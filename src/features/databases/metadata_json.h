// Databases, tables and fields as the API shows them (http-api.md §3).
#pragma once
#include <set>
#include <string>
#include <vector>

#include "appdb/connection.h"
#include "drivers/driver.h"
#include "permissions/rights.h"

namespace basalt::features {

struct Services;

// Column lists for SELECT, so that every reader of these tables asks for the same explicit columns.
std::string database_columns();            // of "database", unqualified
std::string table_columns(std::string_view alias = "");   // of data_table, "t." in front when an alias is given
std::string field_columns(std::string_view alias = "");   // of data_field

inline constexpr const char* masked_secret = "**MetabasePass**";

// Details without secrets: each secret value that is set is replaced by masked_secret.
json::object masked_details(const drivers::Driver& driver, json::object details);

// Shows `details` (secrets masked) to administrators only.
json::object database_json(Services& services, const permissions::Rights& rights, const appdb::Row& row);
json::object table_json(const appdb::Row& row);
json::object field_json(const appdb::Row& row);

// The virtual table of a saved card: {"id": "card__17", …}. `with_fields`: from its result_metadata.
json::object card_table_json(const appdb::Row& card, std::string_view collection_name, bool with_fields);

enum class Hidden { Leave, Include };

// What the person may use of the given tables, with `db` and `fields` (each with target, dimensions, has_field_values).
// Tables without a right are left out. One statement per kind of thing, whatever the number of tables.
json::array tables_with_fields(Services& services, appdb::Connection& connection, const permissions::Rights& rights,
                               const std::vector<TableId>& tables, Hidden hidden);

// {"tables": […], "databases": […], "fields": […], "cards": []} of what a query or some cards use (query_metadata routes).
json::object query_metadata_json(Services& services, appdb::Connection& connection, const permissions::Rights& rights,
                                 const std::set<TableId>& tables, const std::set<DatabaseId>& databases, const std::set<FieldId>& fields,
                                 const std::set<CardId>& cards);

// "auto-list", "list", "search" or "none": how a filter on this field offers its values.
std::string has_field_values(const appdb::Row& field);

}  // namespace basalt::features
