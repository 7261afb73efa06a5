// /api/permissions/group… and /api/permissions/membership…
#include "base/random.h"
#include "features/people/people.h"
#include "session/sessions.h"

namespace basalt::features {
namespace {

const char* group_name(const json::value& v) {
  if (auto* sentence = not_blank(v)) return sentence;
  return v.get_string().size() <= 254 ? nullptr : "value must have at most 254 characters.";
}

struct GroupName {
  std::string name;
  static constexpr auto fields() { return json_fields(field("name", &GroupName::name, group_name)); }
};

struct NewMembership {
  GroupId group_id;
  PersonId user_id;
  static constexpr auto fields() { return json_fields(field("group_id", &NewMembership::group_id), field("user_id", &NewMembership::user_id)); }
};

constexpr std::string_view group_select =
    "SELECT g.id, g.name, g.kind, g.entity_id, (SELECT count(*) FROM group_membership m JOIN person p ON p.id = m.person_id "
    "WHERE m.group_id = g.id AND p.is_active = ? AND p.kind = 'personal') AS member_count FROM permission_group g";

json::object group_json(const appdb::Row& row) {
  auto kind = row.text("kind");
  json::value magic = kind == "all-users" ? json::value("all-internal-users") : kind == "administrators" ? json::value("admin") : json::value(nullptr);
  return {{"id", row.integer("id")}, {"name", row.text("name")}, {"member_count", row.integer("member_count")}, {"magic_group_type", std::move(magic)},
          {"is_tenant_group", false}, {"entity_id", json::or_null(row.optional_text("entity_id"))}};
}

json::object require_group(appdb::Connection& connection, GroupId id) {
  auto row = connection.query_one(std::string(group_select) + " WHERE g.id = ?", {true, id});
  if (!row) throw not_found();
  return group_json(*row);
}

json::array members(appdb::Connection& connection, GroupId id) {
  json::array out;
  connection.each("SELECT p.id, m.id AS membership_id, p.email, p.first_name, p.last_name FROM group_membership m JOIN person p ON p.id = m.person_id "
                  "WHERE m.group_id = ? AND p.is_active = ? AND p.kind = 'personal' ORDER BY lower(coalesce(p.first_name, '')), lower(coalesce(p.last_name, '')), p.id",
                  {id, true}, [&](const appdb::Row& row) {
                    out.push_back(json::object{{"user_id", row.integer("id")}, {"membership_id", row.integer("membership_id")}, {"email", row.text("email")},
                                               {"first_name", json::or_null(row.optional_text("first_name"))}, {"last_name", json::or_null(row.optional_text("last_name"))},
                                               {"is_group_manager", false}});
                  });
  return out;
}

void require_free_name(appdb::Connection& connection, const std::string& name, std::optional<GroupId> besides = {}) {
  if (connection.count("SELECT count(*) FROM permission_group WHERE lower(name) = ? AND id <> ?", {lower_case(name), besides.value_or(GroupId(0))}) > 0) {
    throw bad_field("name", "A group with that name already exists.");
  }
}

void require_own_group(GroupId id, const char* what) {
  if (id == all_users_group || id == administrators_group) {
    throw Failure(FailureKind::BadRequest, std::string("You cannot ") + what + (id == all_users_group ? " the 'All Users' permissions group!" : " the 'Administrators' permissions group!"));
  }
}

// Memberships changed: what is remembered of the callers is old.
void changed(Services& services) {
  services.sessions.forget_all();
  services.permissions.forget();
}

http::Response not_for_sale() {
  return http::Response::json(json::object{{"message", "This server has no group managers."}, {"status", "error-premium-feature-not-available"}}, 402);
}

}  // namespace

void add_group_routes(http::Routes& routes, Services& services) {
  routes.get("/api/permissions/group", [&services](http::Request&) {
    return services.store.read([&](appdb::Connection& connection) {
      json::array out;
      connection.each(std::string(group_select) + " ORDER BY lower(g.name)", {true}, [&](const appdb::Row& row) { out.push_back(group_json(row)); });
      return json::value(std::move(out));
    });
  }).administrator().summary("All groups, by name.");

  routes.get("/api/permissions/group/:id", [&services](http::Request& request) {
    auto id = request.path_id<GroupId>("id");
    return services.store.read([&](appdb::Connection& connection) {
      auto group = require_group(connection, id);
      group["members"] = members(connection, id);
      return json::value(std::move(group));
    });
  }).administrator().summary("One group with its members.");

  routes.post("/api/permissions/group", [&services](http::Request&, const GroupName& wanted) {
    return services.store.write([&](appdb::Connection& connection) {
      require_free_name(connection, wanted.name);
      GroupId id(connection.insert("permission_group", {{"name", wanted.name}, {"kind", "own"}, {"entity_id", entity_id()}, {"created_at", services.clock.now()}}));
      return json::value(require_group(connection, id));
    });
  }).administrator().summary("Make a group.");

  routes.put("/api/permissions/group/:id", [&services](http::Request& request, const GroupName& wanted) {
    auto id = request.path_id<GroupId>("id");
    return services.store.write([&](appdb::Connection& connection) {
      require_group(connection, id);
      require_own_group(id, "edit or delete");
      require_free_name(connection, wanted.name, id);
      connection.update("permission_group", {{"name", wanted.name}}, "id", id);
      return json::value(require_group(connection, id));
    });
  }).administrator().summary("Rename a group.");

  routes.del("/api/permissions/group/:id", [&services](http::Request& request) {
    auto id = request.path_id<GroupId>("id");
    services.store.write([&](appdb::Connection& connection) {
      require_group(connection, id);
      require_own_group(id, "edit or delete");
      if (auto key = connection.query_one("SELECT name FROM api_key WHERE group_id = ?", {id})) {
        throw Failure(FailureKind::BadRequest, "The API key \"" + key->text("name") + "\" belongs to this group. Move or delete the key first.");
      }
      connection.execute("DELETE FROM permission_group WHERE id = ?", {id});
    });
    changed(services);
  }).administrator().summary("Delete a group with what was granted to it.");

  routes.get("/api/permissions/membership", [&services](http::Request&) {
    return services.store.read([&](appdb::Connection& connection) {
      json::object out;
      connection.each("SELECT m.id, m.person_id, m.group_id FROM group_membership m JOIN person p ON p.id = m.person_id WHERE p.kind = 'personal' ORDER BY m.id", {}, [&](const appdb::Row& row) {
        auto& list = out[std::to_string(row.integer("person_id"))];
        if (!list.is_array()) list = json::array();
        list.as_array().push_back(json::object{{"membership_id", row.integer("id")}, {"group_id", row.integer("group_id")}, {"user_id", row.integer("person_id")}, {"is_group_manager", false}});
      });
      return json::value(std::move(out));
    });
  }).administrator().summary("All memberships, by person.");

  routes.post("/api/permissions/membership", [&services](http::Request&, const NewMembership& wanted) {
    auto out = services.store.write([&](appdb::Connection& connection) {
      require_group(connection, wanted.group_id);
      auto person = find_person(connection, wanted.user_id);
      if (!person || person->kind != "personal") throw not_found();
      if (std::find(person->groups.begin(), person->groups.end(), wanted.group_id) == person->groups.end()) add_to_group(connection, wanted.user_id, wanted.group_id);
      return members(connection, wanted.group_id);
    });
    changed(services);
    return json::value(std::move(out));
  }).administrator().summary("Put a person into a group.");

  routes.put("/api/permissions/membership/:id", [](http::Request&) { return not_for_sale(); }).administrator().summary("Make a member the group's manager: not available.");

  routes.put("/api/permissions/membership/:group-id/clear", [&services](http::Request& request) {
    auto id = request.path_id<GroupId>("group-id");
    services.store.write([&](appdb::Connection& connection) {
      require_group(connection, id);
      require_own_group(id, "remove all members of");
      connection.execute("DELETE FROM group_membership WHERE group_id = ? AND person_id NOT IN (SELECT person_id FROM api_key)", {id});
    });
    changed(services);
  }).administrator().summary("Take everybody out of a group.");

  routes.del("/api/permissions/membership/:id", [&services](http::Request& request) {
    auto id = request.path_integer("id");
    services.store.write([&](appdb::Connection& connection) {
      auto row = connection.query_one("SELECT m.person_id, m.group_id FROM group_membership m JOIN person p ON p.id = m.person_id WHERE m.id = ? AND p.kind = 'personal'", {id});
      if (!row) throw not_found();
      remove_from_group(connection, row->id<PersonId>("person_id"), row->id<GroupId>("group_id"));
    });
    changed(services);
  }).administrator().summary("Take a person out of a group.");
}

}  // namespace basalt::features
