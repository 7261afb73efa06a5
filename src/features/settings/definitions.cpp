#include <algorithm>

#include "base/json_fields.h"
#include "features/settings/settings.h"

namespace basalt::features {
namespace {

using Reader = SettingReader;

bool is_text(const json::value& v) { return v.is_string(); }

const char* site_url(const json::value& v) {
  if (!is_text(v)) return "value must be a URL, e.g. https://bi.example.com.";
  std::string_view url = v.get_string();
  bool right = (url.starts_with("http://") || url.starts_with("https://")) && url.size() > 8 && url.size() < 500 && url.find_first_of(" \t\r\n\"<>") == std::string_view::npos;
  return right ? nullptr : "value must be a URL, e.g. https://bi.example.com.";
}
const char* weekday(const json::value& v) {
  for (auto* day : {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}) {
    if (is_text(v) && v.get_string() == day) return nullptr;
  }
  return "value must be a day of the week, e.g. monday.";
}
const char* humanization(const json::value& v) {
  return is_text(v) && (v.get_string() == "simple" || v.get_string() == "none") ? nullptr : "value must be simple or none.";
}
const char* user_visibility(const json::value& v) {
  return is_text(v) && (v.get_string() == "all" || v.get_string() == "group" || v.get_string() == "none") ? nullptr : "value must be all, group or none.";
}
const char* smtp_security(const json::value& v) {
  for (auto* known : {"none", "ssl", "tls", "starttls"}) {
    if (is_text(v) && v.get_string() == known) return nullptr;
  }
  return "value must be none, ssl, tls or starttls.";
}
const char* time_zone(const json::value& v) {
  if (!is_text(v)) return "value must be a time zone, e.g. Europe/Berlin.";
  std::string_view name = v.get_string();
  if (name.empty()) return nullptr;
  bool right = name.size() < 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '_' || c == '+' || c == '-'; });
  return right ? nullptr : "value must be a time zone, e.g. Europe/Berlin.";
}
const char* email_or_empty(const json::value& v) { return is_text(v) && v.get_string().empty() ? nullptr : email_address(v); }
const char* port(const json::value& v) {
  auto number = json::as_integer(v);
  return number && *number > 0 && *number < 65536 ? nullptr : "value must be a port, 1 to 65535.";
}
const char* row_limit(const json::value& v) {
  auto number = json::as_integer(v);
  return number && *number > 0 && *number <= 1'048'575 ? nullptr : "value must be an integer from 1 to 1048575.";
}
const char* embedding_key(const json::value& v) {
  bool right = is_text(v) && v.get_string().size() == 64 &&
               std::all_of(v.get_string().begin(), v.get_string().end(), [](unsigned char c) { return std::isxdigit(c); });
  return right ? nullptr : "value must be 64 hexadecimal characters.";
}

