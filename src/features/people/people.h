// People and groups in the application database: shapes of the API, and the rules that hold for every change.
#pragma once
#include "base/json_fields.h"
#include "features/services.h"

namespace basalt::features {

inline constexpr GroupId all_users_group{1}, administrators_group{2};

std::string lower_case(std::string_view text);  // ASCII

struct Person {
  PersonId id;
  std::string email, kind;
  std::optional<std::string> first_name, last_name, locale, joined_at, last_sign_in_at, updated_at;
  bool is_administrator = false, is_active = true;
  json::value attributes = nullptr;
  std::vector<GroupId> groups;                     // sorted; filled by the functions that say so
  std::optional<CollectionId> personal_collection;

  std::string common_name() const;
};

// Columns to select for person_from(), of `person p`.
extern const std::string_view person_select;
Person person_from(const appdb::Row& row);
// With groups and personal collection; absent when there is none. API keys' people too.
std::optional<Person> find_person(appdb::Connection& connection, PersonId id);
// Fills groups and personal collections of many in two statements.
void add_memberships(appdb::Connection& connection, std::vector<Person>& people);

json::object person_json(const Person& person);        // the whole object, for administrators and oneself
json::object person_summary_json(const Person& person);  // what others see

// Sets the memberships in own groups and Administrators to exactly `groups` (All Users is always kept) and the flag with it.
// Throws Failure BadRequest for unknown groups and when nobody would be left who administers.
void set_groups(appdb::Connection& connection, PersonId person, std::vector<GroupId> groups);
void add_to_group(appdb::Connection& connection, PersonId person, GroupId group);
void remove_from_group(appdb::Connection& connection, PersonId person, GroupId group);
// Failure BadRequest when `person` is the last active administrator.
void require_another_administrator(appdb::Connection& connection, PersonId person);

void add_person_routes(http::Routes& routes, Services& services);
void add_group_routes(http::Routes& routes, Services& services);
void add_api_key_routes(http::Routes& routes, Services& services);
void add_permission_graph_routes(http::Routes& routes, Services& services);

}  // namespace basalt::features
