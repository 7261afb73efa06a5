// /api/collection/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_collection_routes(http::Routes& routes, Services& services);
}
