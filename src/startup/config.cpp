#include "startup/config.h"

#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/failure.h"

extern char** environ;

namespace basalt::startup {
namespace {

std::string upper(std::string_view name) {
  std::string out;
  for (char c : name) out += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t old = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = old;
    }
  }
  return row[b.size()];
}

std::string percent_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') out += static_cast<char>(c);
    else { out += '%'; out += digits[c >> 4]; out += digits[c & 15]; }
  }
  return out;
}

// The YAML file: flat keys as the options are called; `settings:` holds settings by their key.
void read_file(const std::string& path, std::map<std::string, std::string>& options, std::map<std::string, json::value>& settings) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    throw Failure(FailureKind::BadRequest, "The configuration file " + path + " cannot be read.");
  } catch (const YAML::Exception& e) {
    throw Failure(FailureKind::BadRequest, "The configuration file " + path + " is not YAML: line " + std::to_string(e.mark.line + 1) + ".");
  }
  if (root.IsNull()) return;
  if (!root.IsMap()) throw Failure(FailureKind::BadRequest, "The configuration file " + path + " must be a map of options.");
  for (auto item : root) {
    auto key = item.first.as<std::string>();
    if (key == "settings") {
      for (auto setting : item.second) {
        auto text = setting.second.IsScalar() ? setting.second.Scalar() : std::string();
        auto parsed = json::try_parse(text);
        settings[setting.first.as<std::string>()] = parsed && setting.second.Tag() != "!" ? *parsed : json::value(text);
      }
    } else if (item.second.IsScalar()) {
      options[key] = item.second.Scalar();
    } else {
      throw Failure(FailureKind::BadRequest, "In the configuration file " + path + ", " + key + " must be a plain value.");
    }
  }
}

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::Debug;
  if (name == "info") return log::Level::Info;
  if (name == "warning" || name == "warn") return log::Level::Warning;
  if (name == "error") return log::Level::Error;
  throw Failure(FailureKind::BadRequest, "The option log-level must be debug, info, warning or error; it is \"" + name + "\".");
}

}  // namespace

std::string variable_of(const std::string& option) { return "BASALT_" + upper(option); }

std::string secret_in_file(const std::string& path, const std::string& variable) {
  std::ifstream in(path, std::ios::binary);
  std::string text(4097, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.gcount() == 0 && !in.eof())) throw Failure(FailureKind::BadRequest, "The file " + path + " that " + variable + " names cannot be read.");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > 4096) throw Failure(FailureKind::BadRequest, "The file " + path + " that " + variable + " names is longer than 4096 bytes; it must hold one secret.");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) throw Failure(FailureKind::BadRequest, "The file " + path + " that " + variable + " names is empty.");
  return text;
}

