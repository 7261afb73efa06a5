#pragma once
#include "features/content/objects.h"

namespace basalt::features {

void add_segment_routes(http::Routes& routes, Services& services);

// The segments (or measures) of tables that are not archived, as the API shows them, by table. `what`: "segment" or "measure".
std::map<std::int64_t, json::array> definitions_of(appdb::Connection& connection, const char* what, const std::vector<TableId>& tables);

}  // namespace basalt::features
