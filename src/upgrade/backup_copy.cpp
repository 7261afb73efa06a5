// The data of one moment into an uncompressed backup, while others write.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <thread>

#include "appdb/bulk.h"
#include "base/failure.h"
#include "base/version.h"
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

// The highest id ever given out, also of rows that are gone.
std::int64_t last_id(Connection& c, const migrations::Table& t) {
  if (!t.has_id || t.held) return 0;
  if (c.engine() == Engine::Sqlite) return c.count("SELECT seq FROM sqlite_sequence WHERE name = ?", {t.name});
  auto sequence = c.query_one("SELECT pg_get_serial_sequence(?, 'id') AS name", {quoted(t.name)});
  if (!sequence || sequence->is_null("name")) return 0;
  return c.count("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + sequence->text("name"));
}

// A table as the backup holds it: typed columns, no rules.
migrations::Table plain(const migrations::Table& t) {
  migrations::Table out = t;
  out.held = true;
  out.uniques.clear();
  out.indexes.clear();
  for (auto& c : out.columns) {
    migrations::Column bare;
    bare.name = c.name;
    bare.type = c.type;
    c = bare;
  }
  return out;
}

// Rows on their way from one thread to another, in blocks, a few at a time.
class RowQueue {
 public:
  explicit RowQueue(std::size_t width) : width_(width) {}

  void add(appdb::RawRow row) {
    for (auto value : row) {
      if (value.kind == appdb::RawValue::Kind::Text || value.kind == appdb::RawValue::Kind::Blob) {
        value.integer = static_cast<std::int64_t>(block_.bytes.size());
        block_.bytes += value.bytes;
        value.real = 0;
      }
      block_.values.push_back(value);
    }
    if (block_.bytes.size() > (512 << 10) || block_.values.size() > 40000) hand_over();
  }
  void end() {
    hand_over();
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  // The reader gave up: the writer stops as well.
  void abandon() {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  void each(const std::function<void(appdb::RawRow)>& row) {
    for (;;) {
      Block block;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !blocks_.empty() || ended_ || abandoned_; });
        if (blocks_.empty()) return;
        block = std::move(blocks_.front());
        blocks_.pop_front();
        changed_.notify_all();
      }
      for (auto& value : block.values)
        if (value.kind == appdb::RawValue::Kind::Text || value.kind == appdb::RawValue::Kind::Blob) value.bytes = {block.bytes.data() + value.integer, value.bytes.size()};
      for (std::size_t at = 0; at < block.values.size(); at += width_) row(appdb::RawRow(block.values).subspan(at, width_));
    }
  }

 private:
  struct Block {
    std::string bytes;
    std::vector<appdb::RawValue> values;
  };
  void hand_over() {
    if (block_.values.empty()) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return blocks_.size() < 4 || abandoned_; });
    if (abandoned_) throw Failure(FailureKind::Unavailable, "The backup was given up.");
    blocks_.push_back(std::exchange(block_, {}));
    changed_.notify_all();
  }
  std::size_t width_;
  Block block_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Block> blocks_;                // GUARDED_BY(mutex_)
  bool ended_ = false, abandoned_ = false;  // GUARDED_BY(mutex_)
};

// Two connections on one moment. Nothing was committed between their first looks when the counter of changes, looked at from a
// third, stands still.
void begin_together(Connection& first, Connection& second, Connection& witness) {
  for (int tries = 0;; ++tries) {
    auto before = witness.count("PRAGMA data_version");
    first.execute("BEGIN");
    first.count("SELECT count(*) FROM sqlite_master");
    second.execute("BEGIN");
    second.count("SELECT count(*) FROM sqlite_master");
    if (witness.count("PRAGMA data_version") == before) return;
    first.execute("ROLLBACK");
    second.execute("ROLLBACK");
    if (tries < 50) continue;
    // Somebody writes all the time: for this instant they wait.
    witness.execute("BEGIN IMMEDIATE");
    first.execute("BEGIN");
    first.count("SELECT count(*) FROM sqlite_master");
    second.execute("BEGIN");
    second.count("SELECT count(*) FROM sqlite_master");
    witness.execute("ROLLBACK");
    return;
  }
}

using Entries = std::vector<Manifest::TableEntry>;

