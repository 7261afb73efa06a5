// /api/public/…: cards and dashboards by their public link, without signing in.
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_public_routes(http::Routes& routes, Services& services);
}
