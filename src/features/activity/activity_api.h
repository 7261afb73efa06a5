// /api/activity/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_activity_routes(http::Routes& routes, Services& services);
}
