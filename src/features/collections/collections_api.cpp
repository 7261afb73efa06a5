#include "features/collections/collections_api.h"

#include "features/collections/collection_items.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using http::Request;
using permissions::CollectionRight;
using permissions::Rights;

// People get their own collection the first time they look for it; API keys have none.
void ensure_own(Services& services, const http::Caller& caller) {
  if (caller.by_api_key) return;
  bool there = services.store.read([&](Connection& c) { return personal_collection(c, caller.person).has_value(); });
  if (there) return;
  services.store.write([&](Connection& c) { ensure_personal_collection(c, caller.person, services.clock.now()); });
  services.permissions.forget();
}

json::array list_collections(Services& services, const Request& request) {
  ensure_own(services, request.caller());
  auto rights = services.rights(request);
  bool archived = request.query_flag("archived"), personal_only = request.query_flag("personal-only");
  bool own_only = request.query_flag("exclude-other-user-collections");
  auto name_space = request.query_value("namespace");
  return services.store.read([&](Connection& connection) {
    Collections all(connection);
    json::array out;
    if (!archived && !personal_only && rights->collection(std::nullopt) != CollectionRight::None) out.push_back(root_collection_json(*rights));
    for (auto& c : all.all()) {
      if (c.archived != archived || c.name_space != name_space || rights->collection(c.id) == CollectionRight::None) continue;
      auto owner = all.owner(c);
      if (personal_only && !c.personal_owner) continue;
      if (own_only && owner && *owner != rights->person()) continue;
      out.push_back(collection_row_json(c, all, *rights));
    }
    return out;
  });
}

struct TreeNode {
  const Collection* collection = nullptr;
  std::vector<std::size_t> children;
};

json::object tree_node_json(const std::vector<TreeNode>& nodes, std::size_t at, const Collections& all, const Rights& rights,
                            std::map<std::int64_t, std::set<std::string>>& kinds, std::set<std::string>& seen) {
  auto& node = nodes[at];
  auto out = collection_row_json(*node.collection, all, rights);
  json::array children;
  std::set<std::string> below;
  for (auto child : node.children) {
    children.push_back(tree_node_json(nodes, child, all, rights, kinds, below));
    below.insert("collection");
  }
  auto here = kinds[node.collection->id.value];
  seen.insert(here.begin(), here.end());
  seen.insert(below.begin(), below.end());
  auto list = [](const std::set<std::string>& words) { json::array a; for (auto& w : words) a.push_back(json::value(w)); return a; };
  out["here"] = list(here);
  out["below"] = list(below);
  out["children"] = std::move(children);
  return out;
}

json::array tree(Services& services, const Request& request) {
  ensure_own(services, request.caller());
  auto rights = services.rights(request);
  bool no_archived = request.query_flag("exclude-archived"), own_only = request.query_flag("exclude-other-user-collections");
  bool shallow = request.query_flag("shallow");
  auto top = request.query_integer("collection-id");
  auto spaces = request.query_values("namespaces");
  if (auto one = request.query_value("namespace")) spaces.push_back(*one);
  return services.store.read([&](Connection& connection) {
    Collections all(connection);
    auto kinds = kinds_by_collection(connection);
    std::vector<TreeNode> nodes{{}};  // 0: what hangs from the root
    std::map<std::int64_t, std::size_t> place_of;
    for (auto& c : all.all()) {
      bool in_space = spaces.empty() ? !c.name_space : std::find(spaces.begin(), spaces.end(), c.name_space.value_or("")) != spaces.end();
      if (!in_space || (no_archived && c.archived) || rights->collection(c.id) == CollectionRight::None) continue;
      auto owner = all.owner(c);
      if (own_only && owner && *owner != rights->person()) continue;
      place_of[c.id.value] = nodes.size();
      nodes.push_back({&c, {}});
    }
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      std::size_t parent = 0;
      auto above = ids_in_location(nodes[i].collection->location);
      for (auto it = above.rbegin(); it != above.rend() && parent == 0; ++it) {
        if (auto found = place_of.find(it->value); found != place_of.end()) parent = found->second;
      }
      nodes[parent].children.push_back(i);
    }
    std::size_t from = 0;
    if (top) {
      auto found = place_of.find(*top);
      if (found == place_of.end()) throw not_found();
      from = found->second;
    }
    json::array out;
    std::set<std::string> seen;
    auto children = nodes[from].children;
    for (auto child : children) {
      auto node = tree_node_json(nodes, child, all, *rights, kinds, seen);
      if (shallow) node["children"] = json::array();
      out.push_back(std::move(node));
    }
    return out;
  });
}

json::object one(Services& services, const Rights& rights, CollectionId id) {
  rights.require_view(id);
  return services.store.read([&](Connection& connection) {
    Collections all(connection);
    auto* collection = all.find(id);
    if (!collection) throw not_found();
    return collection_json(*collection, all, rights);
  });
}

