// /api/native-query-snippet/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_snippet_routes(http::Routes& routes, Services& services);
}
