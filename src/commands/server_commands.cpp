// serve, reset-password, doctor, make-sample-database.
#include <sys/statvfs.h>

#include <cctype>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/version.h"
#include "commands/commands.h"
#include "drivers/driver.h"
#include "features/sample/sample_database.h"
#include "session/password_resets.h"
#include "startup/open_store.h"
#include "startup/serve.h"
#include "startup/web_app.h"
#include "upgrade/upgrade.h"

namespace basalt::commands {

int serve(const Config& config, const Migrations& migrations) { return startup::serve(config, migrations); }

int make_sample_database(const Options& options) {
  features::write_sample_database(options.file);
  return done;
}

int reset_password(const Config& config, const Migrations&, const Options& options) {
  log::set_up(log::Level::Warning, log::Format::Text);
  auto store = startup::open_store(config);
  std::string email = options.email;
  for (auto& c : email) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  auto person = store->read([&](appdb::Connection& c) { return c.query_one("SELECT id, is_active FROM person WHERE email = ? AND kind = 'personal'", {email}); });
  if (!person) throw Failure(FailureKind::BadRequest, "There is no person with the e-mail address " + options.email + ".");
  if (!person->boolean("is_active")) throw Failure(FailureKind::BadRequest, "The account of " + options.email + " is deactivated; an administrator can reactivate it.");
  auto token = session::PasswordResets(*store, system_clock()).create(person->id<PersonId>("id"));
  std::cout << "Open this page of your Basalt within 48 hours to set a new password:\n  /auth/reset_password/" << token << "\n";
  return done;
}

namespace {

struct Finding { bool good; std::string text; };

// The file system a path is on, as /proc/mounts names it: a container's own layer is called overlay.
std::string file_system_of(const std::filesystem::path& path) {
  std::ifstream mounts("/proc/mounts");
  std::string device, place, type, rest, best_type = "unknown";
  std::size_t best = 0;
  auto wanted = std::filesystem::weakly_canonical(path).string();
  while (mounts >> device >> place >> type && std::getline(mounts, rest)) {
    bool holds = wanted == place || place == "/" || wanted.starts_with(place + "/");
    if (holds && place.size() >= best) { best = place.size(); best_type = type; }
  }
  return best_type;
}

}  // namespace

int doctor(const Config& config, const Migrations& migrations, const Options& options) {
  log::set_up(log::Level::Error, log::Format::Text);
  std::vector<Finding> findings;
  auto check = [&](const std::function<std::string()>& look) {
    try {
      findings.push_back({true, look()});
    } catch (const Failure& failure) {
      findings.push_back({false, failure.sentence()});
    }
  };
  std::unique_ptr<appdb::Store> store;
  // Looking must not make anything: a store that is not there is reported, not created.
  auto store_options = config.store_options();
  bool missing = store_options.engine == appdb::Engine::Sqlite && !std::filesystem::exists(store_options.sqlite_path);
  if (missing) {
    findings.push_back({true, "There is no application database at " + store_options.sqlite_path.string() + " yet; the first start makes it."});
  } else {
    check([&] { store = startup::open_store(config); return std::string("The application database (") + (store->engine() == appdb::Engine::Sqlite ? "SQLite" : "PostgreSQL") + ") can be opened."; });
  }
  if (store) {
    std::string key = config.text("encryption-secret-key");
    check([&] {
      upgrade::Context context{*store, migrations, config.data_directory(), nullptr, key.empty() ? "" : Sealer(key).check_value(), {}};
      auto status = upgrade::status(context);
      if (status.decision == upgrade::Decision::Refuse) throw Failure(FailureKind::BadRequest, status.sentence);
      return status.sentence;
    });
    check([&] {
      upgrade::Context context{*store, migrations, config.data_directory(), nullptr, "", {}};
      auto backups = upgrade::backup_list(context);
      if (backups.empty()) return std::string("There is no backup yet; `basalt backup create` makes one, and every migration makes its own.");
      return "The newest backup is of " + backups.front().created_at + (backups.front().verified_at.empty() ? ", not verified." : ", verified.");
    });
    check([&] {
      auto row = store->read([](appdb::Connection& c) { return c.query_one("SELECT value FROM upgrade_meta WHERE key = ?", {"key_check"}); });
      auto stored = row ? row->optional_text("value").value_or("") : "";
      auto now = key.empty() ? "" : Sealer(key).check_value();
      if (stored != now && !stored.empty()) throw Failure(FailureKind::BadRequest, "The encryption key is not the one this application database was written with.");
      return std::string(now.empty() ? "Connection details are stored without encryption; BASALT_ENCRYPTION_SECRET_KEY would encrypt them." : "Connection details are encrypted at rest, and the key fits.");
    });
  }
  if (store_options.engine == appdb::Engine::Sqlite) {
    auto directory = std::filesystem::path(config.data_directory());
    auto existing = std::filesystem::exists(directory) ? directory : std::filesystem::current_path();
    struct statvfs space {};
    if (statvfs(existing.c_str(), &space) == 0) {
      auto free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
      findings.push_back({free > (200u << 20), std::to_string(free >> 20) + " MB are free for the data directory" + (free > (200u << 20) ? "." : "; that is little.")});
    }
    auto type = file_system_of(existing);
    if (type == "overlay") findings.push_back({false, "The data directory is in a container's own layer: what is stored there is lost with the container. Put it on a volume."});
  }
  if (!startup::has_web_app()) findings.push_back({false, "This program was built without the web app."});
  bool good = true;
  for (auto& finding : findings) good = good && finding.good;

  if (options.json) {
    json::object entries;
    for (auto& option : startup::option_definitions()) {
      auto& entry = config.entries.at(option.name);
      entries[option.name] = json::object{{"value", option.secret && !entry.value.empty() ? "**********" : entry.value}, {"source", entry.source}};
    }
    json::array list;
    for (auto& finding : findings) list.push_back(json::object{{"good", finding.good}, {"text", finding.text}});
    json::array warnings;
    for (auto& warning : config.warnings) warnings.push_back(json::value(warning));
    std::cout << json::write_pretty(json::object{{"version", version()}, {"options", std::move(entries)}, {"warnings", std::move(warnings)}, {"findings", std::move(list)}}) << "\n";
  } else {
    std::cout << "Basalt " << version() << "\n\nIn force:\n" << startup::describe(config) << "\n";
    for (auto& warning : config.warnings) std::cout << "  warning: " << warning << "\n";
    for (auto& finding : findings) std::cout << (finding.good ? "  ok       " : "  PROBLEM  ") << finding.text << "\n";
  }
  return good ? done : failed;
}

}  // namespace basalt::commands
