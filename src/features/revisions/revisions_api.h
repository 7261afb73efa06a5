// /api/revision/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_revision_routes(http::Routes& routes, Services& services);
}
