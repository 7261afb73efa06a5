// Links that need no sign-in: the uuid on a card or dashboard.
#pragma once
#include "features/content/objects.h"

namespace basalt::features {

// POST/DELETE /api/card|dashboard/:id/public_link and GET /api/card|dashboard/public|embeddable, for administrators.
// `table` is "card" or "dashboard".
void add_public_link_routes(http::Routes& routes, Services& services, const std::string& table);

// 400 in plain text when the setting is off.
void require_public_sharing(Services& services);

}  // namespace basalt::features
