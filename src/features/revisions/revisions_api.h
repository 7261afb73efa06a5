// /api/revision/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_revisions_routes(http::Routes& routes, Services& services);
}