// SQLite copies rows by itself; they are hashed beside that, where they come from.
Entries copy_sqlite(Context& context, const std::filesystem::path& scratch, Manifest& m, const std::function<void(const Ledger&)>& look, const std::function<void(double)>& progress) {
  auto source = context.store.connect(), hashing = context.store.connect(), witness = context.store.connect();
  open_scratch(scratch);  // makes the file, readable by its owner only
  source->execute("ATTACH ? AS scratch", {scratch.string()});
  source->execute_script("PRAGMA scratch.synchronous=OFF; PRAGMA scratch.journal_mode=OFF; PRAGMA scratch.cache_size=-16384");
  begin_together(*source, *hashing, *witness);
  witness.reset();
  look(read_ledger(*source));
  std::vector<const migrations::Table*> tables;
  for (auto& t : m.structure.tables) if (t.in_backup) tables.push_back(&t);
  std::int64_t expected = 1;
  for (auto* t : tables) expected += source->count("SELECT max(rowid) FROM " + quoted(t->name));
  std::vector<Fingerprint> sums(tables.size());
  std::atomic<bool> stop{false};
  Beside hasher([&] {
    std::int64_t done = 0;
    for (std::size_t i = 0; i < tables.size(); ++i) {
      RowHasher rows(*tables[i]);
      appdb::each_raw(*hashing, tables[i]->name, rows.columns(), [&](appdb::RawRow row) {
        rows.add(row);
        if (++done % 4096 == 0) {
          if (stop) throw Failure(FailureKind::Unavailable, "The backup was given up.");
          if (progress) progress(std::min(1.0, static_cast<double>(done) / static_cast<double>(expected)));
        }
      });
      sums[i] = rows.result();
    }
  });
  Entries out;
  try {
    for (auto* t : tables) {
      auto columns = list(t->column_names());
      source->execute("INSERT INTO scratch." + quoted(t->name) + " (" + columns + ") SELECT " + columns + " FROM main." + quoted(t->name));
      out.push_back({t->name, {}, last_id(*source, *t)});
    }
  } catch (...) {
    stop = true;
    try {
      hasher.join();
    } catch (const Failure&) {
      // What was copied failed first, and says more.
    }
    throw;
  }
  hasher.join();
  source->execute("COMMIT");
  hashing->execute("COMMIT");
  for (std::size_t i = 0; i < out.size(); ++i) out[i].fingerprint = sums[i];
  return out;
}

Entries copy_postgres(Context& context, const std::filesystem::path& scratch, Manifest& m, const std::function<void(const Ledger&)>& look, const std::function<void(double)>& progress) {
  auto source = context.store.connect();
  source->execute_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  look(read_ledger(*source));
  auto target = open_scratch(scratch);
  target->execute("BEGIN");
  auto expected = std::max<std::int64_t>(1, source->count("SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"));
  std::int64_t done = 0;
  Entries out;
  for (auto& t : m.structure.tables) {
    if (!t.in_backup) continue;
    RowHasher rows(t);
    RowQueue queue(rows.columns().size());
    auto writer = appdb::row_writer(*target, t.name, rows.columns());
    Beside writing([&] {
      try {
        queue.each([&](appdb::RawRow row) { writer->add(row); });
      } catch (...) {
        queue.abandon();
        throw;
      }
    });
    try {
      appdb::each_raw(*source, t.name, rows.columns(), [&](appdb::RawRow row) {
        rows.add(row);
        queue.add(row);
        if (++done % 4096 == 0 && progress) progress(std::min(1.0, static_cast<double>(done) / static_cast<double>(expected)));
      });
      queue.end();
    } catch (...) {
      queue.abandon();
      writing.join();  // its own failure, when it has one, is the cause
      throw;
    }
    writing.join();
    writer->finish();
    out.push_back({t.name, rows.result(), last_id(*source, t)});
  }
  target->execute("COMMIT");
  source->execute_script("COMMIT");
  return out;
}

}  // namespace

std::unique_ptr<SqliteConnection> open_scratch(const std::filesystem::path& file) {
  auto c = std::make_unique<SqliteConnection>(file, appdb::SqliteOpening{.foreign_keys = false, .write_ahead_log = false});
  // Sorts for indexes spill to disk, so that memory does not grow with the data; runs of 16 MB sort faster than one long one.
  c->execute_script("PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; PRAGMA cache_size=-16384; PRAGMA temp_store=FILE");
  return c;
}

void copy_out(Context& context, const std::filesystem::path& scratch, Manifest& m, const std::function<void(double)>& progress) {
  // The tables first, in the shape of the moment that will be copied.
  auto look = [&](const Ledger& ledger) {
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to back up.");
    m.schema = ledger.schema;
    m.instance_id = ledger.instance_id;
    m.structure = ledger.structure;
    auto target = open_scratch(scratch);
    target->execute("BEGIN");
    for (auto& t : m.structure.tables) if (t.in_backup) target->execute_script(migrations::create_table_sql(Engine::Sqlite, plain(t)));
    target->execute("COMMIT");
  };
  bool sqlite = context.store.engine() == Engine::Sqlite;
  m.engine = sqlite ? "sqlite" : "postgres";
  m.tables = sqlite ? copy_sqlite(context, scratch, m, look, progress) : copy_postgres(context, scratch, m, look, progress);
  auto target = open_scratch(scratch);
  target->execute("BEGIN");
  m.files = pack_files(context.data_dir, *target);
  m.root_hash = root_hash(m);
  target->execute_script("CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
  target->execute("INSERT INTO manifest (key, value) VALUES ('manifest', ?)", {json::write(to_json(m))});
  target->execute("COMMIT");
}

}  // namespace basalt::upgrade
