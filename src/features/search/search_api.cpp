#include "features/search/search_api.h"

#include "features/search/search.h"

namespace basalt::features {

void add_search_routes(http::Routes& routes, Services& services) {
  routes.in_feature("search");
  routes.get("/api/search", [&services](http::Request& r) {
    auto rights = services.rights(r);
    auto wanted = SearchRequest::from(r);
    return services.store.read([&](appdb::Connection& c) { return search(c, *rights, wanted, services.clock.now()); });
  }).summary("Find cards, dashboards, collections, tables and databases.");
}

}  // namespace basalt::features
