// /api/dashboard/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_dashboards_routes(http::Routes& routes, Services& services);
}
