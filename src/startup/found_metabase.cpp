#include "startup/found_metabase.h"

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

takeover::Found in_mysql(const Config& config) {
  takeover::Found found;
  found.where = "MySQL or MariaDB";
  // Never the whole address: a password may stand in it.
  if (auto& host = config.text("db-host"); !host.empty()) found.where += " on " + host;
  if (auto& name = config.text("db-dbname"); !name.empty()) found.where += ", database " + name;
  found.judgement.sentence =
      "This version of Basalt cannot look into MySQL, so that it cannot tell which. Ask it: SELECT id FROM DATABASECHANGELOG WHERE id LIKE 'v%' ORDER BY CAST(SUBSTRING(id, 2) AS DECIMAL(9,2)) DESC LIMIT 1; "
      "v50.… is 0.50. From 0.40 on it can be taken over directly. No row: it is 0.41 or older, and its About page tells.";
  return found;
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
