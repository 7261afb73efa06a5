#include "upgrade/move.h"

#include <thread>

#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "upgrade/backup_parts.h"
#include "upgrade/files.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;

namespace {

const char* name_of(Engine engine) { return engine == Engine::Sqlite ? "SQLite" : "PostgreSQL"; }

std::string key_check_in(Connection& c) {
  auto row = c.query_one("SELECT value FROM upgrade_meta WHERE key = 'key_check'");
  return row ? row->optional_text("value").value_or("") : "";
}

// Nobody else uses the source while this lives.
class SourceAlone {
 public:
  SourceAlone(Context& source, Connection& c) : store_(source.store) {
    auto until = std::chrono::steady_clock::now() + source.lock_patience;
    while (!store_.try_exclusive()) {
      if (std::chrono::steady_clock::now() > until) throw Failure(FailureKind::Conflict, "Basalt is still running on this data; stop it first, then move.");
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
    }
    held_ = true;
    try {
      require_alone(source, c, "move");
    } catch (...) {
      store_.share_again();
      throw;
    }
  }
  ~SourceAlone() { if (held_) store_.share_again(); }
  SourceAlone(const SourceAlone&) = delete;

 private:
  appdb::Store& store_;
  bool held_ = false;
};

// A target that was made for this goes again when nothing came into it.
class FreshTarget {
 public:
  explicit FreshTarget(const appdb::StoreOptions& options) : options_(options) {
    std::error_code error;
    was_there_ = options.engine != Engine::Sqlite || std::filesystem::exists(options.sqlite_path, error);
    store_ = appdb::Store::open(options);
    if (read_ledger(*store_->connect()).present)
      throw Failure(FailureKind::Conflict, "The target already holds the data of a Basalt; move into an empty database, or restore a backup there with `basalt restore`.");
  }
  ~FreshTarget() {
    if (kept_) return;
    store_.reset();
    std::error_code ignored;
    if (!was_there_)
      for (auto& suffix : {"", "-wal", "-shm", "-journal", ".in-use", ".writing", ".swapping", ".upgrading"}) std::filesystem::remove(options_.sqlite_path.string() + suffix, ignored);
  }
  appdb::Store& store() { return *store_; }
  void keep() { kept_ = true; }

 private:
  appdb::StoreOptions options_;
  std::unique_ptr<appdb::Store> store_;
  bool was_there_ = true, kept_ = false;
};

}  // namespace

Outcome move(Context& source, const appdb::StoreOptions& to, const std::filesystem::path& data_dir) {
  Attempt attempt(source);
  return attempt.guard([&] {
    remove_scratch_left_in(backup_folder(source));
    auto connection = source.store.connect();
    auto ledger = read_ledger(*connection);
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to move: start Basalt on the new database.");
    if (auto check = key_check_in(*connection); !check.empty() && check != source.key_check)
      throw Failure(FailureKind::BadRequest, source.key_check.empty() ? "The data holds secrets that need its encryption key; set BASALT_ENCRYPTION_SECRET_KEY to it, here and where you move to."
                                                                      : "The encryption key is not the one that this data was written with; set BASALT_ENCRYPTION_SECRET_KEY to that one.");
    WritesClosed closed(source.store);
    // Not as one who changes something: the source must stay as it is to the last byte.
    RunLock lock(source, *connection, "move", source.lock_patience, RunLock::Others::Allowed);
    SourceAlone alone(source, *connection);
    FreshTarget target(to);
    attempt.at("backing-up", 0.02, "read the source");
    std::filesystem::create_directories(backup_folder(source));
    require_space(source.data_dir, backup_space(source) / 3, "reading the source");
    ScratchFile scratch(backup_folder(source) / (".move-" + random_hex(8) + ".sqlite"));
    Manifest m;
    m.id = uuid7();
    m.kind = "move";
    m.binary = version();
    m.key_check = source.key_check;
    m.created_at = now_text();
    copy_out(source, scratch.path(), m, [&](double part) { attempt.at("backing-up", 0.02 + 0.3 * part); });
    attempt.edge("source read");
    Context context{.store = target.store(), .migrations = source.migrations, .data_dir = data_dir, .progress = source.progress, .key_check = source.key_check, .hook = source.hook};
    std::error_code error;
    bool same_folder = std::filesystem::equivalent(source.data_dir, data_dir, error);
    auto outcome = put_in_place(context, attempt, *open_scratch(scratch.path()), m, same_folder ? Uploads::StayWhereTheyAre : Uploads::Replace);
    target.keep();
    outcome.backup.clear();
    outcome.sentence = "Moved " + std::to_string(m.rows()) + " rows from " + name_of(source.store.engine()) + " to " + name_of(to.engine) + ", compared table by table" +
                       (outcome.from == outcome.to ? " (schema " + std::to_string(outcome.to) + ")" : ", and brought from schema " + std::to_string(outcome.from) + " to " + std::to_string(outcome.to)) +
                       ". The source is as it was. People sign in again.";
    if (outcome.parked) outcome.sentence += " " + std::to_string(outcome.parked) + " values that this version cannot hold are parked (`basalt parked list`).";
    log::info("application database moved", {{"rows", std::to_string(m.rows())}, {"to", name_of(to.engine)}});
    return outcome;
  });
}

}  // namespace basalt::upgrade
