// An opened backup into an empty store of either engine, with all rules, and compared.
#include <algorithm>
#include <atomic>
#include <thread>

#include "appdb/bulk.h"
#include "base/failure.h"
#include "base/random.h"
#include "upgrade/backup_parts.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::quoted;
using appdb::SqliteConnection;

namespace {

std::string list(const std::vector<std::string>& names) {
  std::string out;
  for (auto& n : names) out += (out.empty() ? "" : ", ") + quoted(n);
  return out;
}

migrations::Table without_references(migrations::Table t) {
  for (auto& c : t.columns) c.target.clear();
  return t;
}

Failure changed_in_backup(const std::string& table) { return Failure(FailureKind::BadRequest, "The backup is damaged: the rows of table " + table + " are not those that were backed up."); }
Failure arrives_changed(const std::string& table) { return Failure(FailureKind::BadRequest, "The backup does not restore: the rows of table " + table + " arrive changed."); }

// Runs `work` on a table; what is refused is the backup's fault, and names the table.
void with_table(const std::string& table, const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    bool ours = failure.kind() == FailureKind::Conflict || failure.kind() == FailureKind::BadRequest;
    if (!ours || failure.sentence().starts_with("The backup")) throw;
    throw Failure(FailureKind::BadRequest, "The backup does not restore: table " + table + ": " + failure.sentence()).with_details(failure.details());
  }
}

void set_last_id(Connection& c, const migrations::Table& t, std::int64_t id) {
  if (!t.has_id || t.held || id <= 0) return;
  if (c.engine() == Engine::Sqlite) {
    c.execute("DELETE FROM sqlite_sequence WHERE name = ?", {t.name});
    c.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", {t.name, id});
  } else {
    c.count("SELECT setval(pg_get_serial_sequence(?, 'id'), ?)", {quoted(t.name), id});
  }
}

// Keys of an empty PostgreSQL table that go until its rows are there, and come back under their names.
struct Key { std::string table, name, definition; };
std::vector<Key> put_keys_aside(Connection& c, const migrations::Table& t) {
  std::vector<Key> keys;
  c.each("SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conrelid = CAST(? AS regclass) AND contype IN ('p', 'u') ORDER BY contype", {quoted(t.name)},
         [&](const appdb::Row& row) { keys.push_back({t.name, row.text("conname"), row.text("definition")}); });
  for (auto& key : keys) c.execute_script("ALTER TABLE " + quoted(t.name) + " DROP CONSTRAINT " + quoted(key.name));
  return keys;
}

void add_references(Connection& target, const migrations::Table& t, const std::function<bool(const std::string& table)>& filled) {
  for (auto& c : t.columns) {
    if (c.target.empty()) continue;
    auto constraint = "ALTER TABLE " + quoted(t.name) + " ADD CONSTRAINT " + quoted(migrations::reference_name(t.name, c.name)) + " FOREIGN KEY (" + quoted(c.name) + ") REFERENCES " + quoted(c.target) + " (id)" +
                      (c.on_delete == migrations::OnDelete::Cascade ? " ON DELETE CASCADE" : c.on_delete == migrations::OnDelete::SetNull ? " ON DELETE SET NULL" : "");
    if (filled(t.name) && !filled(c.target)) {
      target.execute_script(constraint + " NOT VALID");
      continue;
    }
    target.execute_script("SAVEPOINT reference");
    try {
      target.execute_script(constraint);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::BadRequest) throw;
      // Rows that already dangled where they came from are kept; new ones are checked.
      target.execute_script("ROLLBACK TO SAVEPOINT reference");
      target.execute_script(constraint + " NOT VALID");
    }
    target.execute_script("RELEASE SAVEPOINT reference");
  }
}

// The backup's own file beside the target's, so that SQLite copies rows by itself. Not within a transaction: what is attached
// there stays attached to its end, and its tables would answer to names that the target does not have.
class Attached {
 public:
  Attached(Connection& c, const std::filesystem::path& file) : connection_(c), name_("backup_" + random_hex(6)) { c.execute("ATTACH ? AS " + name_, {file.string()}); }
  ~Attached() {
    try {
      connection_.execute_script("DETACH " + name_);
    } catch (const Failure&) {
      // A transaction was left open by a failure; the connection goes with it.
    }
  }
  Attached(const Attached&) = delete;
  const std::string& name() const { return name_; }

 private:
  Connection& connection_;
  std::string name_;
};

}  // namespace

