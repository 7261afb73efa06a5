// Routes of the Updates page: version, schema, history, backups, parked values.
#pragma once
#include "features/services.h"

namespace basalt::features {

void add_update_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
