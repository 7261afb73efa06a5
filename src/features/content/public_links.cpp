#include "features/content/public_links.h"

#include "base/random.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using http::Request;

json::object make_link(Services& services, const Request& request, const std::string& table) {
  require_public_sharing(services);
  auto id = request.path_integer("id");
  return services.store.write([&](Connection& connection) {
    auto row = connection.query_one("SELECT public_uuid, archived FROM " + table + " WHERE id = ?", {id});
    if (!row || row->boolean("archived")) throw not_found();
    if (auto uuid = row->optional_text("public_uuid")) return json::object{{"uuid", *uuid}};
    auto uuid = uuid4();
    connection.update(table, {{"public_uuid", uuid}, {"made_public_by_id", request.caller().person}}, "id", id);
    return json::object{{"uuid", uuid}};
  });
}

void remove_link(Services& services, const Request& request, const std::string& table) {
  require_public_sharing(services);
  auto id = request.path_integer("id");
  services.store.write([&](Connection& connection) {
    if (!connection.execute("UPDATE " + table + " SET public_uuid = NULL, made_public_by_id = NULL WHERE id = ? AND public_uuid IS NOT NULL", {id})) throw not_found();
  });
}

json::array listed(Services& services, const std::string& table, const char* condition, bool with_uuid) {
  return services.store.read([&](Connection& connection) {
    json::array out;
    connection.each("SELECT id, name, public_uuid FROM " + table + " WHERE archived = FALSE AND " + condition + " ORDER BY lower(name), id LIMIT ?", {list_cap}, [&](const appdb::Row& row) {
      json::object one{{"id", row.integer("id")}, {"name", row.text("name")}};
      if (with_uuid) one["public_uuid"] = text_or_null(row, "public_uuid");
      if (table == "card") one["card_schema"] = 22;
      out.push_back(std::move(one));
    });
    return out;
  });
}

}  // namespace

void require_public_sharing(Services& services) {
  if (!services.settings.flag("enable-public-sharing")) refuse("Public sharing is not enabled.");
}

void add_public_link_routes(http::Routes& routes, Services& services, const std::string& table) {
  auto base = "/api/" + table;
  routes.get(base + "/public", [&services, table](Request&) { require_public_sharing(services); return listed(services, table, "public_uuid IS NOT NULL", true); })
      .administrator().summary("Everything of this kind that has a public link.");
  routes.get(base + "/embeddable", [&services, table](Request&) { return listed(services, table, "enable_embedding = TRUE", false); })
      .administrator().summary("Everything of this kind that may be embedded.");
  routes.post(base + "/:id/public_link", [&services, table](Request& r) { return make_link(services, r, table); }).administrator().summary("Make a public link, or return the one there is.");
  routes.del(base + "/:id/public_link", [&services, table](Request& r) { remove_link(services, r, table); }).administrator().summary("Take the public link away.");
}

}  // namespace basalt::features
