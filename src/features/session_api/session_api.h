// POST/DELETE /api/session, forgotten passwords, password check.
#pragma once
#include "features/services.h"

namespace basalt::features {

void add_session_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
