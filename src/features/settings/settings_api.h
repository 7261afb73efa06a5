// Routes for settings, and what a client learns at its start.
#pragma once
#include "features/services.h"

namespace basalt::features {

// GET/PUT /api/setting…, GET /api/session/properties.
void add_settings_routes(http::Routes& routes, Services& services);

// Everything of the session properties for this caller; nullptr: nobody is signed in.
json::object session_properties(Services& services, const http::Caller* caller);

}  // namespace basalt::features
