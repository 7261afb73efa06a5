// /api/bookmark/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_bookmark_routes(http::Routes& routes, Services& services);
}
