#include "features/setup/setup_api.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/random.h"
#include "features/databases/databases_api.h"
#include "permissions/defaults.h"
#include "session/passwords.h"
#include "session/sessions.h"

namespace basalt::features {
namespace {

struct FirstPerson {
  std::string email, password;
  std::optional<std::string> first_name, last_name, site_name, password_confirm;
  static constexpr auto fields() {
    return json_fields(field("email", &FirstPerson::email, email_address), field("password", &FirstPerson::password, not_blank),
                       field("first_name", &FirstPerson::first_name), field("last_name", &FirstPerson::last_name),
                       field("site_name", &FirstPerson::site_name), field("password_confirm", &FirstPerson::password_confirm));
  }
};

struct Preferences {
  std::optional<std::string> site_name, site_locale;
  static constexpr auto fields() { return json_fields(field("site_name", &Preferences::site_name), field("site_locale", &Preferences::site_locale)); }
};

struct FirstDatabase {
  std::string name, engine;
  json::object details;
  std::optional<bool> is_full_sync, is_on_demand, auto_run_queries;
  static constexpr auto fields() {
    return json_fields(field("name", &FirstDatabase::name, not_blank), field("engine", &FirstDatabase::engine, not_blank), field("details", &FirstDatabase::details),
                       field("is_full_sync", &FirstDatabase::is_full_sync), field("is_on_demand", &FirstDatabase::is_on_demand),
                       field("auto_run_queries", &FirstDatabase::auto_run_queries));
  }
};

struct SetUp {
  std::string token;
  FirstPerson user;
  std::optional<Preferences> prefs;
  std::optional<FirstDatabase> database;
  static constexpr auto fields() {
    return json_fields(field("token", &SetUp::token), field("user", &SetUp::user), field("prefs", &SetUp::prefs), field("database", &SetUp::database));
  }
};

std::int64_t people(appdb::Connection& connection) { return connection.count("SELECT count(*) FROM person WHERE kind = 'personal'"); }

bool token_matches(Services& services, const std::string& token) {
  auto expected = services.settings.text("setup-token");
  return !expected.empty() && equal_in_constant_time(expected, token);
}

Failure wrong_token() { return bad_field("token", "Token does not match the setup token."); }
Failure already_set_up() { return Failure(FailureKind::Forbidden, "The /api/setup route can only be used to create the first user, however a user currently exists."); }

http::Response set_up(Services& services, const http::Request& request, const SetUp& wanted) {
  if (!token_matches(services, wanted.token)) {
    if (wanted.token.empty()) throw bad_field("token", "This server wants its set-up token: open /setup?token=… with the token that it was started with.");
    throw wrong_token();
  }
  services.passwords.require_good(wanted.user.password);
  if (wanted.user.password_confirm && *wanted.user.password_confirm != wanted.user.password) throw bad_field("password_confirm", "passwords do not match.");
  if (services.store.read(people) > 0) throw already_set_up();
  auto hash = services.passwords.hash(wanted.user.password);
  auto email = wanted.user.email;
  for (char& c : email) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  auto now = services.clock.now();
  auto name = wanted.prefs && wanted.prefs->site_name ? wanted.prefs->site_name : wanted.user.site_name;
  PersonId person = services.store.write([&](appdb::Connection& connection) {
    // Of two set-ups at once the second one finds the first's person.
    if (people(connection) > 0) throw already_set_up();
    PersonId id(connection.insert("person", {{"email", email}, {"first_name", wanted.user.first_name}, {"last_name", wanted.user.last_name}, {"password_hash", hash},
                                             {"is_administrator", true}, {"is_active", true}, {"kind", "personal"}, {"created_at", now}, {"updated_at", now},
                                             {"joined_at", now}, {"entity_id", entity_id()}}));
    connection.insert_rows("group_membership", {"person_id", "group_id"}, {{id, permissions::all_users}, {id, permissions::administrators}});
    permissions::grant_new_store(connection);
    connection.execute("DELETE FROM setting WHERE key = 'setup-token'");
    return id;
  });
  services.settings.reload();
  services.permissions.forget();
  // The person is there: what goes wrong from here on is told in the log and can be done later.
  auto set = [&](const char* key, const std::optional<std::string>& value) {
    if (!value || value->empty() || services.settings.fixed_by(key)) return;
    try {
      services.settings.change(key, json::value(*value));
    } catch (const Failure& failure) {
      log::warning("setting left as it was", {{"key", key}, {"sentence", failure.sentence()}});
    }
  };
  set("site-name", name);
  if (wanted.prefs) set("site-locale", wanted.prefs->site_locale);
  set("admin-email", email);
  set("instance-creation", to_text(now));
  if (services.settings.text("site-url").empty()) {
    auto host = request.header("x-forwarded-host");
    if (!host) host = request.header("host");
    if (host) set("site-url", (request.is_https ? "https://" : "http://") + std::string(*host));
  }
  if (wanted.database) {
    NewDatabase database{.name = wanted.database->name, .engine = wanted.database->engine, .details = wanted.database->details, .creator = person};
    database.is_full_sync = wanted.database->is_full_sync.value_or(true);
    database.is_on_demand = wanted.database->is_on_demand.value_or(false);
    database.auto_run_queries = wanted.database->auto_run_queries.value_or(true);
    try {
      add_database(services, database);
    } catch (const Failure& failure) {
      log::warning("the first database was not added", {{"sentence", failure.sentence()}});
    }
  }
  auto made = services.sessions.create(person, request);
  auto response = http::Response::json(json::object{{"id", made.key}});
  for (auto& header : services.sessions.cookies(made, request, session::Remember::No)) response.headers.push_back(header);
  return response;
}

// One item of the checklist. The first one that is open is the next step.
json::object task(const char* title, const char* group, const char* description, const char* link, bool completed) {
  return {{"title", title}, {"group", group}, {"description", description}, {"link", link}, {"completed", completed}, {"triggered", true}, {"is_next_step", false}};
}

json::value checklist(Services& services) {
  struct Counts { bool database, people, dashboard, card; };
  auto there = services.store.read([](appdb::Connection& connection) {
    return Counts{connection.count("SELECT count(*) FROM \"database\" WHERE is_sample = ?", {false}) > 0, people(connection) > 1,
                  connection.count("SELECT count(*) FROM dashboard") > 0, connection.count("SELECT count(*) FROM card") > 0};
  });
  json::array connect{task("Add a database", "Get connected", "Connect to your data so that your team can start to explore.", "/admin/databases/create", there.database),
                      task("Invite people", "Get connected", "Share answers and data with the rest of your team.", "/admin/people", there.people)};
  json::array create{task("Ask a question", "Get started", "Questions are the blocks dashboards are made of.", "/question/new", there.card),
                     task("Make a dashboard", "Get started", "Put what matters on one page.", "/", there.dashboard)};
  bool found = false;
  for (auto* list : {&connect, &create}) {
    for (auto& one : *list) {
      auto& item = one.as_object();
      if (found || item["completed"].as_bool()) continue;
      item["is_next_step"] = found = true;
    }
  }
  return json::array{json::object{{"name", "Get connected"}, {"tasks", std::move(connect)}}, json::object{{"name", "Get started"}, {"tasks", std::move(create)}}};
}

}  // namespace

void prepare_setup(Services& services, const std::string& given) {
  auto keep = [&](const char* key, const std::string& value) {
    services.settings.change(key, json::value(value));
  };
  if (services.settings.text("site-uuid").empty()) keep("site-uuid", uuid4());
  if (services.store.read(people) > 0 || services.settings.fixed_by("setup-token")) return;
  auto current = services.settings.text("setup-token");
  if (!given.empty() ? current != given : current.empty()) keep("setup-token", given.empty() ? uuid4() : given);
}

void add_setup_routes(http::Routes& routes, Services& services) {
  routes.in_feature("setup");
  routes.post("/api/setup", [&services](http::Request& request, const SetUp& wanted) { return set_up(services, request, wanted); })
      .open().runs_on(http::Pool::Hashing).body_up_to(256 << 10).summary("Create the first administrator, with the one-time set-up token.");

  routes.get("/api/setup/user_defaults", [&services](http::Request& request) {
    if (!token_matches(services, request.query_value("token").value_or(""))) throw forbidden();
    return json::value(json::object{{"token", *request.query_value("token")}, {"user", json::object{{"email", nullptr}, {"first_name", nullptr}, {"last_name", nullptr}, {"site_name", nullptr}}}});
  }).open().summary("What the set-up page may fill in beforehand.");

  routes.get("/api/setup/admin_checklist", [&services](http::Request&) { return checklist(services); }).administrator().summary("What an administrator may want to do next.");
}

}  // namespace basalt::features
