#include "features/people/people.h"

#include <set>

#include "features/people/people_api.h"

namespace basalt::features {

const std::string_view person_select =
    "p.id, p.email, p.kind, p.first_name, p.last_name, p.locale, p.is_administrator, p.is_active, p.attributes, p.joined_at, p.last_sign_in_at, p.updated_at";

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string Person::common_name() const {
  auto first = first_name.value_or(""), last = last_name.value_or("");
  if (first.empty() && last.empty()) return email;
  return first.empty() ? last : last.empty() ? first : first + " " + last;
}

Person person_from(const appdb::Row& row) {
  Person person{.id = row.id<PersonId>("id"), .email = row.text("email"), .kind = row.text("kind")};
  person.first_name = row.optional_text("first_name");
  person.last_name = row.optional_text("last_name");
  person.locale = row.optional_text("locale");
  person.joined_at = row.optional_text("joined_at");
  person.last_sign_in_at = row.optional_text("last_sign_in_at");
  person.updated_at = row.optional_text("updated_at");
  person.is_administrator = row.boolean("is_administrator");
  person.is_active = row.boolean("is_active");
  person.attributes = row.json("attributes");
  return person;
}

void add_memberships(appdb::Connection& connection, std::vector<Person>& people) {
  if (people.empty()) return;
  std::unordered_map<PersonId, Person*> by_id;
  appdb::Parameters ids;
  for (auto& person : people) {
    by_id[person.id] = &person;
    ids.push_back(person.id);
    person.groups = {all_users_group};
  }
  // One person or a page of them by id; more are read whole.
  bool few = ids.size() <= 500;
  std::string where = few ? " IN (" + appdb::placeholders(ids.size()) + ")" : " IS NOT NULL";
  appdb::Parameters bound = few ? ids : appdb::Parameters{};
  connection.each("SELECT person_id, group_id FROM group_membership WHERE person_id" + where, bound, [&](const appdb::Row& row) {
    auto found = by_id.find(row.id<PersonId>("person_id"));
    if (found != by_id.end()) found->second->groups.push_back(row.id<GroupId>("group_id"));
  });
  connection.each("SELECT id, personal_owner_id FROM collection WHERE personal_owner_id" + where, bound, [&](const appdb::Row& row) {
    auto found = by_id.find(row.id<PersonId>("personal_owner_id"));
    if (found != by_id.end()) found->second->personal_collection = row.id<CollectionId>("id");
  });
  for (auto& person : people) {
    std::sort(person.groups.begin(), person.groups.end());
    person.groups.erase(std::unique(person.groups.begin(), person.groups.end()), person.groups.end());
  }
}

std::optional<Person> find_person(appdb::Connection& connection, PersonId id) {
  auto row = connection.query_one("SELECT " + std::string(person_select) + " FROM person p WHERE p.id = ?", {id});
  if (!row) return std::nullopt;
  std::vector<Person> one{person_from(*row)};
  add_memberships(connection, one);
  return one.front();
}

json::object person_summary_json(const Person& person) {
  return {{"id", person.id.value}, {"email", person.email}, {"first_name", json::or_null(person.first_name)}, {"last_name", json::or_null(person.last_name)},
          {"common_name", person.common_name()}};
}

json::object person_json(const Person& person) {
  json::array memberships, group_ids;
  for (auto group : person.groups) {
    memberships.push_back(json::object{{"id", group.value}});
    group_ids.push_back(group.value);
  }
  json::object out = person_summary_json(person);
  json::object more{{"is_active", person.is_active}, {"is_superuser", person.is_administrator}, {"is_qbnewb", false}, {"locale", json::or_null(person.locale)},
                    {"date_joined", json::or_null(person.joined_at)}, {"last_login", json::or_null(person.last_sign_in_at)},
                    {"updated_at", json::or_null(person.updated_at)}, {"sso_source", nullptr}, {"login_attributes", person.attributes},
                    {"jwt_attributes", nullptr}, {"structured_attributes", json::object()}, {"tenant_id", nullptr},
                    {"user_group_memberships", std::move(memberships)}, {"group_ids", std::move(group_ids)},
                    {"personal_collection_id", json::or_null(person.personal_collection)}};
  for (auto& [key, value] : more) out[key] = std::move(value);
  return out;
}

void require_another_administrator(appdb::Connection& connection, PersonId person) {
  auto others = connection.count("SELECT count(*) FROM person WHERE is_administrator = ? AND is_active = ? AND kind = 'personal' AND id <> ?", {true, true, person});
  if (others > 0) return;
  auto self = connection.query_one("SELECT is_administrator, is_active, kind FROM person WHERE id = ?", {person});
  bool last = self && self->boolean("is_administrator") && self->boolean("is_active") && self->text("kind") == "personal";
  if (last) throw Failure(FailureKind::BadRequest, "This is the last administrator. Make somebody else an administrator first.");
}

void add_to_group(appdb::Connection& connection, PersonId person, GroupId group) {
  if (connection.count("SELECT count(*) FROM permission_group WHERE id = ?", {group}) == 0) throw not_found();
  connection.execute("DELETE FROM group_membership WHERE person_id = ? AND group_id = ?", {person, group});
  connection.insert("group_membership", {{"person_id", person}, {"group_id", group}});
  if (group == administrators_group) connection.update("person", {{"is_administrator", true}}, "id", person);
}

void remove_from_group(appdb::Connection& connection, PersonId person, GroupId group) {
  if (group == all_users_group) throw Failure(FailureKind::BadRequest, "Everybody is in All Users; nobody can be taken out of it.");
  if (group == administrators_group) {
    require_another_administrator(connection, person);
    connection.update("person", {{"is_administrator", false}}, "id", person);
  }
  connection.execute("DELETE FROM group_membership WHERE person_id = ? AND group_id = ?", {person, group});
}

void set_groups(appdb::Connection& connection, PersonId person, std::vector<GroupId> wanted) {
  std::set<GroupId> keep(wanted.begin(), wanted.end()), had;
  keep.insert(all_users_group);
  for (auto& row : connection.query("SELECT group_id FROM group_membership WHERE person_id = ?", {person})) had.insert(row.id<GroupId>("group_id"));
  for (auto group : had) {
    if (!keep.contains(group)) remove_from_group(connection, person, group);
  }
  for (auto group : keep) {
    if (had.contains(group)) continue;
    if (connection.count("SELECT count(*) FROM permission_group WHERE id = ?", {group}) == 0) {
      throw bad_field("user_group_memberships", "There is no group " + std::to_string(group.value) + ".");
    }
    add_to_group(connection, person, group);
  }
}

void add_people_routes(http::Routes& routes, Services& services) {
  routes.in_feature("people");
  add_person_routes(routes, services);
  routes.in_feature("groups");
  add_group_routes(routes, services);
  routes.in_feature("api keys");
  add_api_key_routes(routes, services);
  routes.in_feature("permissions");
  add_permission_graph_routes(routes, services);
}

}  // namespace basalt::features
