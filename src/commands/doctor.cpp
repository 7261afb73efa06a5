// doctor: what is in force and where it came from, and whether all is well. Looks, and changes nothing.
#include <sys/statvfs.h>

#include <filesystem>
#include <iostream>

#include "base/crypto.h"
#include "base/version.h"
#include "commands/opened.h"
#include "startup/container.h"
#include "startup/found_metabase.h"
#include "startup/web_app.h"
#include "upgrade/backup.h"

namespace basalt::commands {
namespace {

enum class Weight { Fine, Note, Problem };
struct Finding { Weight weight; std::string text; };

const char* word_of(Weight weight) { return weight == Weight::Fine ? "ok" : weight == Weight::Note ? "note" : "PROBLEM"; }

std::string ago(const std::string& time) {
  auto then = parse_timestamp(time);
  if (!then) return "at an unknown time";
  auto hours = std::chrono::duration_cast<std::chrono::hours>(system_clock().now() - *then).count();
  if (hours < 1) return "less than an hour ago";
  if (hours < 48) return std::to_string(hours) + (hours == 1 ? " hour ago" : " hours ago");
  return std::to_string(hours / 24) + " days ago";
}

class Doctor {
 public:
  Doctor(const Config& config, const Migrations& migrations) : config_(config), migrations_(migrations) {}

  void look() {
    metabase = startup::found_metabase(config_);
    if (metabase) say(Weight::Note, "A Metabase was found: " + metabase->where + ". " + metabase->judgement.sentence + " `basalt upgrade plan` tells more.");
    store();
    disk();
    if (auto lost = startup::container_warning(config_.data_directory()); !lost.empty()) say(config_.flag("ephemeral") ? Weight::Note : Weight::Problem, lost);
    if (auto lost = startup::network_disk_warning(config_.data_directory()); !lost.empty() && !on_postgres_) say(Weight::Problem, lost);
    if (!startup::has_web_app()) say(Weight::Problem, "This program was built without the web app.");
  }

  std::vector<Finding> findings;
  std::string repair;
  json::array drift, nodes;
  std::optional<takeover::Found> metabase;

 private:
  void say(Weight weight, std::string text) { findings.push_back({weight, std::move(text)}); }

  void store() {
    appdb::StoreOptions options;
    try {
      options = config_.store_options();
    } catch (const Failure& failure) {
      say(Weight::Problem, failure.sentence());
      return;
    }
    on_postgres_ = options.engine == appdb::Engine::Postgres;
    if (options.engine == appdb::Engine::Sqlite && !std::filesystem::exists(options.sqlite_path)) {
      say(Weight::Note, "There is no application database at " + options.sqlite_path.string() + " yet; the first start makes it.");
      return;
    }
    try {
      Looking looking(config_, migrations_);
      auto status = upgrade::status(looking.context);
      auto plan = upgrade::plan(looking.context);
      say(Weight::Fine, "The application database (" + plan.engine + ") can be opened.");
      schema(status);
      drifts(plan, options);
      node_list(status);
      backups(looking.context, status);
      key(*looking.store);
    } catch (const Failure& failure) {
      say(Weight::Problem, failure.sentence());
    }
  }

  void schema(const upgrade::Status& status) {
    say(status.decision == upgrade::Decision::Refuse ? Weight::Problem : status.decision == upgrade::Decision::Run && status.pending.empty() ? Weight::Fine : Weight::Note, status.sentence);
    if (!status.lock.is_null()) say(Weight::Note, "The data is being changed right now: `basalt migrate status` tells by whom.");
    if (!status.open_run.is_null()) say(Weight::Note, "A change of the data was cut off; the next start goes on by itself.");
    std::int64_t parked = 0;
    for (auto& one : status.parked) parked += json::integer(one, "count").value_or(0);
    if (parked) say(Weight::Note, grouped(parked) + (parked == 1 ? " value is" : " values are") + " parked: `basalt parked list`.");
  }

  void drifts(const upgrade::Plan& plan, const appdb::StoreOptions& options) {
    std::size_t extra = 0;
    bool blocks = false;
    for (auto& one : plan.drift) {
      drift.push_back(json::object{{"kind", one.kind}, {"object", one.object}, {"sentence", one.sentence}, {"repair", one.repair.empty() ? json::value(nullptr) : json::value(one.repair)}, {"blocks", one.blocks}});
      if (one.blocks) say(Weight::Problem, one.sentence);
      else if (++extra <= 5) say(Weight::Note, one.sentence);
      blocks = blocks || one.blocks;
    }
    if (extra > 5) say(Weight::Note, std::to_string(extra - 5) + " more things in the database are not Basalt's; `basalt doctor --json` lists them.");
    if (!blocks && !plan.fresh) say(Weight::Fine, "Its tables, columns, rules and indexes are as Basalt made them.");
    repair = upgrade::repair_text(plan, options.engine == appdb::Engine::Postgres ? "SET search_path TO " + appdb::quoted(options.postgres_schema) + ";" : "");
  }

