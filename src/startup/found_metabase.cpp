#include "startup/found_metabase.h"

#include <boost/url.hpp>

#include "base/failure.h"

namespace basalt::startup {
namespace {

// "jdbc:mysql://…": "mysql"; empty when there is no scheme.
std::string scheme_of(std::string uri) {
  if (uri.starts_with("jdbc:")) uri.erase(0, 5);
  auto colon = uri.find(':');
  return colon == std::string::npos ? "" : uri.substr(0, colon);
}

// "jdbc:h2:file:/metabase-data/metabase.db;IFEXISTS=TRUE": the path.
std::string h2_path(std::string uri) {
  for (auto* prefix : {"jdbc:", "h2:", "file:"}) if (uri.starts_with(prefix)) uri.erase(0, std::string_view(prefix).size());
  return uri.substr(0, uri.find(';'));
}

// "jdbc:mysql://host:3306/name?user=u&password=p", "mysql://u:p@host/name"; by parts where there is no address.
takeover::MysqlPlace mysql_place(const Config& config) {
  takeover::MysqlPlace place;
  auto& uri = config.text("database-uri");
  if (auto parsed = boost::urls::parse_uri(uri.starts_with("jdbc:") ? std::string_view(uri).substr(5) : std::string_view(uri)); !uri.empty() && parsed) {
    if (!parsed->host().empty()) place.host = parsed->host();
    if (parsed->has_port() && parsed->port_number() != 0) place.port = parsed->port_number();
    place.user = parsed->user();
    place.password = parsed->password();
    auto segments = parsed->segments();
    if (!segments.empty()) place.database = *segments.begin();
    for (auto parameter : parsed->params()) {
      if (parameter.key == "user") place.user = parameter.value;
      else if (parameter.key == "password") place.password = parameter.value;
      else if ((parameter.key == "useSSL" || parameter.key == "ssl") && parameter.value == "true") place.tls = true;
    }
  } else {
    if (!config.text("db-host").empty()) place.host = config.text("db-host");
    if (!config.text("db-port").empty()) place.port = static_cast<int>(config.integer("db-port"));
    place.database = config.text("db-dbname");
  }
  if (place.user.empty()) place.user = config.text("db-user");
  if (place.password.empty()) place.password = config.text("db-pass");
  return place;
}

std::optional<takeover::Found> in_mysql(const Config& config) {
  auto place = mysql_place(config);
  try {
    return takeover::look_in_mysql(place);
  } catch (const Failure& failure) {
    // Basalt's data cannot be there in any case, so it is most probably a Metabase's.
    takeover::Found found;
    found.where = "MySQL on " + place.host + ":" + std::to_string(place.port) + ", database " + place.database;
    found.judgement.sentence = "It could not be looked at: " + failure.sentence();
    return found;
  }
}

std::optional<takeover::Found> look(const Config& config) {
  auto& type = config.text("db-type");
  auto& uri = config.text("database-uri");
  auto scheme = scheme_of(uri);
  if (scheme == "mysql" || scheme == "mariadb" || (uri.empty() && (type == "mysql" || type == "mariadb"))) return in_mysql(config);
  if (scheme == "h2") return takeover::look_at_h2(h2_path(uri));
  if (uri.empty() && type != "postgres" && type != "postgresql") {
    auto& file = config.text("db-file");
    if (!file.empty()) return takeover::look_at_h2(file);
    for (auto& folder : {std::filesystem::path("."), std::filesystem::path(config.data_directory())})
      if (auto found = takeover::look_at_h2(folder / "metabase.db")) return found;
    return std::nullopt;
  }
  return takeover::look_in_postgres(config.store_options().postgres_uri);
}

}  // namespace

std::optional<takeover::Found> found_metabase(const Config& config) {
  try {
    return look(config);
  } catch (const Failure&) {
    return std::nullopt;
  }
}

}  // namespace basalt::startup
