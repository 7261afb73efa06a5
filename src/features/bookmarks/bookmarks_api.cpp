#include "features/bookmarks/bookmarks_api.h"

#include "features/content/objects.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using http::Request;
using permissions::CollectionRight;
using permissions::Rights;

constexpr std::int64_t bookmarks_at_most = 1'000;   // per person

const std::string& model_of(const Request& request) {
  auto& model = request.path_value("model");
  if (model != "card" && model != "dashboard" && model != "collection") throw bad_field("model", "value must be card, dashboard or collection.");
  return model;
}

void require_visible(Connection& connection, const Rights& rights, const std::string& model, std::int64_t id) {
  if (model == "collection") {
    if (!connection.count("SELECT count(*) FROM collection WHERE id = ?", {id})) throw not_found();
    return rights.require_view(CollectionId(id));
  }
  auto row = connection.query_one("SELECT collection_id FROM " + model + " WHERE id = ?", {id});
  if (!row) throw not_found();
  rights.require_view(row->optional_id<CollectionId>("collection_id"));
}

json::array list(Connection& connection, const Rights& rights) {
  json::array out;
  connection.each("SELECT b.model, b.model_id, coalesce(c.name, d.name, k.name) AS name, coalesce(c.description, d.description, k.description) AS description, c.display, c.kind, "
                  "k.authority_level, coalesce(c.collection_id, d.collection_id) AS collection_id, coalesce(c.archived, d.archived, k.archived) AS archived FROM bookmark b "
                  "LEFT JOIN card c ON b.model = 'card' AND c.id = b.model_id LEFT JOIN dashboard d ON b.model = 'dashboard' AND d.id = b.model_id "
                  "LEFT JOIN collection k ON b.model = 'collection' AND k.id = b.model_id WHERE b.person_id = ? ORDER BY b.position, b.id DESC", {rights.person()}, [&](const Row& row) {
    if (row.is_null("name") || row.optional_boolean("archived").value_or(false)) return;
    auto& model = row.text("model");
    auto place = model == "collection" ? row.optional_id<CollectionId>("model_id") : row.optional_id<CollectionId>("collection_id");
    if (rights.collection(place) == CollectionRight::None) return;
    json::object one{{"id", model + "-" + std::to_string(row.integer("model_id"))}, {"type", model}, {"item_id", row.integer("model_id")}, {"name", row.text("name")},
                     {"description", text_or_null(row, "description")}};
    if (model == "card") { one["display"] = text_or_null(row, "display"); one["card_type"] = text_or_null(row, "kind"); }
    if (model == "collection") one["authority_level"] = text_or_null(row, "authority_level");
    out.push_back(std::move(one));
  });
  return out;
}

struct Ordering {
  std::vector<json::object> orderings;
  static constexpr auto fields() { return json_fields(field("orderings", &Ordering::orderings)); }
};

}  // namespace

void add_bookmark_routes(http::Routes& routes, Services& services) {
  routes.in_feature("bookmark");
  routes.get("/api/bookmark", [&services](Request& r) {
    auto rights = services.rights(r);
    return services.store.read([&](Connection& c) { return list(c, *rights); });
  }).summary("The person's bookmarks in their order.");
  routes.post("/api/bookmark/:model/:id", [&services](Request& r) {
    auto rights = services.rights(r);
    auto model = model_of(r);
    auto id = r.path_integer("id");
    return services.store.write([&](Connection& c) {
      require_visible(c, *rights, model, id);
      if (c.count("SELECT count(*) FROM bookmark WHERE person_id = ? AND model = ? AND model_id = ?", {rights->person(), model, id})) refuse("Bookmark already exists");
      if (c.count("SELECT count(*) FROM bookmark WHERE person_id = ?", {rights->person()}) >= bookmarks_at_most) refuse("There is room for 1,000 bookmarks; remove one first.");
      auto now = services.clock.now();
      // New ones come first.
      auto first = c.count("SELECT min(position) FROM bookmark WHERE person_id = ?", {rights->person()});
      auto row = c.insert("bookmark", {{"person_id", rights->person()}, {"model", model}, {"model_id", id}, {"position", first - 1}, {"created_at", now}});
      return json::object{{"id", row}, {"user_id", rights->person().value}, {model + "_id", id}, {"created_at", to_text(now)}};
    });
  }).summary("Bookmark something.");
  routes.del("/api/bookmark/:model/:id", [&services](Request& r) {
    auto person = r.caller().person;
    auto model = model_of(r);
    auto id = r.path_integer("id");
    services.store.write([&](Connection& c) { c.execute("DELETE FROM bookmark WHERE person_id = ? AND model = ? AND model_id = ?", {person, model, id}); });
  }).summary("Remove a bookmark.");
  routes.put("/api/bookmark/ordering", [&services](Request& r, const Ordering& body) {
    auto person = r.caller().person;
    services.store.write([&](Connection& c) {
      std::int64_t position = 0;
      for (auto& entry : body.orderings) {
        auto* type = entry.if_contains("type");
        auto* id = entry.if_contains("item_id");
        auto number = id ? json::as_integer(*id) : std::nullopt;
        if (!type || !type->is_string() || !number) throw bad_field("orderings", "value must be an array of maps with type and item_id.");
        c.execute("UPDATE bookmark SET position = ? WHERE person_id = ? AND model = ? AND model_id = ?", {position++, person, std::string(type->get_string()), *number});
      }
    });
  }).summary("Put the bookmarks in order.");
}

}  // namespace basalt::features
