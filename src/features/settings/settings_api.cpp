#include "features/settings/settings_api.h"

namespace basalt::features {
namespace {

std::string environment_name(std::string_view key) {
  std::string name = "MB_";
  for (char c : key) {
    if (c == '?') continue;
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return name;
}

json::object setting_json(Settings& settings, const SettingDefinition& definition) {
  auto variable = settings.fixed_by(definition.key);
  // A value from outside is not repeated, as secrets mostly come that way; a stored default is the same as none.
  json::value value = nullptr;
  if (variable ? !definition.secret : !settings.is_default(definition.key)) value = settings.shown(definition);
  return {{"key", definition.key}, {"value", std::move(value)}, {"is_env_setting", variable.has_value()},
          {"env_name", variable.value_or(environment_name(definition.key))}, {"description", definition.description}, {"default", definition.default_value}};
}

const SettingDefinition& readable(const std::string& key, const http::Caller& caller) {
  auto* definition = Settings::definition(key);
  if (!definition || definition->reader == SettingReader::Nobody) throw not_found();
  if (definition->reader == SettingReader::Administrator && !caller.is_administrator) throw forbidden();
  return *definition;
}

// Settings that only the server itself reads are none of anybody's.
void require_changeable(std::string_view key) {
  auto* definition = Settings::definition(key);
  if (!definition || definition->reader == SettingReader::Nobody) throw Failure(FailureKind::NotFound, "There is no setting " + std::string(key.substr(0, 80)) + ".");
}

}  // namespace

void add_settings_routes(http::Routes& routes, Services& services) {
  auto& settings = services.settings;
  routes.in_feature("settings");
  routes.get("/api/session/properties", [&services](http::Request& request) {
    return http::Response::json(session_properties(services, request.caller_or_none.get()));
  }).open().summary("Settings and facts a client needs at its start; what is in it depends on who asks.");

  routes.get("/api/setting", [&settings](http::Request&) {
    json::array all;
    for (auto& definition : Settings::definitions()) {
      if (definition.reader != SettingReader::Nobody) all.push_back(setting_json(settings, definition));
    }
    return json::value(std::move(all));
  }).administrator().summary("All settings.");

  routes.get("/api/setting/:key", [&settings](http::Request& request) {
    auto value = settings.shown(readable(request.path_value("key"), request.caller()));
    return value.is_null() ? http::Response::no_content() : http::Response::json(value);
  }).summary("One setting's value; 204 when it has none.");

  routes.put("/api/setting", [&settings](http::Request& request) {
    auto body = request.json_body();
    auto* values = body.if_object();
    if (!values) throw Failure(FailureKind::BadRequest, "The body must be a map of settings.");
    for (auto& [key, value] : *values) require_changeable(key);
    settings.change(*values);
  }).administrator().summary("Change several settings.");

  routes.put("/api/setting/:key", [&settings](http::Request& request) {
    auto body = request.json_body();
    auto* object = body.if_object();
    if (!object || !object->contains("value")) throw bad_field("value", "value must be given; null resets the setting.");
    require_changeable(request.path_value("key"));
    settings.change(request.path_value("key"), object->at("value"));
  }).administrator().summary("Change one setting; null resets it.");

  // The name that older clients have for it.
  routes.get("/api/setting/driver/report-timezone", [&settings](http::Request& request) {
    auto value = settings.shown(readable("report-timezone", request.caller()));
    return value.is_null() ? http::Response::no_content() : http::Response::json(value);
  }).summary("The same as report-timezone.");
  routes.put("/api/setting/driver/report-timezone", [&settings](http::Request& request) {
    auto body = request.json_body();
    auto* object = body.if_object();
    if (!object || !object->contains("value")) throw bad_field("value", "value must be given; null resets the setting.");
    settings.change("report-timezone", object->at("value"));
  }).administrator().summary("The same as report-timezone.");

  routes.put("/api/email", [&settings](http::Request& request) {
    auto body = request.json_body();
    json::object changes, now;
    constexpr const char* keys[] = {"email-smtp-host", "email-smtp-port", "email-smtp-security", "email-smtp-username", "email-smtp-password", "email-from-address", "email-from-name", "email-reply-to"};
    auto* object = body.if_object();
    for (auto* key : keys) {
      if (object && object->contains(key)) changes[key] = object->at(key);
    }
    settings.change(changes);
    for (auto* key : keys) now[key] = settings.shown(*Settings::definition(key));
    now["with-corrections"] = json::object();
    return json::value(std::move(now));
  }).administrator().summary("Settings of the mail server.");

  routes.del("/api/email", [&settings](http::Request&) {
    for (auto& definition : Settings::definitions()) {
      if (definition.key.starts_with("email-") && !settings.fixed_by(definition.key)) settings.change(definition.key, nullptr);
    }
  }).administrator().summary("Forget the mail server.");
}

}  // namespace basalt::features
