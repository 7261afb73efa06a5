// /api/dashboard/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_dashboard_routes(http::Routes& routes, Services& services);
}