const std::vector<OptionDefinition>& option_definitions() {
  static const std::vector<OptionDefinition> definitions = [] {
    std::string default_directory = ::geteuid() == 0 && std::filesystem::exists("/var/lib/basalt") ? "/var/lib/basalt" : "./basalt-data";
    return std::vector<OptionDefinition>{
        {"address", {"MB_JETTY_HOST"}, "127.0.0.1", "Address to listen on; 0.0.0.0 for every network."},
        {"air-gapped", {}, "false", "Never look anything up outside: no release feed over the network."},
        {"automigrate", {"MB_DB_AUTOMIGRATE"}, "true", "Migrate the application database at start; false stops with the plan."},
        {"backup-keep", {}, "5", "How many scheduled backups are kept besides one for every version that can still be reached."},
        {"backup-passphrase", {}, "", "Encrypts backups; without it they cannot be read again, so keep it where they are not.", true},
        {"backup-schedule", {}, "02:30", "When a backup is made by itself: a time of day in UTC (02:30), a distance (6h), a schedule (\"0 30 2 * * ? *\"), or off."},
        {"bake-time", {}, "60", "Minutes that a new schema must have served beside no older node before an upgrade is finalised; a lone node does not wait."},
        {"config-file", {"MB_CONFIG_FILE_PATH"}, "", "YAML file with any of these options, and `settings:` by their key."},
        {"data-dir", {}, default_directory, "Where the embedded application database, its backups and temporary files live.", false, "`/var/lib/basalt` as root where it exists, else `./basalt-data`"},
        {"database-uri", {"MB_DB_CONNECTION_URI", "DATABASE_URL"}, "", "PostgreSQL for the application database, e.g. postgres://user@host/name; empty: SQLite in the data directory.", true},
        {"db-dbname", {"MB_DB_DBNAME", "RDS_DB_NAME"}, "", "PostgreSQL by parts: database name."},
        {"db-file", {"MB_DB_FILE"}, "", "File of the embedded application database; empty: basalt.db in the data directory."},
        {"db-host", {"MB_DB_HOST", "RDS_HOSTNAME"}, "", "PostgreSQL by parts: host."},
        {"db-pass", {"MB_DB_PASS", "RDS_PASSWORD"}, "", "PostgreSQL by parts: password.", true},
        {"db-port", {"MB_DB_PORT", "RDS_PORT"}, "", "PostgreSQL by parts: port."},
        {"db-type", {"MB_DB_TYPE"}, "", "sqlite or postgres; needed only with the db-… parts."},
        {"db-user", {"MB_DB_USER", "RDS_USERNAME"}, "", "PostgreSQL by parts: user."},
        {"db-schema", {}, "basalt", "PostgreSQL: schema for everything that is Basalt's."},
        {"drain-notice", {}, "0", "Seconds that a stopping server goes on as before, but for /readyz, so that a load balancer takes it out first."},
        {"drain-time", {}, "30", "Seconds that running requests get to finish when the server stops."},
        {"duckdb-memory", {}, "512", "Megabytes that DuckDB may use before it spills to disk."},
        {"encryption-secret-key", {"MB_ENCRYPTION_SECRET_KEY"}, "", "Encrypts connection details and secret settings at rest; 16 characters or more.", true},
        {"ephemeral", {}, "false", "Allow a new application database inside a container's own layer, where it is lost with the container."},
        {"listen-early", {}, "true", "Listen and show the progress while starting; false: listen when ready, for balancers that only notice a closed port."},
        {"load-sample-content", {"MB_LOAD_SAMPLE_CONTENT"}, "true", "Make the sample database and dashboard on the very first start."},
        {"log-format", {"MB_LOG_FORMAT"}, "text", "text or json (one object per line)."},
        {"log-level", {"MB_LOG_LEVEL"}, "info", "debug, info, warning or error."},
        {"node-name", {}, "", "What this node is called among several on one PostgreSQL; empty: host name and port."},
        {"password-complexity", {"MB_PASSWORD_COMPLEXITY"}, "normal", "weak, normal or strong."},
        {"password-length", {"MB_PASSWORD_LENGTH"}, "", "Shortest password allowed; overrides the length of password-complexity."},
        {"port", {"MB_JETTY_PORT", "PORT"}, "3000", "Port to listen on; 0 takes any free one."},
        {"query-timeout", {"MB_DB_QUERY_TIMEOUT_MINUTES"}, "20", "Minutes after which a query is stopped in its database."},
        {"release-ca-file", {}, "", "PEM file with certificates that are trusted for the release feed besides the system's."},
        {"release-feed", {}, "", "Folder, file or http(s) address of the releases.json that lists the versions of Basalt; empty: no look-up."},
        {"release-root", {}, "", "File root.json of the makers whose releases are trusted; empty: the one that this program was built with."},
        {"scheduled-jobs", {}, "true", "Do on this node what is scheduled: syncs, backups, clearing up."},
        {"session-age", {"MAX_SESSION_AGE", "MB_SESSION_AGE"}, "20160", "Minutes that a session lasts."},
        {"setup-token", {"MB_SETUP_TOKEN"}, "", "Token without which nobody can set the server up: open /setup?token=…; empty: the set-up page is open until somebody uses it.", true},
        {"start-patience", {}, "60", "Seconds that a new server process beneath `basalt launch` may go without any progress before the old one is left in its place."},
        {"tls-certificate", {"MB_JETTY_SSL_CERTIFICATE"}, "", "PEM file with the certificate chain; with tls-key the server speaks HTTPS."},
        {"tls-key", {}, "", "PEM file with the certificate's private key."},
        {"trusted-proxies", {}, "127.0.0.1,::1", "Peers whose X-Forwarded-For and X-Forwarded-Proto are believed."},
        {"upgrade-observe", {}, "60", "Seconds that a new version is watched after it took over; when it is worse than the one before, that one comes back by itself."},
        {"upgrade-policy", {}, "notify", "What happens by itself beneath `basalt launch`: off (nothing is looked up), notify (administrators are told), minor (security and minor releases install themselves), all."},
        {"upgrade-window", {}, "", "When upgrades that happen by themselves may: \"02:00-05:00\", \"Sun 02:00-05:00\", \"Mon,Wed 22:00-02:00 Europe/Berlin\"; UTC without a zone; empty: at any time."},
        {"versions-dir", {}, "", "Where `basalt launch` and `basalt upgrade` keep versions and what they know of them; empty: `versions` in the data directory."},
        {"workers", {}, "8", "Threads for requests that use the application database."},
        {"query-workers", {}, "24", "Threads for queries of connected databases."},
    };
  }();
  return definitions;
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry && *entry; ++entry) {
    std::string_view text(*entry);
    auto equals = text.find('=');
    if (equals != std::string_view::npos) out[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
  }
  return out;
}

