#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "base/version.h"
#include "features/settings/settings_api.h"
#include "session/passwords.h"

namespace basalt::features {
namespace {

// Names of the system's time zone database; a short list where there is none.
const json::array& time_zones() {
  static const json::array zones = [] {
    std::vector<std::string> names;
    std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
    for (std::string line; std::getline(file, line);) {
      // "Z Europe/Berlin …" is a zone, "L Europe/Berlin Europe/Stockholm" another name of one.
      if (line.starts_with("Z ")) names.push_back(line.substr(2, line.find(' ', 2) - 2));
      else if (line.starts_with("L ")) names.push_back(line.substr(line.find(' ', 2) + 1));
    }
    if (names.empty()) {
      names = {"Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "America/Bogota", "America/Chicago", "America/Denver", "America/Los_Angeles",
               "America/Mexico_City", "America/New_York", "America/Sao_Paulo", "America/Toronto", "Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta",
               "Asia/Kolkata", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin",
               "Europe/Istanbul", "Europe/London", "Europe/Madrid", "Europe/Moscow", "Europe/Paris", "Europe/Rome", "Europe/Warsaw", "Pacific/Auckland", "UTC"};
    }
    std::sort(names.begin(), names.end());
    json::array out;
    for (auto& name : names) out.push_back(json::value(name));
    return out;
  }();
  return zones;
}

// The day this binary was built, as far as its file knows.
std::string build_date() {
  struct stat about{};
  if (::stat("/proc/self/exe", &about) != 0) return "";
  std::tm parts{};
  gmtime_r(&about.st_mtime, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

json::object paid_features() {
  json::object features;
  for (auto* name : {"advanced_permissions", "ai_sql_fixer", "ai_sql_generation", "attached_dwh", "audit_app", "cache_granular_controls", "cache_preemptive",
                     "collection_cleanup", "config_text_file", "content_translation", "content_verification", "dashboard_subscription_filters", "database_auth_providers",
                     "database_routing", "development-mode", "disable_password_login", "documents", "email_allow_list", "email_restrict_recipients", "embedding",
                     "embedding_sdk", "embedding_simple", "etl_connections", "hosting", "library", "metabot_v3", "no_upsell", "official_collections", "offer_metabase_ai",
                     "query_reference_validation", "remote_sync", "sandboxes", "scim", "semantic_search", "serialization", "session_timeout_config", "snippet_collections",
                     "sso_google", "sso_jwt", "sso_ldap", "sso_saml", "table_data_editing", "tenants", "transforms", "upload_management", "whitelabel"}) {
    features[name] = false;
  }
  return features;
}

json::object engines(const drivers::Drivers& drivers) {
  json::object out;
  for (auto& driver : drivers.all()) {
    json::array fields;
    for (auto& field : driver->detail_fields()) {
      json::object one{{"name", field.name}, {"display-name", field.display_name}, {"type", field.type}, {"required", field.required}};
      if (!field.default_value.is_null()) one["default"] = field.default_value;
      if (!field.placeholder.empty()) one["placeholder"] = field.placeholder;
      if (!field.helper_text.empty()) one["helper-text"] = field.helper_text;
      if (!field.options.empty()) {
        json::array options;
        for (auto& [value, label] : field.options) options.push_back(json::object{{"name", label}, {"value", value}});
        one["options"] = std::move(options);
      }
      fields.push_back(std::move(one));
    }
    out[driver->name()] = json::object{{"driver-name", driver->display_name()}, {"superseded-by", nullptr},
                                       {"source", json::object{{"type", "official"}, {"contact", nullptr}}},
                                       {"details-fields", std::move(fields)}, {"extra-info", nullptr}};
  }
  return out;
}

}  // namespace

json::object session_properties(Services& services, const http::Caller* caller) {
  auto& settings = services.settings;
  json::object out;
  for (auto& definition : Settings::definitions()) {
    bool visible = definition.reader == SettingReader::Public || (caller && definition.reader == SettingReader::SignedIn) ||
                   (caller && caller->is_administrator && definition.reader == SettingReader::Administrator);
    if (visible) out[definition.key] = settings.shown(definition);
  }
  bool set_up = services.store.read([](appdb::Connection& connection) { return connection.count("SELECT count(*) FROM person WHERE kind = 'personal'") > 0; });
  out["has-user-setup"] = set_up;
  // One that was given is for those who know it, so that no stranger is the first to set up. By the name that people have from a
  // Metabase it is told, as there: their scripts ask for it.
  auto given = settings.fixed_by("setup-token");
  out["setup-token"] = set_up || (given && !given->starts_with("MB_")) ? json::value(nullptr) : settings.value("setup-token");
  static const std::string built = build_date();
  out["version"] = json::object{{"tag", api_level}, {"date", built}, {"hash", "basalt-" + version()}, {"branch", "main"}};
  out["basalt-version"] = version();
  out["token-features"] = paid_features();
  out["password-complexity"] = services.passwords.rules().to_json();
  out["available-locales"] = json::array{json::array{"en", "English"}, json::array{"de", "Deutsch"}};
  out["available-timezones"] = time_zones();
  out["available-fonts"] = json::array{"Lato"};
  out["engines"] = engines(services.drivers);
  auto zone = settings.text("report-timezone");
  out["report-timezone-long"] = zone.empty() ? "UTC" : zone;
  out["report-timezone-short"] = zone.empty() ? "UTC" : zone;
  out["email-configured?"] = !settings.text("email-smtp-host").empty();
  out["is-hosted?"] = false;
  out["startup-time-millis"] = 0;
  if (caller) out["site-uuid"] = settings.value("site-uuid");
  return out;
}

}  // namespace basalt::features
