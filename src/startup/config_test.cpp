#include "startup/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/failure.h"

namespace basalt::startup {
namespace {

TEST(Config, takes_flags_before_environment_before_defaults_and_says_where_from) {
  auto config = read_config({{"port", "4000"}}, {{"MB_JETTY_PORT", "5000"}, {"MB_JETTY_HOST", "0.0.0.0"}});
  EXPECT_EQ(config.integer("port"), 4000);
  EXPECT_EQ(config.entries.at("port").source, "flag --port");
  EXPECT_EQ(config.text("address"), "0.0.0.0");
  EXPECT_EQ(config.entries.at("address").source, "environment MB_JETTY_HOST");
  EXPECT_EQ(config.entries.at("workers").source, "default");
}

TEST(Config, prefers_its_own_names) {
  auto config = read_config({}, {{"BASALT_PORT", "4001"}, {"MB_JETTY_PORT", "5000"}});
  EXPECT_EQ(config.integer("port"), 4001);
}

TEST(Config, reads_connection_uris_as_people_have_them) {
  EXPECT_EQ(postgres_uri("jdbc:postgresql://db:5432/app?user=u&password=p%20w"), "postgresql://db:5432/app?user=u&password=p%20w");
  EXPECT_EQ(postgres_uri("postgres://u:p@db/app"), "postgres://u:p@db/app");
  EXPECT_EQ(postgres_uri("jdbc:postgresql://db/app?ssl=true&sslmode=verify-full"), "postgresql://db/app?sslmode=require&sslmode=verify-full");
  EXPECT_EQ(postgres_uri("jdbc:postgresql://db/app?socketTimeout=10&tcpKeepAlive=true"), "postgresql://db/app?keepalives=1");
  EXPECT_THROW(postgres_uri("jdbc:mysql://db/app"), Failure);
  EXPECT_THROW(postgres_uri("db/app"), Failure);
}

TEST(Config, builds_a_uri_from_parts) {
  auto options = read_config({}, {{"MB_DB_TYPE", "postgres"}, {"MB_DB_HOST", "db"}, {"MB_DB_PORT", "5433"}, {"MB_DB_DBNAME", "app"}, {"MB_DB_USER", "us er"}, {"MB_DB_PASS", "p@ss"}}).store_options();
  EXPECT_EQ(options.engine, appdb::Engine::Postgres);
  EXPECT_EQ(options.postgres_uri, "postgresql://us%20er:p%40ss@db:5433/app");
}

TEST(Config, adds_user_and_password_to_a_uri_without_them) {
  auto options = read_config({}, {{"MB_DB_CONNECTION_URI", "postgres://db/app"}, {"MB_DB_USER", "u"}, {"MB_DB_PASS", "p"}}).store_options();
  EXPECT_EQ(options.postgres_uri, "postgres://db/app?user=u&password=p");
}

TEST(Config, honours_the_names_that_platforms_set) {
  auto config = read_config({}, {{"PORT", "8123"}, {"DATABASE_URL", "postgres://u:p@db:5432/app"}});
  EXPECT_EQ(config.integer("port"), 8123);
  EXPECT_EQ(config.store_options().postgres_uri, "postgres://u:p@db:5432/app");
  auto parts = read_config({}, {{"BASALT_DB_TYPE", "postgres"}, {"RDS_HOSTNAME", "db"}, {"RDS_PORT", "5432"}, {"RDS_DB_NAME", "ebdb"}, {"RDS_USERNAME", "u"}, {"RDS_PASSWORD", "p"}});
  EXPECT_EQ(parts.store_options().postgres_uri, "postgresql://u:p@db:5432/ebdb");
  // Ours and the well-known ones win.
  EXPECT_EQ(read_config({}, {{"PORT", "8123"}, {"MB_JETTY_PORT", "3001"}}).integer("port"), 3001);
}

TEST(Config, is_not_misled_by_what_kubernetes_tells_of_a_service_called_basalt) {
  auto config = read_config({}, {{"BASALT_PORT", "tcp://10.0.0.5:3000"}, {"BASALT_SERVICE_HOST", "10.0.0.5"}, {"BASALT_SERVICE_PORT", "3000"}, {"BASALT_PORT_3000_TCP", "tcp://10.0.0.5:3000"}});
  EXPECT_EQ(config.integer("port"), 3000);
  EXPECT_EQ(config.entries.at("port").source, "default");
  EXPECT_TRUE(config.warnings.empty());
}

TEST(Config, refuses_engines_that_cannot_hold_it) {
  EXPECT_THROW(read_config({}, {{"MB_DB_TYPE", "h2"}}).store_options(), Failure);
  EXPECT_THROW(read_config({}, {{"MB_DB_TYPE", "oracle"}}).store_options(), Failure);
}

TEST(Config, says_which_option_is_wrong_and_where_it_came_from) {
  auto config = read_config({}, {{"MB_JETTY_PORT", "many"}});
  try {
    config.server_options();
    FAIL() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_NE(failure.sentence().find("MB_JETTY_PORT"), std::string::npos) << failure.sentence();
  }
  EXPECT_THROW(read_config({{"port", "70000"}}, {}).server_options(), Failure);
  EXPECT_THROW(read_config({{"tls-key", "x"}}, {}).server_options(), Failure);
}

TEST(Config, warns_about_unknown_names_with_the_nearest_known_one) {
  auto config = read_config({}, {{"BASALT_PROT", "1"}, {"PATH", "x"}, {"MB_UNKNOWN", "y"}});
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_NE(config.warnings[0].find("did you mean BASALT_PORT?"), std::string::npos) << config.warnings[0];
}

TEST(Config, fixes_settings_from_the_environment_and_the_file) {
  auto path = std::string(::testing::TempDir()) + "basalt-config-test.yml";
  std::ofstream(path) << "port: 4100\nsettings:\n  site-name: From the file\n  report-timezone: Europe/Berlin\nnonsense: 1\n";
  auto config = read_config({{"config-file", path}}, {{"MB_SITE_NAME", "From the environment"}});
  EXPECT_EQ(config.integer("port"), 4100);
  EXPECT_EQ(config.entries.at("port").source, "file " + path);
  EXPECT_EQ(config.fixed_settings.at("site-name").value, json::value("From the environment"));
  EXPECT_EQ(config.fixed_settings.at("site-name").variable, "MB_SITE_NAME");
  EXPECT_EQ(config.fixed_settings.at("report-timezone").value, json::value("Europe/Berlin"));
  ASSERT_EQ(config.warnings.size(), 1u);
  EXPECT_THROW(read_config({{"config-file", "/nowhere/at/all.yml"}}, {}), Failure);
}

TEST(Config, is_documented_option_by_option) {
  std::ifstream in(std::string(BASALT_SOURCE_DIR) + "/docs/reference/configuration.md");
  std::string text(std::istreambuf_iterator<char>(in), {});
  for (auto& option : option_definitions()) {
    EXPECT_NE(text.find("| `" + option.name + "` |"), std::string::npos) << option.name;
    for (auto& name : option.other_names) EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
    EXPECT_NE(text.find(option.description), std::string::npos) << option.name;
  }
}

TEST(Config, reads_secrets_from_files) {
  auto path = std::string(::testing::TempDir()) + "basalt-secret-test";
  std::ofstream(path) << "correct horse\n";
  auto config = read_config({}, {{"BASALT_BACKUP_PASSPHRASE_FILE", path}});
  EXPECT_EQ(config.text("backup-passphrase"), "correct horse");
  EXPECT_NE(config.entries.at("backup-passphrase").source.find("BASALT_BACKUP_PASSPHRASE_FILE"), std::string::npos);
  EXPECT_TRUE(config.warnings.empty());
  EXPECT_EQ(describe(config).find("horse"), std::string::npos);
  EXPECT_EQ(read_config({}, {{"BASALT_BACKUP_PASSPHRASE_FILE", path}, {"BASALT_BACKUP_PASSPHRASE", "direct"}}).text("backup-passphrase"), "direct");
  EXPECT_THROW(read_config({}, {{"BASALT_BACKUP_PASSPHRASE_FILE", "/nowhere/at/all"}}), Failure);
  EXPECT_TRUE(read_config({}, {{"BASALT_PORT_FILE", path}}).integer("port") == 3000) << "only secrets are read from files";
}

TEST(Config, never_shows_a_secret) {
  auto text = describe(read_config({}, {{"MB_ENCRYPTION_SECRET_KEY", "very secret indeed"}, {"MB_DB_PASS", "hunter22"}, {"MB_DB_CONNECTION_URI", "postgres://u:hunter33@db/app"}}));
  EXPECT_EQ(text.find("very secret"), std::string::npos);
  EXPECT_EQ(text.find("hunter"), std::string::npos);
  EXPECT_NE(text.find("environment MB_ENCRYPTION_SECRET_KEY"), std::string::npos);
}

}  // namespace
}  // namespace basalt::startup
