// A backup in the place of what is there, which is kept.
#include "appdb/sqlite_connection.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "upgrade/backup_parts.h"
#include "upgrade/files.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using appdb::SqliteConnection;

namespace {

// The loaded backup to this binary's schema, and to a generation of its own: whoever remembers the data before must start anew.
// Within a transaction.
migrations::Counters settle(Context& context, Attempt& attempt, Connection& c, const std::string& generation) {
  auto ledger = read_ledger(c);
  StepContext step{c, ledger};
  if (ledger.schema != target_of(context)) {
    auto way = way_to(context, c, ledger, target_of(context));
    run_way(attempt, step, way, [](const std::function<void()>& work) { work(); });
  }
  ledger.generation = generation;
  write_schema(c, ledger);
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
  if (m.files.count) out.sentence += " " + std::to_string(m.files.count) + " uploaded files are back.";
  if (!kept.empty()) out.sentence += " What was there before is kept as " + kept + ".";
  if (out.parked) out.sentence += " " + std::to_string(out.parked) + " values that this version cannot hold are parked (`basalt parked list`).";
  return out;
}

Outcome restore_sqlite(Context& context, Attempt& attempt, SqliteConnection& backup, const Manifest& m, const std::string& generation) {
  auto file = context.store.options().sqlite_path;
  WritesClosed closed(context.store);
  std::unique_ptr<Connection> original = std::make_unique<SqliteConnection>(file);
  RunLock lock(context, *original, "restore", context.lock_patience);
  std::string safety;
  if (read_ledger(*original).present) safety = make_backup(context, "restore", "before restoring " + m.id).info.path;
  require_space(file.parent_path(), static_cast<std::int64_t>(std::filesystem::file_size(backup.file())) * 2, "the restored data");
  ScratchFile side(file.string() + ".restoring");
  side.remove();
  auto fence = lock.fence();
  // Nobody knows the file yet, so it needs no safety while it is filled; swap_in brings it to the disk.
  load_tables(backup, m, *open_scratch(side.path()), fence + 1, Compare::Yes, [&](double part) { attempt.at("restoring", 0.3 + 0.5 * part, "restore"); }, {});
  attempt.edge("loaded");
  migrations::Counters counters;
  {
    SqliteConnection c(side.path(), {.foreign_keys = false, .write_ahead_log = false});
    c.execute("BEGIN IMMEDIATE");
    counters = settle(context, attempt, c, generation);
    attempt.edge("before commit");
    c.execute("COMMIT");
  }
  if (fence == 0) {
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
  auto keep_as = file.string() + ".replaced-" + file_time(), base = keep_as;
  for (int n = 2; std::filesystem::exists(keep_as); ++n) keep_as = base + "-" + std::to_string(n);  // two restores in one second
  swap_in(context, attempt, std::move(original), fence, side.path(), keep_as);
  return outcome_of(m, target_of(context), counters, safety, keep_as);
}

Outcome restore_postgres(Context& context, Attempt& attempt, SqliteConnection& backup, const Manifest& m, const std::string& generation) {
  WritesClosed closed(context.store);
  auto connection = context.store.connect();
  auto& c = *connection;
  RunLock lock(context, c, "restore", std::chrono::seconds(30));
  require_alone(context, c, "restore");
  bool present = read_ledger(c).present;
  std::string safety;
  if (present) safety = make_backup(context, "restore", "before restoring " + m.id).info.path;
  auto schema = context.store.options().postgres_schema, side = schema + "_restoring", keep_as = schema + "_replaced_" + file_time();
  for (auto base = keep_as; c.count("SELECT count(*) FROM pg_namespace WHERE nspname = ?", {keep_as}) > 0;) keep_as = base + "_" + random_hex(3);  // two restores in one second
  migrations::Counters counters;
  auto fence = lock.fence();
  // All of it is one transaction: whoever looks sees the old data or the new.
  c.execute_script("BEGIN");
  try {
    c.execute_script("CREATE SCHEMA " + quoted(side) + "; SET LOCAL search_path TO " + quoted(side) + "; SET LOCAL maintenance_work_mem TO '128MB'");
    load_tables(backup, m, c, fence + 1, Compare::Yes, [&](double part) { attempt.at("restoring", 0.3 + 0.5 * part, "restore"); }, {});
    attempt.edge("loaded");
    counters = settle(context, attempt, c, generation);
    if (fence > 0 && c.count("SELECT count(*) FROM " + quoted(schema) + ".upgrade_lock WHERE name = 'upgrade' AND fence = ?", {fence}) != 1)
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

void require_key(const Context& context, const std::string& key_check) {
  if (key_check.empty() || key_check == context.key_check) return;
  throw Failure(FailureKind::BadRequest, context.key_check.empty() ? "The backup holds secrets that need the encryption key it was made with; set BASALT_ENCRYPTION_SECRET_KEY to it."
                                                                   : "The backup's secrets were encrypted with another key; set BASALT_ENCRYPTION_SECRET_KEY to the one in force when it was made.");
}

}  // namespace

Outcome put_in_place(Context& context, Attempt& attempt, SqliteConnection& backup, const Manifest& m, Uploads uploads) {
  auto generation = uuid4();
  ScratchUse use(context.data_dir);
  auto staged = staged_uploads(context.data_dir, generation);
  std::error_code ignored;
  Outcome outcome;
  try {
    if (uploads == Uploads::Replace) {
      std::filesystem::create_directories(staged);
      std::filesystem::permissions(staged, std::filesystem::perms::owner_all, ignored);
      unpack_files(backup, m.files, staged);
      sync_new(staged);
    }
    outcome = context.store.engine() == Engine::Sqlite ? restore_sqlite(context, attempt, backup, m, generation) : restore_postgres(context, attempt, backup, m, generation);
  } catch (const std::exception&) {
    // The data may be in its place although what came after failed: then the files follow at the next start.
    bool in_place = false;
    try {
      in_place = read_ledger(*context.store.connect()).generation == generation;
    } catch (const std::exception&) {
      in_place = true;  // not known: the next start decides
    }
    if (!in_place) std::filesystem::remove_all(staged, ignored);
    throw;
  }
  attempt.edge("data in place");
  place_uploads(context.data_dir, generation);
  return outcome;
}

Outcome restore(Context& context, const std::filesystem::path& file) {
  Attempt attempt(context);
  return attempt.guard([&] {
    require_key(context, read_manifest(file).key_check);
    attempt.at("restoring", 0.02, "read the backup");
    clean_left_overs(context);
    std::filesystem::create_directories(backup_folder(context));
    ScratchFile opened(backup_folder(context) / (".opened-" + random_hex(8) + ".sqlite"));
    auto m = open_backup(context, file, opened.path());
    require_key(context, m.key_check);
    Outcome outcome;
    read_of_backup(file, [&] { outcome = put_in_place(context, attempt, *open_scratch(opened.path()), m); });
    log::info("backup restored", {{"backup", m.id}, {"rows", std::to_string(m.rows())}});
    return outcome;
  });
}

}  // namespace basalt::upgrade
