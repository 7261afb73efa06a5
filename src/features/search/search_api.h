// /api/search
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_search_routes(http::Routes& routes, Services& services);
}