std::string postgres_uri(const std::string& connection_uri) {
  std::string uri = connection_uri.starts_with("jdbc:") ? connection_uri.substr(5) : connection_uri;
  auto scheme_end = uri.find(':');
  auto scheme = uri.substr(0, scheme_end);
  if (scheme == "mysql" || scheme == "mariadb" || scheme == "h2")
    throw Failure(FailureKind::BadRequest, "The application database cannot live on " + scheme + "; use PostgreSQL (postgres://…) or leave the setting empty for the embedded one. `basalt upgrade plan` tells of a Metabase that lives there.");
  if (scheme != "postgres" && scheme != "postgresql")
    throw Failure(FailureKind::BadRequest, "The connection URI of the application database must begin with postgres:// or jdbc:postgresql://.");
  // JDBC keeps user and password, and options under other names, in the query; libpq takes the first two as they are.
  auto question = uri.find('?');
  if (question == std::string::npos) return uri;
  std::string out = uri.substr(0, question), query;
  std::string_view rest = std::string_view(uri).substr(question + 1);
  static const std::map<std::string, std::string, std::less<>> renamed{{"ssl", ""}, {"sslfactory", ""}, {"ApplicationName", "application_name"}, {"currentSchema", ""},
      {"loginTimeout", "connect_timeout"}, {"connectTimeout", "connect_timeout"}, {"tcpKeepAlive", "keepalives"}, {"socketTimeout", ""}, {"reWriteBatchedInserts", ""}, {"prepareThreshold", ""}};
  while (!rest.empty()) {
    auto amp = rest.find('&');
    auto pair = rest.substr(0, amp);
    rest = amp == std::string_view::npos ? std::string_view() : rest.substr(amp + 1);
    auto equals = pair.find('=');
    std::string name(pair.substr(0, equals)), value(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (name == "ssl" && value == "true") { name = "sslmode"; value = "require"; }
    if (auto found = renamed.find(name); found != renamed.end()) {
      if (found->second.empty()) continue;
      name = found->second;
      if (name == "keepalives") value = value == "false" ? "0" : "1";
    }
    query += (query.empty() ? "?" : "&") + name + "=" + value;
  }
  return out + query;
}

const std::string& Config::text(const std::string& option) const {
  auto found = entries.find(option);
  if (found == entries.end()) throw Failure(FailureKind::Bug, "No such option: " + option);
  return found->second.value;
}

std::int64_t Config::integer(const std::string& option) const {
  auto& value = text(option);
  std::int64_t out = 0;
  auto read = std::from_chars(value.data(), value.data() + value.size(), out);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size())
    throw Failure(FailureKind::BadRequest, "The option " + option + " (" + entries.at(option).source + ") must be a whole number; it is \"" + value + "\".");
  return out;
}

bool Config::flag(const std::string& option) const {
  auto& value = text(option);
  if (value == "true" || value == "1" || value == "yes" || value == "on") return true;
  if (value == "false" || value == "0" || value == "no" || value == "off") return false;
  throw Failure(FailureKind::BadRequest, "The option " + option + " (" + entries.at(option).source + ") must be true or false; it is \"" + value + "\".");
}

void set_up_log(const Config& config) {
  log::set_up(level_of(config.text("log-level")), config.text("log-format") == "json" ? log::Format::JsonLines : log::Format::Text);
}

std::string Config::data_directory() const { return text("data-dir"); }
std::string Config::versions_directory() const { return text("versions-dir").empty() ? data_directory() + "/versions" : text("versions-dir"); }

