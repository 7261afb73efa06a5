// A backup in the place of what is there, which is kept.
#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "upgrade/backup.h"
#include "upgrade/files.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using appdb::SqliteConnection;

namespace {

// The loaded backup to this binary's schema, within the transaction that loaded it.
migrations::Counters bring_to_target(Context& context, Attempt& attempt, Connection& c) {
  auto ledger = read_ledger(c);
  StepContext step{c, ledger};
  if (ledger.schema != target_of(context)) {
    auto way = way_to(context, c, ledger, target_of(context));
    run_way(attempt, step, way, [](const std::function<void()>& work) { work(); });
  }
  return step.counters;
}

Outcome outcome_of(const Manifest& m, int target, const migrations::Counters& counters, const std::string& backup, const std::string& kept) {
  Outcome out;
  out.from = m.schema;
  out.to = target;
  out.parked = counters.parked;
  out.returned = counters.returned;
  out.superseded = counters.superseded;
  out.orphaned = counters.orphaned;
  out.backup = backup;
  out.sentence = "Restored the backup of " + m.created_at + " (" + std::to_string(m.rows()) + " rows, schema " + std::to_string(m.schema) + (m.schema == target ? "" : ", now " + std::to_string(target)) + ").";
  if (!kept.empty()) out.sentence += " What was there before is kept as " + kept + ".";
  if (out.parked) out.sentence += " " + std::to_string(out.parked) + " values that this version cannot hold are parked (`basalt parked list`).";
  return out;
}

Outcome restore_sqlite(Context& context, Attempt& attempt, Connection& backup, const Manifest& m) {
  auto file = context.store.options().sqlite_path;
  WritesClosed closed(context.store);
  std::unique_ptr<Connection> original = std::make_unique<SqliteConnection>(file);
  RunLock lock(context, *original, "restore", context.lock_patience);
  std::string safety;
  if (read_ledger(*original).present) safety = make_backup(context, "restore", "before restoring " + m.id).info.path;
  ScratchFile side(file.string() + ".restoring");
  std::filesystem::remove(side.path());
  migrations::Counters counters;
  {
    SqliteConnection c(side.path(), {.foreign_keys = false, .write_ahead_log = false});
    c.execute("BEGIN IMMEDIATE");
    load_backup(backup, m, c, lock.fence() + 1, [&](double part) { attempt.at("restoring", 0.3 + 0.5 * part, "restore"); });
    counters = bring_to_target(context, attempt, c);
    attempt.edge("before commit");
    c.execute("COMMIT");
  }
  if (lock.fence() == 0) {
    // An empty store has nothing to keep and no fence to check.
    sync_file(side.path());
    context.store.close_gate(appdb::Store::Closed::Everything);
    original.reset();
    std::error_code ignored;
    for (auto& suffix : {"-wal", "-shm"}) std::filesystem::remove(file.string() + suffix, ignored);
    std::filesystem::rename(side.path(), file);
    sync_folder(file.parent_path());
    return outcome_of(m, target_of(context), counters, safety, "");
  }
  auto keep_as = file.string() + ".replaced-" + file_time();
  swap_in(context, attempt, std::move(original), lock.fence(), side.path(), keep_as);
  return outcome_of(m, target_of(context), counters, safety, keep_as);
}

Outcome restore_postgres(Context& context, Attempt& attempt, Connection& backup, const Manifest& m) {
  WritesClosed closed(context.store);
  auto connection = context.store.connect();
  auto& c = *connection;
  RunLock lock(context, c, "restore", std::chrono::seconds(30));
  require_alone(context, c, "restore");
  bool present = read_ledger(c).present;
  std::string safety;
  if (present) safety = make_backup(context, "restore", "before restoring " + m.id).info.path;
  auto schema = context.store.options().postgres_schema, side = schema + "_restoring", keep_as = schema + "_replaced_" + file_time();
  migrations::Counters counters;
  // All of it is one transaction: whoever looks sees the old data or the new.
  c.execute_script("BEGIN");
  try {
    c.execute_script("CREATE SCHEMA " + quoted(side) + "; SET LOCAL search_path TO " + quoted(side));
    load_backup(backup, m, c, lock.fence() + 1, [&](double part) { attempt.at("restoring", 0.3 + 0.5 * part, "restore"); });
    counters = bring_to_target(context, attempt, c);
    if (lock.fence() > 0 && c.count("SELECT count(*) FROM " + quoted(schema) + ".upgrade_lock WHERE fence = ?", {lock.fence()}) != 1)
      throw Failure(FailureKind::Conflict, "Another Basalt process changed this data meanwhile; nothing was restored.");
    c.execute_script("ALTER SCHEMA " + quoted(schema) + " RENAME TO " + quoted(keep_as) + "; ALTER SCHEMA " + quoted(side) + " RENAME TO " + quoted(schema));
    if (!present) c.execute_script("DROP SCHEMA " + quoted(keep_as));
    attempt.edge("before commit");
    c.execute_script("COMMIT");
  } catch (...) {
    try {
      c.execute_script("ROLLBACK");
    } catch (...) {
    }
    throw;
  }
  return outcome_of(m, target_of(context), counters, safety, present ? "schema " + keep_as : "");
}

}  // namespace

Outcome restore(Context& context, const std::filesystem::path& file) {
  Attempt attempt(context);
  return attempt.guard([&] {
    auto outside = read_manifest(file);
    if (!outside.key_check.empty() && outside.key_check != context.key_check)
      throw Failure(FailureKind::BadRequest, context.key_check.empty() ? "The backup holds secrets that need the encryption key it was made with; set BASALT_ENCRYPTION_SECRET_KEY to it."
                                                                       : "The backup's secrets were encrypted with another key; set BASALT_ENCRYPTION_SECRET_KEY to the one in force when it was made.");
    attempt.at("restoring", 0.02, "read the backup");
    std::error_code ignored;
    auto folder = backup_folder(context);
    std::filesystem::create_directories(folder, ignored);
    ScratchFile opened(folder / (".opened-" + random_hex(8) + ".sqlite"));
    decompress(file, opened.path());
    SqliteConnection backup(opened.path(), {.foreign_keys = false, .write_ahead_log = false});
    auto row = backup.query_one("SELECT value FROM manifest WHERE key = 'manifest'");
    if (!row) throw Failure(FailureKind::BadRequest, file.string() + " is damaged: it has no manifest inside.");
    auto m = manifest_from_json(row->json("value"));
    if (m.root_hash != outside.root_hash) throw Failure(FailureKind::BadRequest, file.string() + " is damaged: its manifests differ.");
    auto outcome = context.store.engine() == Engine::Sqlite ? restore_sqlite(context, attempt, backup, m) : restore_postgres(context, attempt, backup, m);
    log::info("backup restored", {{"backup", m.id}, {"rows", std::to_string(m.rows())}});
    return outcome;
  });
}

}  // namespace basalt::upgrade
