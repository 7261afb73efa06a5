// Ad-hoc queries (http-api.md §4.1).
#pragma once
#include "features/services.h"

namespace basalt::features {

void add_query_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
