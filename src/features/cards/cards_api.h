// /api/card/… and /api/cards/…
#pragma once
#include "features/services.h"

namespace basalt::features {
void add_card_routes(http::Routes& routes, Services& services);
}
