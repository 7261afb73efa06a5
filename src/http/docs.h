// The server's own description of its routes.
#pragma once
#include "http/routes.h"

namespace basalt::http {

// /api/docs (a page for people) and /api/docs/openapi.json. Call last; `routes` must outlive the server.
void add_docs_routes(Routes& routes);

}  // namespace basalt::http
