// /api/user…
#include "base/crypto.h"
#include "base/random.h"
#include "features/collections/collections.h"
#include "features/people/people.h"
#include "session/passwords.h"
#include "session/sessions.h"

namespace basalt::features {
namespace {

constexpr std::int64_t internal_person = 13371338;  // what other servers call their internal user

const char* person_name(const json::value& v) {
  return v.is_null() || (v.is_string() && v.get_string().size() <= 254) ? nullptr : "value must be a text of at most 254 characters.";
}

struct Membership {
  GroupId id;
  std::optional<bool> is_group_manager;
  static constexpr auto fields() { return json_fields(field("id", &Membership::id), field("is_group_manager", &Membership::is_group_manager)); }
};

struct NewPerson {
  std::string email;
  std::optional<std::string> first_name, last_name, password, locale;
  std::optional<std::vector<Membership>> user_group_memberships;
  std::optional<std::vector<std::int64_t>> group_ids;
  std::optional<json::object> login_attributes;
  static constexpr auto fields() {
    return json_fields(field("email", &NewPerson::email, email_address), field("first_name", &NewPerson::first_name, person_name),
                       field("last_name", &NewPerson::last_name, person_name), field("password", &NewPerson::password), field("locale", &NewPerson::locale),
                       field("user_group_memberships", &NewPerson::user_group_memberships), field("group_ids", &NewPerson::group_ids),
                       field("login_attributes", &NewPerson::login_attributes));
  }
};

struct PersonChange {
  std::optional<std::string> email;
  Patch<std::string> first_name, last_name, locale;
  std::optional<bool> is_superuser;
  Patch<json::object> login_attributes;
  std::optional<std::vector<Membership>> user_group_memberships;
  std::optional<std::vector<std::int64_t>> group_ids;
  static constexpr auto fields() {
    return json_fields(field("email", &PersonChange::email, email_address), field("first_name", &PersonChange::first_name, person_name),
                       field("last_name", &PersonChange::last_name, person_name), field("locale", &PersonChange::locale),
                       field("is_superuser", &PersonChange::is_superuser), field("login_attributes", &PersonChange::login_attributes),
                       field("user_group_memberships", &PersonChange::user_group_memberships), field("group_ids", &PersonChange::group_ids));
  }
};

struct PasswordChange {
  std::string password;
  std::optional<std::string> old_password;
  static constexpr auto fields() { return json_fields(field("password", &PasswordChange::password, not_blank), field("old_password", &PasswordChange::old_password)); }
};

template <class Body>
std::optional<std::vector<GroupId>> groups_in(const Body& body) {
  std::vector<GroupId> groups;
  if (body.user_group_memberships) {
    for (auto& membership : *body.user_group_memberships) groups.push_back(membership.id);
    return groups;
  }
  if (!body.group_ids) return std::nullopt;
  for (auto id : *body.group_ids) groups.push_back(GroupId(id));
  return groups;
}

PersonId person_in_path(const http::Request& request) {
  auto id = request.path_integer("id");
  if (id == internal_person) throw Failure(FailureKind::BadRequest, "Not able to modify the internal user");
  return PersonId(id);
}

void require_self_or_administrator(const Services& services, const http::Request& request, PersonId id) {
  auto rights = services.rights(request);
  if (rights->person() != id) rights->require_administrator();
}

// Of a real person: API keys' people are not shown nor changed here.
Person require_person(appdb::Connection& connection, PersonId id) {
  auto person = find_person(connection, id);
  if (!person || person->kind != "personal") throw not_found();
  return *person;
}

void require_free_email(appdb::Connection& connection, const std::string& email, std::optional<PersonId> besides = {}) {
  if (connection.count("SELECT count(*) FROM person WHERE email = ? AND id <> ?", {email, besides.value_or(PersonId(0))}) > 0) {
    throw bad_field("email", "Email address already in use.");
  }
}

void changed(Services& services, PersonId person) {
  services.sessions.forget(person);
  services.permissions.forget();
}

// What follows LIKE, with the pattern's own characters taken literally.
std::string containing(const std::string& text) {
  std::string pattern = "%";
  for (char c : lower_case(text)) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

struct PersonFilter {
  std::string where = "p.kind = 'personal'";
  appdb::Parameters bound;
  void add(std::string_view condition, std::initializer_list<appdb::Parameter> values) {
    where += " AND ";
    where += condition;
    bound.insert(bound.end(), values.begin(), values.end());
  }
};

json::value page_of_people(Services& services, const http::Request& request, const PersonFilter& filter, bool whole) {
  auto limit = request.query_integer("limit"), offset = request.query_integer("offset");
  if (limit && *limit <= 0) throw bad_field("limit", "value must be an integer greater than zero.");
  if (offset && *offset < 0) throw bad_field("offset", "value must be an integer of zero or more.");
  return services.store.read([&](appdb::Connection& connection) {
    std::string sql = "SELECT " + std::string(person_select) + " FROM person p WHERE " + filter.where +
                      " ORDER BY lower(coalesce(p.first_name, '')), lower(coalesce(p.last_name, '')), p.id";
    auto bound = filter.bound;
    if (limit) {
      sql += " LIMIT ? OFFSET ?";
      bound.push_back(*limit);
      bound.push_back(offset.value_or(0));
    }
    std::vector<Person> people;
    connection.each(sql, bound, [&](const appdb::Row& row) { people.push_back(person_from(row)); });
    if (whole) add_memberships(connection, people);
    json::array data;
    for (auto& person : people) data.push_back(whole ? person_json(person) : person_summary_json(person));
    auto total = limit ? connection.count("SELECT count(*) FROM person p WHERE " + filter.where, filter.bound) : static_cast<std::int64_t>(people.size());
    return json::value(json::object{{"data", std::move(data)}, {"total", total}, {"limit", json::or_null(limit)}, {"offset", limit ? json::value(offset.value_or(0)) : json::or_null(offset)}});
  });
}

json::value list_people(Services& services, const http::Request& request) {
  PersonFilter filter;
  auto status = request.query_value("status").value_or("");
  if (!status.empty() && status != "deactivated" && status != "all") throw bad_field("status", "value must be deactivated or all.");
  if (status == "deactivated") filter.add("p.is_active = ?", {false});
  else if (status != "all" && !request.query_flag("include_deactivated")) filter.add("p.is_active = ?", {true});
  if (auto query = request.query_value("query"); query && !query->empty()) {
    auto pattern = containing(*query);
    filter.add("(lower(coalesce(p.first_name, '')) LIKE ? ESCAPE '\\' OR lower(coalesce(p.last_name, '')) LIKE ? ESCAPE '\\' OR p.email LIKE ? ESCAPE '\\' "
               "OR lower(coalesce(p.first_name, '') || ' ' || coalesce(p.last_name, '')) LIKE ? ESCAPE '\\')",
               {pattern, pattern, pattern, pattern});
  }
  if (auto group = request.query_integer("group_id")) filter.add("EXISTS (SELECT 1 FROM group_membership m WHERE m.person_id = p.id AND m.group_id = ?)", {*group});
  return page_of_people(services, request, filter, true);
}

json::value list_recipients(Services& services, const http::Request& request) {
  PersonFilter filter;
  filter.add("p.is_active = ?", {true});
  auto& caller = request.caller();
  auto visible = services.settings.text("user-visibility");
  if (!services.rights(request)->is_administrator() && visible != "all") {
    if (visible == "group") {
      filter.add("(p.id = ? OR EXISTS (SELECT 1 FROM group_membership m JOIN group_membership own ON own.group_id = m.group_id "
                 "WHERE m.person_id = p.id AND own.person_id = ? AND own.group_id > 2))",
                 {caller.person, caller.person});
    } else {
      filter.add("p.id = ?", {caller.person});
    }
  }
  return page_of_people(services, request, filter, false);
}

json::value current_person(Services& services, const http::Request& request) {
  auto& caller = request.caller();
  auto rights = services.rights(request);
  struct Facts { bool second, question_and_dashboard, model, installer; };
  auto [person, facts] = services.store.read([&](appdb::Connection& connection) {
    auto found = find_person(connection, caller.person);
    if (!found) throw Failure(FailureKind::SignInNeeded, "Unauthenticated");
    Facts known{connection.count("SELECT count(*) FROM (SELECT 1 FROM person WHERE kind = 'personal' LIMIT 2) AS found") > 1,
                connection.count("SELECT count(*) FROM (SELECT 1 FROM card WHERE archived = ? LIMIT 1) AS found", {false}) > 0 &&
                    connection.count("SELECT count(*) FROM (SELECT 1 FROM dashboard WHERE archived = ? LIMIT 1) AS found", {false}) > 0,
                connection.count("SELECT count(*) FROM (SELECT 1 FROM card WHERE archived = ? AND kind = 'model' LIMIT 1) AS found", {false}) > 0,
                connection.count("SELECT min(id) FROM person WHERE kind = 'personal'") == caller.person.value};
    return std::pair(*found, known);
  });
  if (person.kind == "personal" && !person.personal_collection) {
    person.personal_collection = services.store.write([&, &person = person](appdb::Connection& connection) { return ensure_personal_collection(connection, person.id, services.clock.now()); });
    services.permissions.forget();
  }
  bool may_query = rights->is_administrator(), may_sql = may_query;
  services.store.read([&](appdb::Connection& connection) {
    connection.each("SELECT id FROM \"database\"", {}, [&](const appdb::Row& row) {
      auto id = row.id<DatabaseId>("id");
      may_query = may_query || rights->any_table(id);
      may_sql = may_sql || rights->whole_database(id) == permissions::DataRight::BuilderAndSql;
    });
  });
  bool may_write = rights->is_administrator() || person.personal_collection || rights->collection(std::nullopt) == permissions::CollectionRight::Curate;
  auto out = person_json(person);
  out["is_installer"] = facts.installer;
  out["has_invited_second_user"] = facts.second;
  out["has_question_and_dashboard"] = facts.question_and_dashboard;
  out["has_model"] = facts.model;
  out["first_login"] = json::or_null(person.joined_at);
  out["custom_homepage"] = nullptr;
  if (services.settings.flag("custom-homepage")) {
    if (auto dashboard = services.settings.integer("custom-homepage-dashboard")) out["custom_homepage"] = json::object{{"dashboard_id", dashboard}};
  }
  out["can_write_any_collection"] = may_write;
  out["permissions"] = json::object{{"can_create_queries", may_query}, {"can_create_native_queries", may_sql}, {"can_access_setting", rights->is_administrator()},
                                    {"can_access_subscription", true}, {"can_access_monitoring", rights->is_administrator()}, {"is_group_manager", false}};
  return out;
}

json::value create_person(Services& services, const NewPerson& wanted) {
  auto email = lower_case(wanted.email);
  services.store.read([&](appdb::Connection& connection) { require_free_email(connection, email); });
  std::optional<std::string> hash;
  if (wanted.password && !wanted.password->empty()) {
    services.passwords.require_good(*wanted.password);
    hash = services.passwords.hash(*wanted.password);
  }
  auto now = services.clock.now();
  auto person = services.store.write([&](appdb::Connection& connection) {
    require_free_email(connection, email);
    PersonId id(connection.insert("person", {{"email", email}, {"first_name", wanted.first_name}, {"last_name", wanted.last_name}, {"password_hash", hash},
                                             {"is_administrator", false}, {"is_active", true}, {"kind", "personal"}, {"locale", wanted.locale},
                                             {"attributes", wanted.login_attributes}, {"created_at", now}, {"updated_at", now}, {"joined_at", now},
                                             {"entity_id", entity_id()}}));
    set_groups(connection, id, groups_in(wanted).value_or(std::vector<GroupId>()));
    return *find_person(connection, id);
  });
  changed(services, person.id);
  return person_json(person);
}

json::value change_person(Services& services, const http::Request& request, const PersonChange& change) {
  auto id = person_in_path(request);
  require_self_or_administrator(services, request, id);
  bool administrator = services.rights(request)->is_administrator();
  auto person = services.store.write([&](appdb::Connection& connection) {
    auto before = require_person(connection, id);
    if (!before.is_active) throw not_found();
    std::vector<appdb::Assignment> columns;
    if (change.email && lower_case(*change.email) != before.email) {
      require_free_email(connection, lower_case(*change.email), id);
      columns.emplace_back("email", lower_case(*change.email));
    }
    if (change.first_name) columns.emplace_back("first_name", change.first_name.value);
    if (change.last_name) columns.emplace_back("last_name", change.last_name.value);
    if (change.locale) columns.emplace_back("locale", change.locale.value);
    // Clients send whole objects back: what only administrators may change is passed over for others.
    if (administrator && change.login_attributes) columns.emplace_back("attributes", change.login_attributes.value);
    columns.emplace_back("updated_at", services.clock.now());
    connection.update("person", columns, "id", id);
    if (administrator) {
      auto groups = groups_in(change);
      if (groups && change.is_superuser) {
        bool member = std::find(groups->begin(), groups->end(), administrators_group) != groups->end();
        if (member != *change.is_superuser) throw bad_field("is_superuser", "Value of is_superuser must correspond to presence of Admin group ID in group_ids.");
      }
      if (groups) set_groups(connection, id, *groups);
      else if (change.is_superuser && *change.is_superuser != before.is_administrator) {
        if (*change.is_superuser) add_to_group(connection, id, administrators_group);
        else remove_from_group(connection, id, administrators_group);
      }
    }
    return *find_person(connection, id);
  });
  changed(services, id);
  return person_json(person);
}

http::Response change_password(Services& services, const http::Request& request, const PasswordChange& wanted) {
  auto id = person_in_path(request);
  require_self_or_administrator(services, request, id);
  auto& caller = request.caller();
  auto stored = services.store.read([&](appdb::Connection& connection) {
    auto person = require_person(connection, id);
    if (!person.is_active) throw not_found();
    return connection.query_one("SELECT password_hash FROM person WHERE id = ?", {id})->optional_text("password_hash").value_or("");
  });
  if (!services.rights(request)->is_administrator()) {
    if (!wanted.old_password || !services.passwords.verify(*wanted.old_password, stored)) throw bad_field("old_password", "Invalid password");
  }
  services.passwords.require_good(wanted.password);
  auto hash = services.passwords.hash(wanted.password);
  services.store.write([&](appdb::Connection& connection) {
    connection.update("person", {{"password_hash", hash}, {"updated_at", services.clock.now()}}, "id", id);
    connection.execute("DELETE FROM password_reset WHERE person_id = ?", {id});
  });
  services.sessions.end_all_of(id);  // whoever else is signed in as this person is out
  if (caller.person != id || caller.by_api_key) return http::Response::no_content();
  auto made = services.sessions.create(id, request);
  auto response = http::Response::json(json::object{{"success", true}, {"session_id", made.key}});
  for (auto& header : services.sessions.cookies(made, request, session::Remember::No)) response.headers.push_back(header);
  return response;
}

json::value sign_in_history(Services& services, const http::Request& request) {
  return services.store.read([&](appdb::Connection& connection) {
    json::array out;
    connection.each("SELECT created_at, user_agent, remote_address, expires_at FROM session WHERE person_id = ? ORDER BY created_at DESC LIMIT 100", {request.caller().person},
                    [&](const appdb::Row& row) {
                      out.push_back(json::object{{"timestamp", row.text("created_at")}, {"device_description", row.optional_text("user_agent").value_or("")},
                                                 {"ip_address", row.optional_text("remote_address").value_or("")}, {"location", nullptr},
                                                 {"active", row.time("expires_at") > services.clock.now()}, {"timezone", nullptr}});
                    });
    return json::value(std::move(out));
  });
}

}  // namespace

void add_person_routes(http::Routes& routes, Services& services) {
  routes.get("/api/user", [&services](http::Request& request) { return list_people(services, request); }).administrator().summary("People, by name, in pages.");
  routes.get("/api/user/recipients", [&services](http::Request& request) { return list_recipients(services, request); }).summary("People one may send things to.");
  routes.get("/api/user/current", [&services](http::Request& request) { return current_person(services, request); }).summary("Who is asking, and what they may do.");
  routes.get("/api/user/:id", [&services](http::Request& request) {
    auto id = person_in_path(request);
    require_self_or_administrator(services, request, id);
    return json::value(person_json(services.store.read([&](appdb::Connection& connection) { return require_person(connection, id); })));
  }).summary("One person: oneself, or anybody for administrators.");
  routes.post("/api/user", [&services](http::Request&, const NewPerson& wanted) { return create_person(services, wanted); })
      .administrator().runs_on(http::Pool::Hashing).summary("Add a person.");
  routes.put("/api/user/:id", [&services](http::Request& request, const PersonChange& change) { return change_person(services, request, change); })
      .summary("Change a person: oneself, or anybody for administrators.");
  routes.put("/api/user/:id/password", [&services](http::Request& request, const PasswordChange& wanted) { return change_password(services, request, wanted); })
      .runs_on(http::Pool::Hashing).summary("Set a password; all sessions of the person end.");

  routes.del("/api/user/:id", [&services](http::Request& request) {
    auto id = person_in_path(request);
    services.store.write([&](appdb::Connection& connection) {
      require_person(connection, id);
      require_another_administrator(connection, id);
      connection.update("person", {{"is_active", false}, {"updated_at", services.clock.now()}}, "id", id);
    });
    services.sessions.end_all_of(id);
    changed(services, id);
    return json::value(json::object{{"success", true}});
  }).administrator().summary("Deactivate a person; what they made stays.");

  routes.put("/api/user/:id/reactivate", [&services](http::Request& request) {
    auto id = person_in_path(request);
    auto person = services.store.write([&](appdb::Connection& connection) {
      if (require_person(connection, id).is_active) throw Failure(FailureKind::BadRequest, "Not able to reactivate an active user");
      connection.update("person", {{"is_active", true}, {"updated_at", services.clock.now()}}, "id", id);
      return *find_person(connection, id);
    });
    changed(services, id);
    return json::value(person_json(person));
  }).administrator().summary("Let a deactivated person in again.");

  routes.post("/api/user/:id/send_invite", [&services](http::Request& request) -> json::value {
    auto id = person_in_path(request);
    services.store.read([&](appdb::Connection& connection) { require_person(connection, id); });
    throw Failure(FailureKind::BadRequest, "This server sends no mail yet. Set a password for the person, or make a link with `basalt reset-password`.");
  }).administrator().summary("Invite a person by mail: not available.");

  routes.put("/api/user/:id/modal/:modal", [&services](http::Request& request) {
    require_self_or_administrator(services, request, person_in_path(request));
    auto& modal = request.path_value("modal");
    if (modal != "qbnewb" && modal != "datasetnewb") throw not_found();
    return json::value(json::object{{"success", true}});
  }).summary("Note that an introduction was seen: none is shown here.");

  routes.get("/api/login-history/current", [&services](http::Request& request) { return sign_in_history(services, request); }).summary("One's own sign-ins.");
}

}  // namespace basalt::features