void load_tables(SqliteConnection& backup, const Manifest& m, Connection& target, std::int64_t fence, Compare compare, const std::function<void(double)>& progress, const TableFilter& fill, Indexes indexes) {
  bool sqlite = target.engine() == Engine::Sqlite;
  auto filled = [&](const migrations::Table& t) { return t.in_backup && (!fill || fill(t)); };
  auto filled_by_name = [&](const std::string& name) {
    auto* t = m.structure.table(name);
    return t && filled(*t);
  };
  std::optional<Attached> attached;
  bool own_transaction = sqlite && !static_cast<SqliteConnection&>(target).in_transaction();
  if (own_transaction) {
    attached.emplace(target, backup.file());
    target.execute("BEGIN");
  }
  // PostgreSQL checks references row by row, and rows of one table may point at later ones: references come after the rows.
  for (auto& t : m.structure.tables) target.execute_script(migrations::create_table_sql(target.engine(), sqlite ? t : without_references(t)));
  auto total = static_cast<double>(std::max<std::int64_t>(1, m.rows()));
  std::int64_t done = 0;
  std::vector<Key> keys;
  for (auto& t : m.structure.tables) {
    if (!filled(t)) continue;
    auto* entry = m.table(t.name);
    if (!entry) throw Failure(FailureKind::BadRequest, "The backup is damaged: table " + t.name + " is missing.");
    with_table(t.name, [&] {
      if (attached) {
        auto columns = list(t.column_names());
        target.execute("INSERT INTO main." + quoted(t.name) + " (" + columns + ") SELECT " + columns + " FROM " + attached->name() + "." + quoted(t.name));
      } else {
        if (!sqlite) for (auto& key : put_keys_aside(target, t)) keys.push_back(key);
        RowHasher shape(t);
        auto writer = appdb::row_writer(target, t.name, shape.columns());
        std::int64_t rows = 0;
        appdb::each_raw(backup, t.name, shape.columns(), [&](appdb::RawRow row) {
          writer->add(row);
          if (++rows % 8192 == 0 && progress) progress(0.75 * static_cast<double>(done + rows) / total);
        });
        writer->finish();
      }
      if (compare == Compare::Yes && fingerprint(target, t) != entry->fingerprint) throw fingerprint(backup, t) != entry->fingerprint ? changed_in_backup(t.name) : arrives_changed(t.name);
      set_last_id(target, t, entry->last_id);
    });
    done += entry->fingerprint.rows;
    if (progress) progress(0.75 * static_cast<double>(done) / total);
  }
  for (auto& key : keys) with_table(key.table, [&] { target.execute_script("ALTER TABLE " + quoted(key.table) + " ADD CONSTRAINT " + quoted(key.name) + " " + key.definition); });
  for (auto& t : m.structure.tables)
    with_table(t.name, [&] {
      auto rules = t;
      if (indexes == Indexes::Rules) rules.indexes.clear();
      for (auto& sql : migrations::index_sqls(rules)) target.execute_script(sql);
    });
  if (progress) progress(0.9);
  if (!sqlite) {
    for (auto& t : m.structure.tables) add_references(target, t, filled_by_name);
  } else {
    target.execute_script("PRAGMA application_id = " + std::to_string(appdb::sqlite_application_id) + "; PRAGMA user_version = " + std::to_string(m.schema));
  }
  if (m.structure.table("upgrade_lock")) target.insert("upgrade_lock", {{"name", "upgrade"}, {"fence", fence}});
  if (own_transaction) target.execute("COMMIT");
  if (progress) progress(1);
}

void load_backup(Connection& backup, const Manifest& m, Connection& target, std::int64_t fence, const std::function<void(double)>& progress, const TableFilter& fill) {
  load_tables(static_cast<SqliteConnection&>(backup), m, target, fence, Compare::Yes, progress, fill);
}

void compare_restored(const std::filesystem::path& restored, SqliteConnection& backup, const Manifest& m) {
  // Sums over parts of a table add up, so that even one big table keeps all cores busy.
  struct Part { std::size_t table; std::string condition; };
  constexpr std::int64_t part_rows = 100000;
  std::vector<const migrations::Table*> tables;
  std::vector<Part> parts;
  {
    SqliteConnection c(restored, {.read_only = true, .foreign_keys = false, .write_ahead_log = false});
    for (auto& t : m.structure.tables) {
      if (!t.in_backup) continue;
      auto* entry = m.table(t.name);
      if (!entry) throw Failure(FailureKind::BadRequest, "The backup is damaged: table " + t.name + " is missing.");
      tables.push_back(&t);
      auto rows = entry->fingerprint.rows;
      if (rows <= part_rows) {
        parts.push_back({tables.size() - 1, {}});
        continue;
      }
      auto least = c.count("SELECT min(rowid) FROM " + quoted(t.name)), most = c.count("SELECT max(rowid) FROM " + quoted(t.name));
      auto count = rows / part_rows + 1;
      auto step = static_cast<std::int64_t>((static_cast<__int128>(most) - least) / count);
      for (std::int64_t i = 0; i < count; ++i) {
        std::string condition;
        if (i > 0) condition = "rowid >= " + std::to_string(least + i * step);
        if (i + 1 < count) condition += (condition.empty() ? "" : " AND ") + ("rowid < " + std::to_string(least + (i + 1) * step));
        parts.push_back({tables.size() - 1, condition});
      }
    }
  }
  std::vector<Fingerprint> sums(tables.size());
  std::mutex mutex;
  std::exception_ptr failure;
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    try {
      SqliteConnection c(restored, {.read_only = true, .foreign_keys = false, .write_ahead_log = false});
      for (auto i = next++; i < parts.size(); i = next++) {
        auto sum = fingerprint(c, *tables[parts[i].table], parts[i].condition);
        std::lock_guard lock(mutex);
        sums[parts[i].table].add(sum);
      }
    } catch (...) {
      std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < std::clamp(std::thread::hardware_concurrency(), 1u, 4u); ++i) others.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    auto& name = tables[i]->name;
    auto& expected = m.table(name)->fingerprint;
    if (sums[i] != expected) throw fingerprint(backup, *tables[i]) != expected ? changed_in_backup(name) : arrives_changed(name);
  }
}

}  // namespace basalt::upgrade