std::vector<SettingDefinition> make() {
  using json::object;
  std::vector<SettingDefinition> all = {
      // What everybody sees before signing in.
      {"application-colors", "Colours of charts and of the interface, by name.", object(), Reader::Public},
      {"application-favicon-url", "Address of the icon of the browser's tab.", "app/assets/img/favicon.ico", Reader::Public},
      {"application-font", "Font of the interface.", "Lato", Reader::Public},
      {"application-font-files", "Font files when the font is one of your own.", nullptr, Reader::Public},
      {"application-logo-url", "Address of the logo.", "app/assets/img/logo.svg", Reader::Public},
      {"application-name", "What the application calls itself.", "Basalt", Reader::Public},
      {"airgap-enabled", "Does the server run without a way to the internet?", false, Reader::Public},
      {"anon-tracking-enabled", "Always off: nothing is sent anywhere.", false, Reader::Public},
      {"bug-reporting-enabled", "Offer to send a report when something fails.", false, Reader::Public},
      {"check-for-updates", "Look for newer versions.", false, Reader::Administrator},
      {"custom-formatting", "Default formats of dates, numbers and currencies.", object(), Reader::Public},
      {"custom-geojson", "Maps of one's own, by name.", object(), Reader::Public},
      {"custom-homepage", "Show a dashboard instead of the home page.", false, Reader::Public},
      {"custom-homepage-dashboard", "Id of the dashboard shown as home page.", nullptr, Reader::Public, false, true, positive},
      {"default-maps-enabled", "Offer the built-in maps.", true, Reader::Public},
      {"embedding-app-origin", "Origin that may embed the whole application.", nullptr, Reader::Public},
      {"embedding-app-origins-interactive", "Origins that may embed the whole application.", nullptr, Reader::Public},
      {"embedding-app-origins-sdk", "Origins that may use the embedding SDK.", "", Reader::Public},
      {"enable-embedding", "Allow embedding.", false, Reader::Public},
      {"enable-embedding-interactive", "Allow embedding of the whole application.", false, Reader::Public},
      {"enable-embedding-sdk", "Allow embedding with the SDK.", false, Reader::Public},
      {"enable-embedding-simple", "Allow simple modular embedding.", false, Reader::Public},
      {"enable-embedding-static", "Allow signed embedding of questions and dashboards.", false, Reader::Public},
      {"enable-nested-queries", "Allow questions on top of questions.", true, Reader::Public},
      {"enable-password-login", "Allow sign-in with e-mail and password.", true, Reader::Public},
      {"enable-pivoted-exports", "Export pivot tables as shown.", true, Reader::Public},
      {"enable-public-sharing", "Allow links that anybody can open.", true, Reader::Public},
      {"enable-xrays", "Offer automatic explorations.", true, Reader::Public},
      {"google-auth-client-id", "Client id for signing in with Google.", nullptr, Reader::Public},
      {"google-auth-enabled", "Allow signing in with Google.", false, Reader::Public},
      {"help-link", "Where the help link leads: metabase, hidden or custom.", "metabase", Reader::Public},
      {"help-link-custom-destination", "Address of a help page of one's own.", "", Reader::Public},
      {"humanization-strategy", "How names of tables and columns are made readable: simple or none.", "simple", Reader::Public, false, true, humanization},
      {"instance-creation", "When this instance was set up.", nullptr, Reader::Public},
      {"landing-page", "Page shown after signing in.", "", Reader::Public},
      {"ldap-enabled", "Allow signing in through LDAP.", false, Reader::Public},
      {"loading-message", "What is said while results load.", "doing-science", Reader::Public},
      {"map-tile-server-url", "Address of the tiles of map backgrounds.", "https://tile.openstreetmap.org/{z}/{x}/{y}.png", Reader::Public},
      {"native-query-autocomplete-match-style", "How the SQL editor completes names: substring, prefix or off.", "substring", Reader::Public},
      {"persisted-models-enabled", "Keep results of models in their database.", false, Reader::Public},
      {"report-timezone", "Time zone of dates in results; empty: UTC.", nullptr, Reader::Public, false, true, time_zone},
      {"search-typeahead-enabled", "Search while typing.", true, Reader::Public},
      {"session-cookies", "End sessions when the browser closes.", nullptr, Reader::Public},
      {"show-homepage-data", "Show data on the home page.", true, Reader::SignedIn},
      {"show-homepage-xrays", "Show automatic explorations on the home page.", true, Reader::SignedIn},
      {"show-metabase-links", "Show links to documentation.", true, Reader::Public},
      {"show-metabot", "Show the greeting on the home page.", true, Reader::Public},
      {"site-locale", "Language of the site for people who chose none.", "en", Reader::Public, false, true, not_blank},
      {"site-name", "Name of the site, in titles and messages.", "Basalt", Reader::Public, false, true, not_blank},
      {"site-url", "Address under which people reach the site, e.g. https://bi.example.com.", nullptr, Reader::Public, false, true, site_url},
      {"site-uuid", "Random id of this instance.", nullptr, Reader::Nobody},
      {"start-of-week", "First day of a week.", "sunday", Reader::Public, false, true, weekday},
      {"setup-token", "One-time token of the set-up page.", nullptr, Reader::Nobody},
      {"uploads-settings", "Where uploaded files go.", object{{"db_id", nullptr}, {"schema_name", nullptr}, {"table_prefix", nullptr}}, Reader::Public},
      // For administrators.
      {"admin-email", "Whom people turn to for help.", nullptr, Reader::SignedIn, false, true, email_or_empty},
      {"aggregated-query-row-limit", "Most rows of a summarized result.", nullptr, Reader::SignedIn, false, true, row_limit},
      {"breakout-bin-width", "Width of bins of coordinates, in degrees.", 10.0, Reader::SignedIn},
      {"breakout-bins-num", "Number of bins of numbers.", 8, Reader::SignedIn, false, true, positive},
      {"email-from-address", "Sender of mails.", "", Reader::Administrator, false, true, email_or_empty},
      {"email-from-name", "Name of the sender of mails.", nullptr, Reader::Administrator},
      {"email-reply-to", "Addresses that answers go to.", nullptr, Reader::Administrator},
      {"email-smtp-host", "Host of the mail server.", nullptr, Reader::Administrator},
      {"email-smtp-password", "Password at the mail server.", nullptr, Reader::Administrator, true},
      {"email-smtp-port", "Port of the mail server.", nullptr, Reader::Administrator, false, true, port},
      {"email-smtp-security", "Encryption towards the mail server: none, ssl, tls or starttls.", "none", Reader::Administrator, false, true, smtp_security},
      {"email-smtp-username", "User at the mail server.", nullptr, Reader::Administrator},
      {"embedding-secret-key", "Key that signs embedded objects.", nullptr, Reader::Administrator, true, false, embedding_key},
      {"premium-embedding-token", "Not used: there is nothing to buy.", nullptr, Reader::Administrator, true},
      {"unaggregated-query-row-limit", "Most rows of a result that is not summarized.", nullptr, Reader::SignedIn, false, true, row_limit},
      {"user-visibility", "Which other people someone may see: all, group or none.", "all", Reader::Administrator, false, true, user_visibility},
      {"version-info", "What is known of newer versions.", nullptr, Reader::Administrator},
  };
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.key < b.key; });
  return all;
}

}  // namespace

const std::vector<SettingDefinition>& Settings::definitions() {
  static const std::vector<SettingDefinition> all = make();
  return all;
}

const SettingDefinition* Settings::definition(std::string_view key) {
  auto& all = definitions();
  auto found = std::lower_bound(all.begin(), all.end(), key, [](auto& one, std::string_view wanted) { return one.key < wanted; });
  return found != all.end() && found->key == key ? &*found : nullptr;
}

}  // namespace basalt::features