appdb::StoreOptions Config::store_options() const {
  appdb::StoreOptions options;
  auto type = text("db-type");
  if (type == "h2" || type == "mysql" || type == "mariadb")
    throw Failure(FailureKind::BadRequest, "The application database cannot live on " + type + " (" + entries.at("db-type").source + "); use postgres, or sqlite for the embedded one.");
  if (!type.empty() && type != "postgres" && type != "postgresql" && type != "sqlite")
    throw Failure(FailureKind::BadRequest, "The option db-type (" + entries.at("db-type").source + ") must be sqlite or postgres; it is \"" + type + "\"." + (type == "mysql" || type == "h2" ? " `basalt upgrade plan` tells of a Metabase that lives there." : ""));
  options.postgres_schema = text("db-schema");
  if (!text("database-uri").empty()) {
    options.engine = appdb::Engine::Postgres;
    options.postgres_uri = postgres_uri(text("database-uri"));
    // User and password may stand beside a URI that has none.
    auto add = [&](const char* name, const char* option) {
      if (text(option).empty() || options.postgres_uri.find(std::string(name) + "=") != std::string::npos) return;
      auto at = options.postgres_uri.find('@');
      if (at != std::string::npos && options.postgres_uri.find("://") < at) return;
      options.postgres_uri += (options.postgres_uri.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=" + percent_encoded(text(option));
    };
    add("user", "db-user");
    add("password", "db-pass");
  } else if (type == "postgres" || type == "postgresql") {
    options.engine = appdb::Engine::Postgres;
    std::string uri = "postgresql://";
    if (!text("db-user").empty()) uri += percent_encoded(text("db-user")) + (text("db-pass").empty() ? "" : ":" + percent_encoded(text("db-pass"))) + "@";
    uri += text("db-host").empty() ? "localhost" : text("db-host");
    if (!text("db-port").empty()) uri += ":" + std::to_string(integer("db-port"));
    uri += "/" + percent_encoded(text("db-dbname"));
    options.postgres_uri = uri;
  } else {
    options.engine = appdb::Engine::Sqlite;
    options.sqlite_path = text("db-file").empty() ? std::filesystem::path(data_directory()) / "basalt.db" : std::filesystem::path(text("db-file"));
  }
  options.connections = static_cast<std::size_t>(std::clamp<std::int64_t>(integer("workers"), 1, 256));
  return options;
}

http::ServerOptions Config::server_options() const {
  http::ServerOptions options;
  options.address = text("address");
  auto port = integer("port");
  if (port < 0 || port > 65535)
    throw Failure(FailureKind::BadRequest, "The option port (" + entries.at("port").source + ") must be between 0 and 65535; it is " + std::to_string(port) + ".");
  options.port = static_cast<std::uint16_t>(port);
  options.tls_certificate_file = text("tls-certificate");
  options.tls_key_file = text("tls-key");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty())
    throw Failure(FailureKind::BadRequest, "HTTPS needs both tls-certificate and tls-key; only one is set.");
  options.trusted_proxies.clear();
  auto& all = text("trusted-proxies");
  for (std::size_t at = 0;;) {
    auto comma = all.find(',', at);
    auto one = all.substr(at, comma == std::string::npos ? std::string::npos : comma - at);
    std::erase(one, ' ');
    if (!one.empty()) options.trusted_proxies.push_back(one);
    if (comma == std::string::npos) break;
    at = comma + 1;
  }
  options.drain_notice = std::chrono::seconds(std::clamp<std::int64_t>(integer("drain-notice"), 0, 600));
  options.drain_time = std::chrono::seconds(std::clamp<std::int64_t>(integer("drain-time"), 0, 3600));
  return options;
}