json::object get_collection(Services& services, const Request& request) {
  auto id = services.store.read([&](Connection& c) { return CollectionId(object_id(c, "collection", request.path_value("id"))); });
  return one(services, *services.rights(request), id);
}

json::object items(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto wanted = ItemsRequest::from(request);
  return services.store.read([&](Connection& connection) {
    wanted.collection = CollectionId(object_id(connection, "collection", request.path_value("id")));
    rights->require_view(wanted.collection);
    auto collection = find_collection(connection, *wanted.collection);
    if (!collection) throw not_found();
    if (collection->archived) wanted.archived = true;  // looking into the trash
    if (!wanted.name_space) wanted.name_space = collection->name_space;
    return collection_items(connection, *rights, wanted);
  });
}

json::object root_items(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto wanted = ItemsRequest::from(request);
  if (wanted.archived) wanted.place = ItemsRequest::Place::Trash;  // how older clients ask for the trash
  bool sees_root = rights->collection(std::nullopt) != CollectionRight::None;
  return services.store.read([&](Connection& connection) {
    // Somebody without a right on the root still finds the collections that they do see, at its level.
    if (!sees_root && wanted.place == ItemsRequest::Place::Collection) wanted.models = {"collection"};
    return collection_items(connection, *rights, wanted);
  });
}

json::object trash_items(Services& services, const Request& request) {
  auto rights = services.rights(request);
  auto wanted = ItemsRequest::from(request);
  wanted.place = ItemsRequest::Place::Trash;
  return services.store.read([&](Connection& connection) { return collection_items(connection, *rights, wanted); });
}

json::object post(Services& services, const Request& request, const NewCollection& wanted) {
  auto rights = services.rights(request);
  auto id = services.store.write([&](Connection& c) { return create_collection(c, *rights, wanted, services.clock.now()); });
  services.permissions.forget();
  return one(services, *services.rights(request), id);
}

json::object put(Services& services, const Request& request, const CollectionChange& change) {
  auto rights = services.rights(request);
  auto id = services.store.write([&](Connection& c) {
    auto id = CollectionId(object_id(c, "collection", request.path_value("id")));
    rights->require_view(id);
    change_collection(c, *rights, id, change, services.clock.now());
    return id;
  });
  services.permissions.forget();
  return one(services, *services.rights(request), id);
}

void del(Services& services, const Request& request) {
  auto rights = services.rights(request);
  services.store.write([&](Connection& c) {
    auto id = CollectionId(object_id(c, "collection", request.path_value("id")));
    rights->require_view(id);
    delete_collection(c, *rights, id);
  });
  services.permissions.forget();
}

json::array no_timelines(Services& services, const Request& request) {
  auto rights = services.rights(request);
  if (request.path_values.contains("id")) rights->require_view(request.path_id<CollectionId>("id"));
  return {};  // there is no way to make a timeline yet, so there are none
}

}  // namespace

void add_collection_routes(http::Routes& routes, Services& services) {
  routes.in_feature("collection");
  routes.get("/api/collection", [&services](Request& r) { return list_collections(services, r); }).summary("All collections the person sees, the root first.");
  routes.get("/api/collection/tree", [&services](Request& r) { return tree(services, r); }).summary("The same as a tree, with what lies here and below.");
  routes.get("/api/collection/root", [&services](Request& r) {
    auto rights = services.rights(r);
    rights->require_view(std::nullopt);
    return root_collection_json(*rights);
  }).summary("The root collection.");
  routes.get("/api/collection/trash", [](Request&) { return trash_json(); }).summary("The trash.");
  routes.get("/api/collection/root/items", [&services](Request& r) { return root_items(services, r); }).summary("What lies in the root collection.");
  routes.get("/api/collection/trash/items", [&services](Request& r) { return trash_items(services, r); }).summary("What was thrown away.");
  routes.get("/api/collection/root/timelines", [&services](Request& r) { return no_timelines(services, r); });
  routes.get("/api/collection/:id", [&services](Request& r) { return get_collection(services, r); }).summary("One collection, by number or entity id.");
  routes.get("/api/collection/:id/items", [&services](Request& r) { return items(services, r); }).summary("What lies in a collection.");
  routes.get("/api/collection/:id/timelines", [&services](Request& r) { return no_timelines(services, r); });
  routes.post("/api/collection", [&services](Request& r, const NewCollection& body) { return post(services, r, body); }).summary("Make a collection.");
  routes.put("/api/collection/:id", [&services](Request& r, const CollectionChange& body) { return put(services, r, body); }).summary("Rename, move, throw away or bring back a collection.");
  routes.del("/api/collection/:id", [&services](Request& r) { del(services, r); }).summary("Delete a collection that is in the trash, with all that lies in it.");
}

}  // namespace basalt::features
