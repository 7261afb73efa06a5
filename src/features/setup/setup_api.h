// POST /api/setup and its companions.
#pragma once
#include "features/services.h"

namespace basalt::features {

// Makes sure that a store without people has a set-up token (`given`, or a random one) and an id of its instance.
// Call once, before serving.
void prepare_setup(Services& services, const std::string& given_token);
void add_setup_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
