// MySQL and MariaDB: the connection form, and details into the options of the library.
#include <algorithm>
#include <charconv>

#include "base/failure.h"
#include "drivers/all.h"
#include "drivers/details.h"
#include "drivers/mysql/connection.h"
#include "sql/dialect.h"

namespace basalt::drivers {
namespace {

using mysql::Options;
using mysql::SchemaFilter;

// A value for SET SESSION as it may be written there; anything else is refused, it would be part of a statement.
std::string session_value(std::string_view name, std::string_view value) {
  auto one_of = [&](std::string_view allowed) { return value.find_first_not_of(allowed) == std::string_view::npos; };
  if (value.size() > 1 && value.front() == '\'' && value.back() == '\'') value = value.substr(1, value.size() - 2);
  if (!value.empty() && one_of("0123456789.")) return std::string(value);
  if (one_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,=- ")) return "'" + std::string(value) + "'";
  throw bad_field("additional-options", "The value of " + std::string(name) + " may hold letters, digits, commas and `=` only.");
}

// Harmless variables of a session; the others stay as the server and we set them.
void add_session_variables(Options& options, std::string_view list) {
  constexpr std::string_view known[] = {"sql_mode", "group_concat_max_len", "optimizer_switch", "max_join_size", "sql_big_selects", "join_buffer_size", "sort_buffer_size",
                                        "tmp_table_size", "max_heap_table_size", "wait_timeout", "net_write_timeout", "net_read_timeout", "lc_time_names", "default_week_format"};
  while (!list.empty()) {
    // Commas stand between assignments, and inside of quoted values.
    std::size_t end = 0;
    for (bool inside = false; end < list.size() && (inside || (list[end] != ',' && list[end] != ';')); ++end)
      if (list[end] == '\'') inside = !inside;
    auto part = list.substr(0, end);
    list.remove_prefix(std::min(list.size(), end + 1));
    auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    auto name = part.substr(0, equals);
    if (std::find(std::begin(known), std::end(known), name) == std::end(known))
      throw bad_field("additional-options", "The session variable \"" + std::string(name.substr(0, 64)) + "\" can't be set here.");
    options.session.push_back(std::string(name) + " = " + session_value(name, part.substr(equals + 1)));
  }
}

// "a=b&c=d" as people know it from connection strings. Only what is harmless passes; other clients' options are ignored.
void add_more_options(Options& options, std::string_view text) {
  for (auto& [name, value] : options_of(text)) {
    if (name == "useCompression" || name == "compress") options.compress = value == "true" || value == "1";
    else if (name == "sessionVariables") add_session_variables(options, value);
    else if (name == "connectTimeout") {
      unsigned milliseconds = 0;
      std::from_chars(value.data(), value.data() + value.size(), milliseconds);
      if (milliseconds > 0) options.connect_seconds = std::clamp((milliseconds + 999) / 1000, 1u, 10u);
    }
  }
}

class Mysql final : public Driver {
 public:
  std::string_view name() const override { return "mysql"; }
  std::string_view display_name() const override { return "MySQL"; }
  const sql::Dialect& dialect() const override { return sql::mysql(); }
  std::vector<std::string> secret_details() const override { return {"password", "ssl-key"}; }

  std::vector<DetailField> detail_fields() const override {
    return {
        {.name = "host", .display_name = "Host", .required = true, .placeholder = "db.example.com",
         .helper_text = "The database's IP address or its domain name. MariaDB and MySQL are both reached this way."},
        {.name = "port", .display_name = "Port", .type = "integer", .default_value = 3306},
        {.name = "dbname", .display_name = "Database name", .required = true, .placeholder = "shop"},
        {.name = "user", .display_name = "Username", .required = true, .placeholder = "username"},
        {.name = "password", .display_name = "Password", .type = "password", .placeholder = "••••••••"},
        {.name = "schema-filters-type", .display_name = "Databases", .type = "select", .default_value = "all",
         .helper_text = "More databases of the same server are shown as schemas.",
         .options = {{"all", "Only the one named above"}, {"inclusion", "Only these..."}, {"exclusion", "All except..."}}},
        {.name = "schema-filters-patterns", .display_name = "Comma separated names of databases", .placeholder = "shop,analytics_*",
         .helper_text = "`*` stands for any text."},
        {.name = "ssl", .display_name = "Use a secure connection (SSL)", .type = "boolean", .default_value = false},
        {.name = "ssl-mode", .display_name = "SSL mode", .type = "select", .default_value = "require",
         .helper_text = "verify-full: the server's certificate must be valid and name the host.", .options = {{"require", "require"}, {"verify-full", "verify-full"}}},
        {.name = "ssl-cert", .display_name = "Server SSL certificate chain (PEM)", .type = "text",
         .helper_text = "Needed for verify-full when the server's certificate was signed by an authority of your own."},
        {.name = "ssl-client-cert", .display_name = "Client SSL certificate (PEM)", .type = "text"},
        {.name = "ssl-key", .display_name = "Client SSL key (PEM)", .type = "text"},
        {.name = "additional-options", .display_name = "Additional connection options", .placeholder = "useCompression=true&sessionVariables=group_concat_max_len=100000"},
    };
  }

  std::vector<std::string> features() const override {
    return {"advanced-math-expressions", "basic-aggregations", "binning", "case-sensitivity-string-filter-options", "convert-timezone",
            "date-arithmetics", "datetime-diff", "describe-fields", "describe-fks", "distinct-where", "expression-aggregations",
            "expression-literals", "expressions", "expressions/date", "expressions/datetime", "expressions/float", "expressions/integer",
            "expressions/text", "expressions/today", "fingerprint", "identifiers-with-spaces", "inner-join", "left-join",
            "metadata/key-constraints", "native-parameter-card-reference", "native-parameters", "native-temporal-units", "nested-queries",
            "now", "parameterized-sql", "regex", "right-join", "set-timezone", "split-part", "standard-deviation-aggregations",
            "temporal-extract", "window-functions/cumulative", "window-functions/offset"};
  }

  std::unique_ptr<Connection> connect(const json::object& details) const override {
    Options options;
    options.host = text_of(details, "host");
    if (options.host.empty()) options.host = "localhost";
    // The library would take more than a name from this text: options, lists of hosts, a socket's path.
    if (options.host.find_first_of("=;,/ \\\t\r\n'\"") != std::string::npos || options.host.size() > 255) throw bad_field("host", "Write the host's name or address only.");
    if (auto port = text_of(details, "port"); !port.empty()) {
      auto end = std::from_chars(port.data(), port.data() + port.size(), options.port);
      if (end.ec != std::errc() || end.ptr != port.data() + port.size() || options.port == 0 || options.port > 65535) throw bad_field("port", "A port is a number from 1 to 65535.");
    }
    options.user = text_of(details, "user");
    options.password = text_of(details, "password");
    options.dbname = text_of(details, "dbname");
    if (options.dbname.empty()) options.dbname = text_of(details, "db");
    if (options.dbname.empty()) throw bad_field("dbname", "Name the database to connect to.");
    if (options.user.empty()) throw bad_field("user", "Name the user to connect as.");
    add_more_options(options, text_of(details, "additional-options"));
    // Kept open as long as the connection: a cancel connects again.
    auto files = std::make_shared<std::vector<std::unique_ptr<MemoryFile>>>();
    auto file_of = [&](std::initializer_list<std::string_view> keys) -> std::string {
      for (auto key : keys)
        if (auto pem = text_of(details, key); !pem.empty()) return files->emplace_back(std::make_unique<MemoryFile>(pem))->path();
      return "";
    };
    options.tls = flag_of(details, "ssl");
    if (options.tls) {
      auto mode = text_of(details, "ssl-mode");
      options.verify = mode == "verify-full" || mode == "verify-ca";
      options.ca_file = file_of({"ssl-cert", "ssl-root-cert"});
      if (options.ca_file.empty() && options.verify) options.ca_file = "/etc/ssl/certs/ca-certificates.crt";
      options.certificate_file = file_of({"ssl-client-cert"});
      options.key_file = file_of({"ssl-key", "ssl-client-key"});
      if (options.certificate_file.empty() != options.key_file.empty()) throw bad_field("ssl-key", "A client's certificate and its key go together.");
    }
    return std::make_unique<mysql::MysqlConnection>(std::move(options), filter_of(details), std::move(files));
  }

 private:
  static SchemaFilter filter_of(const json::object& details) {
    SchemaFilter filter;
    auto type = text_of(details, "schema-filters-type");
    if (type == "inclusion") filter.type = SchemaFilter::Type::Only;
    else if (type == "exclusion") filter.type = SchemaFilter::Type::Except;
    filter.patterns = names_of(text_of(details, "schema-filters-patterns"));
    return filter;
  }
};

}  // namespace

std::unique_ptr<Driver> make_mysql() { return std::make_unique<Mysql>(); }

}  // namespace basalt::drivers
