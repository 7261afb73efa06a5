// PostgreSQL: its connection form, and details into libpq's options.
#include <algorithm>

#include "base/failure.h"
#include "drivers/all.h"
#include "drivers/details.h"
#include "drivers/postgres/connection.h"
#include "sql/dialect.h"

namespace basalt::drivers {
namespace {

using postgres::Options;
using postgres::SchemaFilter;

// "a=b&c=d" as people know it from connection strings. Only what is harmless passes; other clients' options are ignored.
void add_more_options(Options& options, std::string_view text) {
  constexpr std::string_view known[] = {"application_name", "options", "target_session_attrs", "connect_timeout", "gssencmode", "channel_binding", "sslsni"};
  for (auto& option : options_of(text)) {
    auto name = option.first;
    const auto& value = option.second;
    if (name == "ApplicationName") name = "application_name";
    bool search_path = name == "currentSchema";
    if (!search_path && std::find(std::begin(known), std::end(known), name) == std::end(known)) continue;
    std::erase_if(options, [&](auto& known_option) { return known_option.first == name; });
    if (search_path) options.emplace_back("options", "-c search_path=" + value);
    else options.emplace_back(name, value);
  }
}

class Postgres final : public Driver {
 public:
  std::string_view name() const override { return "postgres"; }
  std::string_view display_name() const override { return "PostgreSQL"; }
  const sql::Dialect& dialect() const override { return sql::postgres(); }
  std::vector<std::string> secret_details() const override { return {"password"}; }

  std::vector<DetailField> detail_fields() const override {
    return {
        {.name = "host", .display_name = "Host", .required = true, .placeholder = "db.example.com",
         .helper_text = "The database's IP address or its domain name."},
        {.name = "port", .display_name = "Port", .type = "integer", .default_value = 5432},
        {.name = "dbname", .display_name = "Database name", .required = true, .placeholder = "shop"},
        {.name = "user", .display_name = "Username", .required = true, .placeholder = "username"},
        {.name = "password", .display_name = "Password", .type = "password", .placeholder = "••••••••"},
        {.name = "schema-filters-type", .display_name = "Schemas", .type = "select", .default_value = "all",
         .options = {{"all", "All"}, {"inclusion", "Only these..."}, {"exclusion", "All except..."}}},
        {.name = "schema-filters-patterns", .display_name = "Comma separated names of schemas", .placeholder = "public,analytics_*",
         .helper_text = "`*` stands for any text."},
        {.name = "ssl", .display_name = "Use a secure connection (SSL)", .type = "boolean", .default_value = false},
        {.name = "ssl-mode", .display_name = "SSL mode", .type = "select", .default_value = "require",
         .options = {{"allow", "allow"}, {"prefer", "prefer"}, {"require", "require"}, {"verify-ca", "verify-ca"}, {"verify-full", "verify-full"}}},
        {.name = "ssl-root-cert", .display_name = "SSL root certificate (PEM)", .type = "text",
         .helper_text = "Needed for verify-ca and verify-full when the server's certificate was signed by an authority of your own."},
        {.name = "additional-options", .display_name = "Additional connection options", .placeholder = "application_name=reports"},
    };
  }

  std::vector<std::string> features() const override {
    return {"advanced-math-expressions", "basic-aggregations", "binning", "case-sensitivity-string-filter-options", "convert-timezone",
            "date-arithmetics", "datetime-diff", "describe-fields", "describe-fks", "distinct-where", "expression-aggregations",
            "expression-literals", "expressions", "expressions/date", "expressions/datetime", "expressions/float", "expressions/integer",
            "expressions/text", "expressions/today", "fingerprint", "full-join", "identifiers-with-spaces", "inner-join", "left-join",
            "metadata/key-constraints", "native-parameter-card-reference", "native-parameters", "native-temporal-units", "nested-queries",
            "now", "parameterized-sql", "percentile-aggregations", "regex", "right-join", "schemas", "set-timezone", "split-part",
            "standard-deviation-aggregations", "temporal-extract", "uuid-type", "window-functions/cumulative", "window-functions/offset"};
  }

  std::unique_ptr<Connection> connect(const json::object& details) const override {
    auto wanted = [&](std::string_view key, std::string_view otherwise) {
      auto text = text_of(details, key);
      return text.empty() ? std::string(otherwise) : text;
    };
    auto user = text_of(details, "user"), dbname = text_of(details, "dbname");
    if (dbname.empty()) dbname = text_of(details, "db");
    if (dbname.empty()) throw bad_field("dbname", "Name the database to connect to.");
    if (user.empty()) throw bad_field("user", "Name the user to connect as.");
    Options options{{"host", wanted("host", "localhost")}, {"port", wanted("port", "5432")}, {"dbname", dbname}, {"user", user},
                    {"password", text_of(details, "password")}, {"passfile", "/dev/null/none"}, {"connect_timeout", "10"},
                    {"application_name", "basalt"}, {"client_encoding", "UTF8"}, {"gssencmode", "disable"},
                    // A server that vanished is noticed within a minute.
                    {"keepalives", "1"}, {"keepalives_idle", "30"}, {"keepalives_interval", "10"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "60000"}};
    auto mode = wanted("ssl-mode", "require");
    options.emplace_back("sslmode", flag_of(details, "ssl") ? mode : "prefer");
    add_more_options(options, text_of(details, "additional-options"));
    // Kept open as long as the connection: a cancel request reads it again.
    std::shared_ptr<MemoryFile> certificate;
    if (auto pem = text_of(details, "ssl-root-cert"); !pem.empty()) {
      certificate = std::make_shared<MemoryFile>(pem);
      options.emplace_back("sslrootcert", certificate->path());
    } else if (mode.starts_with("verify")) {
      options.emplace_back("sslrootcert", "/etc/ssl/certs/ca-certificates.crt");
    }
    return std::make_unique<postgres::PostgresConnection>(std::move(options), filter_of(details), std::move(certificate));
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

std::unique_ptr<Driver> make_postgres() { return std::make_unique<Postgres>(); }

}  // namespace basalt::drivers
