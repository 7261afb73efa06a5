// Routes for people, groups, API keys and permissions (http-api.md §2, graph of §7).
#pragma once
#include "features/services.h"

namespace basalt::features {

void add_people_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