Config read_config(const std::map<std::string, std::string>& flags, const Environment& environment) {
  Config config;
  config.flags = flags;
  std::map<std::string, std::string> from_file;
  std::map<std::string, json::value> settings_from_file;
  auto given = [&](const OptionDefinition& option) -> std::optional<Config::Entry> {
    if (auto found = flags.find(option.name); found != flags.end()) return Config::Entry{found->second, "flag --" + option.name};
    auto names = option.other_names;
    names.insert(names.begin(), variable_of(option.name));
    for (auto& name : names) {
      auto found = environment.find(name);
      // Kubernetes tells every pod of a service called basalt: BASALT_PORT=tcp://10.0.0.5:3000. That is no port of ours.
      if (found != environment.end() && option.name == "port" && found->second.starts_with("tcp://")) continue;
      if (found != environment.end() && !found->second.empty()) return Config::Entry{found->second, "environment " + name};
      // Secrets may stand in a file, as containers hand them over.
      if (auto in_file = environment.find(name + "_FILE"); option.secret && in_file != environment.end() && !in_file->second.empty())
        return Config::Entry{secret_in_file(in_file->second, name + "_FILE"), "file " + in_file->second + " (environment " + name + "_FILE)"};
    }
    return std::nullopt;
  };
  std::string file;
  for (auto& option : option_definitions()) {
    if (option.name != "config-file") continue;
    if (auto entry = given(option)) file = entry->value;
  }
  if (!file.empty()) read_file(file, from_file, settings_from_file);
  for (auto& option : option_definitions()) {
    auto entry = given(option);
    if (!entry) {
      auto found = from_file.find(option.name);
      entry = found != from_file.end() ? Config::Entry{found->second, "file " + file} : Config::Entry{option.default_text, "default"};
    }
    // Where the original says 0.0.0.0 or a name for "any".
    config.entries[option.name] = *entry;
  }
  for (auto& [name, value] : from_file) {
    if (!config.entries.contains(name)) config.warnings.push_back("The configuration file knows no option " + name + "; it is ignored.");
  }

  // Settings fixed from outside: BASALT_SITE_NAME and MB_SITE_NAME fix "site-name".
  std::set<std::string> known;
  for (auto& option : option_definitions()) {
    known.insert("BASALT_" + upper(option.name));
    if (option.secret) known.insert("BASALT_" + upper(option.name) + "_FILE");
  }
  for (auto& setting : features::Settings::definitions()) {
    auto name = upper(setting.key);
    known.insert("BASALT_" + name);
    for (auto& variable : {"BASALT_" + name, "MB_" + name}) {
      auto found = environment.find(variable);
      if (found == environment.end() || found->second.empty()) continue;
      // Text stays text; numbers, booleans and JSON are read as what the setting's default is.
      json::value value(found->second);
      if (!setting.default_value.is_string() && !setting.default_value.is_null()) {
        if (auto parsed = json::try_parse(found->second)) value = *parsed;
      }
      config.fixed_settings[setting.key] = {value, variable};
      break;
    }
    auto in_file = settings_from_file.find(setting.key);
    if (in_file != settings_from_file.end() && !config.fixed_settings.contains(setting.key)) config.fixed_settings[setting.key] = {in_file->second, "settings." + setting.key + " in " + file};
  }
  // A setting and an option by the same name: however it was given, it is from outside.
  if (auto& token = config.entries.at("setup-token"); !token.value.empty() && !config.fixed_settings.contains("setup-token")) config.fixed_settings["setup-token"] = {json::value(token.value), token.source};
  for (auto& [name, value] : settings_from_file) {
    if (!features::Settings::definition(name)) config.warnings.push_back("The configuration file fixes an unknown setting " + name + "; it is ignored.");
  }
  known.insert({"BASALT_PROBE_TOKEN", "BASALT_LAUNCHER_SOCKET", "BASALT_LAUNCHED_AS"});  // the launcher's, see launch/listen_fd.h
  known.insert({"BASALT_DUCKDB_LIBRARY", "BASALT_TEST_POSTGRES"});
  for (auto& [name, value] : environment) {
    if (!name.starts_with("BASALT_") || known.contains(name) || name.starts_with("BASALT_SERVICE_") || name.starts_with("BASALT_PORT_")) continue;
    std::string nearest;
    std::size_t best = 1000;
    for (auto& candidate : known) {
      auto d = distance(name, candidate);
      if (d < best) { best = d; nearest = candidate; }
    }
    config.warnings.push_back("The environment variable " + name + " is not known" + (best <= 6 ? "; did you mean " + nearest + "?" : "."));
  }
  return config;
}

std::string describe(const Config& config) {
  std::string out;
  std::size_t widest = 0;
  for (auto& option : option_definitions()) widest = std::max(widest, option.name.size());
  for (auto& option : option_definitions()) {
    auto& entry = config.entries.at(option.name);
    auto shown = entry.value.empty() ? "(not set)" : option.secret ? "**********" : entry.value;
    out += "  " + option.name + std::string(widest + 2 - option.name.size(), ' ') + shown + "  [" + entry.source + "]\n";
  }
  for (auto& [key, fixed] : config.fixed_settings) {
    auto* definition = features::Settings::definition(key);
    out += "  setting " + key + "  " + (definition && definition->secret ? "**********" : json::write(fixed.value)) + "  [" + fixed.variable + "]\n";
  }
  return out;
}

}  // namespace basalt::startup