  void node_list(const upgrade::Status& status) {
    nodes = status.nodes;
    std::size_t live = 0;
    for (auto& node : status.nodes) {
      bool lives = json::boolean(node, "live").value_or(false);
      live += lives;
      auto name = json::text(node, "name").value_or("") + " (" + json::text(node, "binary").value_or("") + ", schema " + std::to_string(json::integer(node, "target").value_or(0)) + ")";
      if (lives) say(Weight::Fine, "Node " + name + " is serving.");
      else say(Weight::Note, "Node " + name + " was not heard since " + moment(json::text(node, "heartbeat").value_or("")) + "; it is not waited for.");
    }
    if (live == 0) say(Weight::Note, "No server is running on this data.");
  }

  void backups(upgrade::Context& context, const upgrade::Status& status) {
    if (status.decision == upgrade::Decision::Fresh) return;
    auto all = upgrade::backup_list(context);
    auto verified = std::find_if(all.begin(), all.end(), [](auto& one) { return !one.verified_at.empty(); });
    if (verified == all.end()) {
      say(Weight::Note, all.empty() ? "There is no backup yet; `basalt backup create` makes one, and every migration makes its own." : "None of the " + std::to_string(all.size()) + " backups is verified: `basalt backup verify`.");
      return;
    }
    auto made = parse_timestamp(verified->created_at);
    bool scheduled = config_.text("backup-schedule") != "off";
    bool old = made && system_clock().now() - *made > std::chrono::hours(scheduled ? 48 : 24 * 30);
    say(old ? Weight::Note : Weight::Fine, "The newest verified backup was made " + ago(verified->created_at) + (old && scheduled ? ", though one is due by the schedule (" + config_.text("backup-schedule") + "); does a server run?" : ".") + " There are " +
                                               std::to_string(all.size()) + " in " + upgrade::backup_folder(context).string() + (config_.text("backup-passphrase").empty() ? ", new ones not encrypted." : ", new ones encrypted."));
  }

  void key(appdb::Store& store) {
    auto& secret = config_.text("encryption-secret-key");
    auto row = store.read([](appdb::Connection& c) { return migrations::table_exists(c, "upgrade_meta") ? c.query_one("SELECT value FROM upgrade_meta WHERE key = ?", {"key_check"}) : std::nullopt; });
    auto stored = row ? row->optional_text("value").value_or("") : "";
    auto now = secret.empty() ? "" : Sealer(secret).check_value();
    if (stored != now && !stored.empty()) say(Weight::Problem, "The encryption key is not the one this application database was written with.");
    else if (now.empty()) say(Weight::Note, "Connection details are stored without encryption; BASALT_ENCRYPTION_SECRET_KEY would encrypt them.");
    else say(Weight::Fine, "Connection details are encrypted at rest, and the key fits.");
  }

  void disk() {
    auto directory = std::filesystem::path(config_.data_directory());
    std::error_code error;
    while (!std::filesystem::exists(directory, error) && directory.has_parent_path() && directory != directory.parent_path()) directory = directory.parent_path();
    struct statvfs space {};
    if (directory.empty() || statvfs(directory.c_str(), &space) != 0) return;
    auto free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    bool enough = free > (200u << 20);
    say(enough ? Weight::Fine : Weight::Problem, grouped(static_cast<std::int64_t>(free >> 20)) + " MB are free for the data directory" + (enough ? "." : "; that is little."));
  }

  const Config& config_;
  const Migrations& migrations_;
  bool on_postgres_ = false;
};

}  // namespace

int doctor(const Config& config, const Migrations& migrations, const Options& options) {
  log::set_up(log::Level::Error, log::Format::Text);
  Doctor doctor(config, migrations);
  doctor.look();
  bool good = std::none_of(doctor.findings.begin(), doctor.findings.end(), [](auto& one) { return one.weight == Weight::Problem; });
  if (options.json) {
    json::object entries;
    for (auto& option : startup::option_definitions()) {
      auto& entry = config.entries.at(option.name);
      entries[option.name] = json::object{{"value", option.secret && !entry.value.empty() ? "**********" : entry.value}, {"source", entry.source}};
    }
    json::array list, warnings;
    for (auto& finding : doctor.findings) list.push_back(json::object{{"good", finding.weight != Weight::Problem}, {"weight", word_of(finding.weight)}, {"text", finding.text}});
    for (auto& warning : config.warnings) warnings.push_back(json::value(warning));
    print(json::object{{"version", version()}, {"options", std::move(entries)}, {"warnings", std::move(warnings)}, {"findings", std::move(list)}, {"drift", doctor.drift}, {"nodes", doctor.nodes}, {"repair", doctor.repair},
                       {"metabase", doctor.metabase ? json::value(doctor.metabase->to_json()) : json::value(nullptr)}});
  } else {
    std::cout << "Basalt " << version() << "\n\nIn force:\n" << startup::describe(config) << "\n";
    for (auto& warning : config.warnings) std::cout << "  warning  " << warning << "\n";
    for (auto& finding : doctor.findings) {
      std::string word = word_of(finding.weight);
      std::cout << "  " << word << std::string(9 - word.size(), ' ') << finding.text << "\n";
    }
    if (!doctor.repair.empty()) std::cout << "\nWhat repairs it, after a backup of the database as it is:\n\n" << doctor.repair;
  }
  return good ? done : failed;
}

}  // namespace basalt::commands
