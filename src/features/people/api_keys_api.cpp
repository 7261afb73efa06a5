// /api/api-key…: keys for programs. Each has a hidden person of its own, who is in All Users and the key's group.
#include "base/random.h"
#include "features/people/people.h"
#include "session/sessions.h"

namespace basalt::features {
namespace {

struct NewKey {
  std::string name;
  GroupId group_id;
  static constexpr auto fields() { return json_fields(field("name", &NewKey::name, not_blank), field("group_id", &NewKey::group_id)); }
};

struct KeyChange {
  std::optional<std::string> name;
  std::optional<GroupId> group_id;
  static constexpr auto fields() { return json_fields(field("name", &KeyChange::name, not_blank), field("group_id", &KeyChange::group_id)); }
};

constexpr std::string_view key_select =
    "SELECT k.id, k.name, k.masked_key, k.person_id, k.created_at, k.updated_at, k.group_id, g.name AS group_name, u.id AS updater_id, u.email, u.first_name, u.last_name "
    "FROM api_key k JOIN permission_group g ON g.id = k.group_id LEFT JOIN person u ON u.id = k.updated_by_id";

json::object key_json(const appdb::Row& row) {
  json::value updated_by = nullptr;
  if (!row.is_null("updater_id")) {
    Person updater{.id = row.id<PersonId>("updater_id"), .email = row.text("email")};
    updater.first_name = row.optional_text("first_name");
    updater.last_name = row.optional_text("last_name");
    updated_by = json::object{{"id", updater.id.value}, {"common_name", updater.common_name()}};
  }
  return {{"id", row.integer("id")}, {"name", row.text("name")}, {"group", json::object{{"id", row.integer("group_id")}, {"name", row.text("group_name")}}},
          {"masked_key", row.text("masked_key")}, {"created_at", row.text("created_at")}, {"updated_at", row.text("updated_at")}, {"updated_by", std::move(updated_by)}};
}

appdb::Row require_key(appdb::Connection& connection, std::int64_t id) {
  auto row = connection.query_one(std::string(key_select) + " WHERE k.id = ?", {id});
  if (!row) throw not_found();
  return *row;
}

void require_free_name(appdb::Connection& connection, const std::string& name, std::int64_t besides = 0) {
  if (connection.count("SELECT count(*) FROM api_key WHERE lower(name) = ? AND id <> ?", {lower_case(name), besides}) > 0) {
    throw bad_field("name", "An API key with this name already exists.");
  }
}

void require_group(appdb::Connection& connection, GroupId group) {
  if (connection.count("SELECT count(*) FROM permission_group WHERE id = ?", {group}) == 0) throw bad_field("group_id", "There is no group " + std::to_string(group.value) + ".");
}

// Keys are found by their first seven characters: those must be free.
session::NewApiKey free_key(appdb::Connection& connection) {
  for (;;) {
    auto made = session::make_api_key();
    if (connection.count("SELECT count(*) FROM api_key WHERE key_prefix = ?", {made.prefix}) == 0) return made;
  }
}

}  // namespace

void add_api_key_routes(http::Routes& routes, Services& services) {
  routes.get("/api/api-key", [&services](http::Request&) {
    return services.store.read([&](appdb::Connection& connection) {
      json::array out;
      connection.each(std::string(key_select) + " ORDER BY lower(k.name)", {}, [&](const appdb::Row& row) { out.push_back(key_json(row)); });
      return json::value(std::move(out));
    });
  }).administrator().summary("All API keys, masked.");

  routes.get("/api/api-key/count", [&services](http::Request&) {
    return json::value(services.store.read([](appdb::Connection& connection) { return connection.count("SELECT count(*) FROM api_key"); }));
  }).administrator().summary("How many API keys there are.");

  routes.post("/api/api-key", [&services](http::Request& request, const NewKey& wanted) {
    auto now = services.clock.now();
    auto caller = request.caller().person;
    return services.store.write([&](appdb::Connection& connection) {
      require_free_name(connection, wanted.name);
      require_group(connection, wanted.group_id);
      auto key = free_key(connection);
      PersonId person(connection.insert("person", {{"email", "api-key-user-" + uuid4() + "@api-key.invalid"}, {"first_name", wanted.name}, {"is_administrator", false},
                                                   {"is_active", true}, {"kind", "api-key"}, {"created_at", now}, {"updated_at", now}, {"joined_at", now}, {"entity_id", entity_id()}}));
      set_groups(connection, person, {wanted.group_id});
      auto id = connection.insert("api_key", {{"name", wanted.name}, {"key_hash", key.hash}, {"key_prefix", key.prefix}, {"masked_key", key.masked}, {"person_id", person},
                                              {"group_id", wanted.group_id}, {"creator_id", caller}, {"updated_by_id", caller}, {"created_at", now}, {"updated_at", now}});
      auto out = key_json(require_key(connection, id));
      out["unmasked_key"] = key.key;
      return json::value(std::move(out));
    });
  }).administrator().summary("Make an API key; the key is shown this once.");

  routes.put("/api/api-key/:id", [&services](http::Request& request, const KeyChange& change) {
    auto id = request.path_integer("id");
    auto [person, out] = services.store.write([&](appdb::Connection& connection) {
      auto key = require_key(connection, id);
      auto owner = key.id<PersonId>("person_id");
      std::vector<appdb::Assignment> columns{{"updated_at", services.clock.now()}, {"updated_by_id", request.caller().person}};
      if (change.name) {
        require_free_name(connection, *change.name, id);
        columns.emplace_back("name", *change.name);
        connection.update("person", {{"first_name", *change.name}}, "id", owner);
      }
      if (change.group_id) {
        require_group(connection, *change.group_id);
        columns.emplace_back("group_id", *change.group_id);
        set_groups(connection, owner, {*change.group_id});
      }
      connection.update("api_key", columns, "id", id);
      return std::pair(owner, key_json(require_key(connection, id)));
    });
    services.sessions.forget(person);
    return json::value(std::move(out));
  }).administrator().summary("Rename an API key or move it to another group.");

  routes.put("/api/api-key/:id/regenerate", [&services](http::Request& request) {
    auto id = request.path_integer("id");
    auto [person, out] = services.store.write([&](appdb::Connection& connection) {
      auto owner = require_key(connection, id).id<PersonId>("person_id");
      auto key = free_key(connection);
      connection.update("api_key", {{"key_hash", key.hash}, {"key_prefix", key.prefix}, {"masked_key", key.masked}, {"updated_at", services.clock.now()}, {"updated_by_id", request.caller().person}}, "id", id);
      auto shown = key_json(require_key(connection, id));
      shown["unmasked_key"] = key.key;
      return std::pair(owner, shown);
    });
    services.sessions.forget(person);  // the former key ends now
    return json::value(std::move(out));
  }).administrator().summary("Replace the key; the former one ends at once.");

  routes.del("/api/api-key/:id", [&services](http::Request& request) {
    auto id = request.path_integer("id");
    auto person = services.store.write([&](appdb::Connection& connection) {
      auto owner = require_key(connection, id).id<PersonId>("person_id");
      connection.execute("DELETE FROM api_key WHERE id = ?", {id});
      // What the key made keeps its maker.
      connection.update("person", {{"is_active", false}, {"updated_at", services.clock.now()}}, "id", owner);
      return owner;
    });
    services.sessions.forget(person);
  }).administrator().summary("Delete an API key.");
}

}  // namespace basalt::features
