// Routes for databases, tables and fields (http-api.md §3).
#pragma once
#include "features/services.h"

namespace basalt::features {

void add_database_routes(http::Routes& routes, Services& services);
void add_table_routes(http::Routes& routes, Services& services);
void add_field_routes(http::Routes& routes, Services& services);

struct NewDatabase {
  std::string name, engine;
  json::object details;
  bool is_sample = false, is_full_sync = true, is_on_demand = false, auto_run_queries = true;
  std::optional<std::int64_t> cache_ttl;
  std::optional<PersonId> creator;
};

// Stores a database after a successful connection test, gives groups their default rights, and starts its first sync.
// Throws Failure BadRequest with the sentence at the field that is to blame.
DatabaseId add_database(Services& services, const NewDatabase& database);

// Tests a connection: {"valid": true} or {"valid": false, "message", "errors"}.
json::object test_connection(Services& services, const std::string& engine, const json::object& details);

}  // namespace basalt::features
