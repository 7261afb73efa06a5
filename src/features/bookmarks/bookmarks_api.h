// /api/bookmark/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_bookmarks_routes(http::Routes& routes, Services& services);
}
