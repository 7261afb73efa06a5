#include "features/session_api/session_api.h"

#include "base/log.h"
#include "session/password_resets.h"
#include "session/passwords.h"
#include "session/sessions.h"
#include "session/sign_in_throttle.h"

namespace basalt::features {
namespace {

struct SignIn {
  std::string username, password;
  std::optional<bool> remember;
  static constexpr auto fields() {
    return json_fields(field("username", &SignIn::username, not_blank), field("password", &SignIn::password, not_blank), field("remember", &SignIn::remember));
  }
};

struct ForgottenPassword {
  std::string email;
  static constexpr auto fields() { return json_fields(field("email", &ForgottenPassword::email, email_address)); }
};

struct NewPassword {
  std::string token, password;
  static constexpr auto fields() { return json_fields(field("token", &NewPassword::token, not_blank), field("password", &NewPassword::password, not_blank)); }
};

struct PasswordToCheck {
  std::string password;
  static constexpr auto fields() { return json_fields(field("password", &PasswordToCheck::password)); }
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

Failure refused(std::string field, std::string sentence) {
  return Failure(FailureKind::SignInNeeded, sentence).with_field(std::move(field), sentence);
}

http::Response with_session(Services& services, PersonId person, const http::Request& request, session::Remember remember, json::object body, const char* key) {
  auto made = services.sessions.create(person, request);
  body[key] = made.key;
  auto response = http::Response::json(body);
  for (auto& header : services.sessions.cookies(made, request, remember)) response.headers.push_back(header);
  return response;
}

http::Response sign_in(Services& services, const http::Request& request, const SignIn& wanted) {
  if (!services.settings.flag("enable-password-login")) throw refused("_error", "Signing in with a password is switched off on this server.");
  session::SignInThrottle throttle(services.store, services.clock);
  auto email = lower(wanted.username);
  if (auto wait = throttle.wait(email, request.remote_address)) throw refused("username", session::SignInThrottle::sentence(*wait));
  struct Person { PersonId id; std::string hash; bool active; };
  auto person = services.store.read([&](appdb::Connection& connection) -> std::optional<Person> {
    auto row = connection.query_one("SELECT id, password_hash, is_active FROM person WHERE email = ? AND kind = 'personal'", {email});
    if (!row) return std::nullopt;
    return Person{row->id<PersonId>("id"), row->optional_text("password_hash").value_or(""), row->boolean("is_active")};
  });
  bool right = false;
  if (person && !person->hash.empty()) right = services.passwords.verify(wanted.password, person->hash);
  else services.passwords.spend_time(wanted.password);  // an unknown person takes as long as a wrong password
  if (!right) {
    throttle.failed(email, request.remote_address);
    throw refused("password", "did not match stored password");
  }
  // Told only to those who know the password.
  if (!person->active) throw refused("_error", "Your account is disabled.");
  throttle.succeeded(email);
  if (!person->hash.starts_with("$argon2id$")) {
    // Taken over with an older hash: from now on with ours.
    auto hash = services.passwords.hash(wanted.password);
    services.store.write([&](appdb::Connection& connection) { connection.update("person", {{"password_hash", hash}}, "id", person->id); });
  }
  return with_session(services, person->id, request, wanted.remember.value_or(false) ? session::Remember::Yes : session::Remember::No, {}, "id");
}

http::Response reset_password(Services& services, const http::Request& request, const NewPassword& wanted) {
  session::PasswordResets resets(services.store, services.clock);
  auto invalid = [] { return bad_field("password", "Invalid reset token"); };
  if (!resets.person_of(wanted.token)) throw invalid();
  services.passwords.require_good(wanted.password);
  auto hash = services.passwords.hash(wanted.password);
  auto person = services.store.write([&](appdb::Connection& connection) {
    auto found = resets.redeem(connection, wanted.token);
    if (!found) throw invalid();
    connection.update("person", {{"password_hash", hash}, {"updated_at", services.clock.now()}}, "id", *found);
    auto row = connection.query_one("SELECT email FROM person WHERE id = ?", {*found});
    connection.execute("DELETE FROM sign_in_failure WHERE identity = ?", {row->text("email")});
    return *found;
  });
  services.sessions.end_all_of(person);
  return with_session(services, person, request, session::Remember::No, {{"success", true}}, "session_id");
}

}  // namespace

void add_session_routes(http::Routes& routes, Services& services) {
  routes.in_feature("session");
  routes.post("/api/session", [&services](http::Request& request, const SignIn& wanted) { return sign_in(services, request, wanted); })
      .open().runs_on(http::Pool::Hashing).body_up_to(64 << 10).summary("Sign in with e-mail and password.");

  routes.del("/api/session", [&services](http::Request& request) {
    if (!services.sessions.end(request)) throw not_found();
    auto response = http::Response::no_content();
    for (auto& header : services.sessions.no_cookies(request)) response.headers.push_back(header);
    return response;
  }).open().summary("Sign out.");

  routes.post("/api/session/forgot_password", [&services](http::Request& request, const ForgottenPassword& wanted) {
    // The same answer for everybody. Mail is not there yet: an administrator hands the link over (`basalt reset-password`).
    session::SignInThrottle throttle(services.store, services.clock);
    auto identity = "forgot:" + lower(wanted.email);
    if (throttle.wait(identity, request.remote_address)) return;
    throttle.failed(identity, request.remote_address);
    log::info("A password reset was asked for. Mail is not set up: `basalt reset-password` makes a link.");
  }).open().body_up_to(64 << 10).summary("Ask for a link to set a new password.");

  routes.post("/api/session/reset_password", [&services](http::Request& request, const NewPassword& wanted) { return reset_password(services, request, wanted); })
      .open().runs_on(http::Pool::Hashing).body_up_to(64 << 10).summary("Set a new password with the token of a reset link.");

  routes.get("/api/session/password_reset_token_valid", [&services](http::Request& request) {
    auto token = request.query_value("token");
    if (!token) throw bad_field("token", "value must be a non-blank string.");
    session::PasswordResets resets(services.store, services.clock);
    return json::value(json::object{{"valid", resets.person_of(*token).has_value()}});
  }).open().summary("Is the token of a reset link still good?");

  auto check = [&services](http::Request&, const PasswordToCheck& wanted) {
    services.passwords.require_good(wanted.password);
    return json::value(json::object{{"valid", true}});
  };
  routes.post("/api/session/password-check", check).open().body_up_to(64 << 10).summary("Is this password good enough?");
  routes.post("/api/util/password_check", check).open().body_up_to(64 << 10).summary("The same, under its former name.");

  routes.post("/api/session/google_auth", [](http::Request&) -> http::Response {
    throw Failure(FailureKind::BadRequest, "Signing in with Google is not set up on this server.");
  }).open().body_up_to(64 << 10).summary("Sign in with Google: not available.");
}

}  // namespace basalt::features
