#include "upgrade/backup.h"

#include <algorithm>
#include <set>

#include "appdb/sqlite_connection.h"
#include "base/crypto.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "upgrade/files.h"

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

std::string root_hash(const Manifest& manifest) {
  std::string text = std::to_string(manifest.schema) + "\n";
  for (auto& t : manifest.tables) text += t.name + " " + t.fingerprint.text() + "\n";
  return sha256_hex(text);
}

Fingerprint fingerprint_from(std::string_view text) {
  Fingerprint f;
  auto colon = text.find(':');
  if (colon == std::string_view::npos || text.size() != colon + 33) throw Failure(FailureKind::BadRequest, "The backup's manifest is damaged.");
  f.rows = std::stoll(std::string(text.substr(0, colon)));
  f.first = std::stoull(std::string(text.substr(colon + 1, 16)), nullptr, 16);
  f.second = std::stoull(std::string(text.substr(colon + 17, 16)), nullptr, 16);
  return f;
}

// The highest id ever given out, also of rows that are gone.
std::int64_t last_id(Connection& c, const migrations::Table& t) {
  if (!t.has_id || t.held) return 0;
  if (c.engine() == Engine::Sqlite) return c.count("SELECT seq FROM sqlite_sequence WHERE name = ?", {t.name});
  auto sequence = c.query_one("SELECT pg_get_serial_sequence(?, 'id') AS name", {quoted(t.name)});
  if (!sequence || sequence->is_null("name")) return 0;
  return c.count("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + sequence->text("name"));
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

migrations::Table without_references(migrations::Table t) {
  for (auto& c : t.columns) c.target.clear();
  return t;
}

void copy_rows(Connection& from, Connection& to, const migrations::Table& t, RowHasher& hasher) {
  auto& names = hasher.names();
  auto head = "INSERT INTO " + quoted(t.name) + " (" + list(names) + ") VALUES ";
  auto one = "(" + appdb::placeholders(names.size()) + ")";
  // SQLite is fastest with one cached statement, PostgreSQL with many rows per round trip.
  std::size_t chunk = to.engine() == Engine::Sqlite ? 1 : std::max<std::size_t>(1, std::min<std::size_t>(500, 30000 / names.size()));
  appdb::Parameters parameters;
  std::size_t pending = 0;
  std::string full;
  for (std::size_t i = 0; i < chunk; ++i) full += (i ? "," : "") + one;
  full = head + full;
  auto flush = [&] {
    if (pending == 0) return;
    if (pending == chunk) {
      to.execute(full, parameters);
    } else {
      std::string sql = head;
      for (std::size_t i = 0; i < pending; ++i) sql += (i ? "," : "") + one;
      to.execute(sql, parameters);
    }
    parameters.clear();
    pending = 0;
  };
  from.each("SELECT " + list(names) + " FROM " + quoted(t.name), {}, [&](const appdb::Row& row) {
    hasher.add(row.values());
    parameters.insert(parameters.end(), row.values().begin(), row.values().end());
    if (++pending == chunk) flush();
  });
  flush();
}

std::string compact_time(std::string text) {  // "2026-11-23T02:20:01.5Z" -> "20261123T022001"
  std::string out;
  for (char c : text.substr(0, 19)) if (c != '-' && c != ':') out += c;
  return out;
}

std::shared_ptr<ScratchFile> restored_scratch(const Context&);
Manifest verify_into(const Context&, const std::filesystem::path& file, const std::filesystem::path& restored);

std::filesystem::path mark_of(const std::filesystem::path& file) { return file.string() + ".verified"; }

void apply_retention(const Context& context) {
  for (auto& old : backups_to_delete(backup_list(context))) {
    std::error_code ignored;
    std::filesystem::remove(old.path, ignored);
    std::filesystem::remove(mark_of(old.path), ignored);
    log::info("backup deleted", {{"path", old.path}, {"reason", "newer ones are kept"}});
  }
}

}  // namespace

const Manifest::TableEntry* Manifest::table(std::string_view name) const {
  for (auto& t : tables) if (t.name == name) return &t;
  return nullptr;
}

std::int64_t Manifest::rows() const {
  std::int64_t out = 0;
  for (auto& t : tables) out += t.fingerprint.rows;
  return out;
}

json::value to_json(const Manifest& m) {
  json::array tables;
  for (auto& t : m.tables) tables.push_back(json::object{{"name", t.name}, {"fingerprint", t.fingerprint.text()}, {"last_id", t.last_id}});
  return json::object{{"format", m.format}, {"id", m.id}, {"kind", m.kind}, {"reason", m.reason}, {"engine", m.engine}, {"instance_id", m.instance_id}, {"binary", m.binary}, {"key_check", m.key_check},
                      {"created_at", m.created_at}, {"schema", m.schema}, {"root_hash", m.root_hash}, {"tables", std::move(tables)}, {"files", json::array{}}, {"structure", migrations::to_json(m.structure)}};
}

Manifest manifest_from_json(const json::value& v) {
  auto part = [&](const char* key) { return json::text(v, key).value_or(""); };
  Manifest m;
  m.format = static_cast<int>(json::integer(v, "format").value_or(0));
  if (m.format < 1) throw Failure(FailureKind::BadRequest, "The file is no Basalt backup.");
  if (m.format > 1) throw Failure(FailureKind::BadRequest, "The backup has format " + std::to_string(m.format) + ", made by Basalt " + part("binary") + "; this version reads format 1. Restore it with that version.");
  m.id = part("id");
  m.kind = part("kind");
  m.reason = part("reason");
  m.engine = part("engine");
  m.instance_id = part("instance_id");
  m.binary = part("binary");
  m.key_check = part("key_check");
  m.created_at = part("created_at");
  m.schema = static_cast<int>(json::integer(v, "schema").value_or(0));
  m.root_hash = part("root_hash");
  m.structure = migrations::structure_from_json(v.at("structure"));
  for (auto& t : v.at("tables").as_array()) m.tables.push_back({json::text(t, "name").value(), fingerprint_from(json::text(t, "fingerprint").value()), json::integer(t, "last_id").value_or(0)});
  return m;
}

Manifest read_manifest(const std::filesystem::path& file) {
  auto head = json::try_parse(read_head(file));
  if (!head) throw Failure(FailureKind::BadRequest, file.string() + " is no Basalt backup, or is damaged.");
  try {
    return manifest_from_json(*head);
  } catch (const Failure&) {
    throw;
  } catch (const std::exception&) {
    throw Failure(FailureKind::BadRequest, file.string() + " is damaged: its manifest cannot be read.");
  }
}

std::filesystem::path backup_folder(const Context& context) { return context.data_dir / "backups"; }

std::int64_t backup_space(Context& context) {
  std::int64_t bytes = context.store.engine() == Engine::Sqlite
                           ? sqlite_bytes(context.store.options().sqlite_path)
                           : context.store.read([](Connection& c) { return c.count("SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"); });
  // Uncompressed once while it is written, twice while it is verified, and itself.
  return bytes * 3 + (1 << 20);
}

BackupInfo info_of(const std::filesystem::path& file, const Manifest& m) {
  BackupInfo info;
  info.id = m.id;
  info.path = file.string();
  info.kind = m.kind;
  info.reason = m.reason;
  info.engine = m.engine;
  info.instance_id = m.instance_id;
  info.binary = m.binary;
  info.schema = m.schema;
  info.tables = static_cast<int>(m.tables.size());
  info.rows = m.rows();
  info.created_at = m.created_at;
  info.root_hash = m.root_hash;
  std::error_code error;
  auto bytes = std::filesystem::file_size(file, error);
  info.bytes = error ? 0 : static_cast<std::int64_t>(bytes);
  return info;
}

MadeBackup make_backup(Context& context, std::string kind, std::string reason, const std::function<void(double)>& progress, KeepRestored keep) {
  auto folder = backup_folder(context);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure(FailureKind::Unavailable, "The folder for backups, " + folder.string() + ", cannot be made: " + error.message() + ".");
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  require_space(folder, backup_space(context), "a verified backup");

  Manifest m;
  m.id = uuid7();
  m.kind = std::move(kind);
  m.reason = std::move(reason);
  m.binary = version();
  m.key_check = context.key_check;
  m.created_at = now_text();
  ScratchFile scratch(folder / (".partial-" + m.id + ".sqlite"));
  {
    auto source = context.store.connect();
    m.engine = source->engine() == Engine::Sqlite ? "sqlite" : "postgres";
    source->execute_script(source->engine() == Engine::Sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    auto ledger = read_ledger(*source);
    if (!ledger.present) throw Failure(FailureKind::BadRequest, "There is no data yet, so there is nothing to back up.");
    m.schema = ledger.schema;
    m.instance_id = ledger.instance_id;
    m.structure = ledger.structure;
    SqliteConnection target(scratch.path(), {.foreign_keys = false, .write_ahead_log = false});
    target.execute_script("PRAGMA synchronous=OFF");  // it is thrown away when anything fails, and compared afterwards
    target.execute("BEGIN");
    std::size_t done_tables = 0;
    for (auto& t : ledger.structure.tables) {
      if (progress) progress(0.5 * static_cast<double>(done_tables++) / static_cast<double>(ledger.structure.tables.size()));
      if (!t.in_backup) continue;
      target.execute_script(migrations::create_table_sql(Engine::Sqlite, plain(t)));
      RowHasher hasher(t);
      copy_rows(*source, target, t, hasher);
      m.tables.push_back({t.name, hasher.result(), last_id(*source, t)});
    }
    m.root_hash = root_hash(m);
    target.execute_script("CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL)");
    target.execute("INSERT INTO manifest (key, value) VALUES ('manifest', ?)", {json::write(to_json(m))});
    target.execute("COMMIT");
    source->execute_script("COMMIT");
  }
  if (context.hook) context.hook("backup written");
  auto file = folder / ("basalt-" + compact_time(m.created_at) + "-schema" + std::to_string(m.schema) + "-" + m.id.substr(m.id.size() - 8) + ".basalt-backup");
  ScratchFile partial(file.string() + ".partial");
  compress(scratch.path(), partial.path(), json::write(to_json(m)));
  std::filesystem::rename(partial.path(), file);
  sync_folder(folder);
  if (progress) progress(0.6);
  if (context.hook) context.hook("backup complete");
  MadeBackup out;
  try {
    auto restored = restored_scratch(context);
    verify_into(context, file, restored->path());
    if (keep == KeepRestored::Yes) out.restored = std::move(restored);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::rename(file, file.string() + ".damaged", ignored);
    throw;
  }
  if (progress) progress(1);
  out.info = info_of(file, m);
  out.manifest = m;
  out.info.verified_at = now_text();
  write_durably(mark_of(file), json::write(json::object{{"verified_at", out.info.verified_at}, {"root_hash", m.root_hash}}));
  apply_retention(context);
  log::info("backup made and verified", {{"path", file.string()}, {"bytes", std::to_string(out.info.bytes)}, {"rows", std::to_string(out.info.rows)}});
  return out;
}

Manifest verify_backup(const Context& context, const std::filesystem::path& file) { return verify_into(context, file, restored_scratch(context)->path()); }

namespace {

std::shared_ptr<ScratchFile> restored_scratch(const Context& context) {
  std::error_code ignored;
  std::filesystem::create_directories(backup_folder(context), ignored);
  return std::make_shared<ScratchFile>(backup_folder(context) / (".restored-" + random_hex(8) + ".sqlite"));
}

// The backup restored into a file of its own with all rules, and compared.
Manifest verify_into(const Context& context, const std::filesystem::path& file, const std::filesystem::path& restored) {
  auto outside = read_manifest(file);
  ScratchFile opened(backup_folder(context) / (".verify-" + random_hex(8) + ".sqlite"));
  decompress(file, opened.path());
  SqliteConnection backup(opened.path(), {.foreign_keys = false, .write_ahead_log = false});
  std::optional<appdb::Row> row;
  try {
    row = backup.query_one("SELECT value FROM manifest WHERE key = 'manifest'");
  } catch (const Failure&) {
  }
  if (!row) throw Failure(FailureKind::BadRequest, file.string() + " is damaged: it has no manifest inside.");
  auto m = manifest_from_json(row->json("value"));
  if (m.root_hash != outside.root_hash || m.root_hash != root_hash(m)) throw Failure(FailureKind::BadRequest, file.string() + " is damaged: its manifests differ.");
  SqliteConnection target(restored, {.foreign_keys = false, .write_ahead_log = false});
  target.execute_script("PRAGMA synchronous=OFF; BEGIN");
  load_backup(backup, m, target, 0);
  target.execute_script("COMMIT");
  return m;
}

}  // namespace

void load_backup(Connection& backup, const Manifest& m, Connection& target, std::int64_t fence, const std::function<void(double)>& progress, const TableFilter& fill) {
  bool sqlite = target.engine() == Engine::Sqlite;
  // PostgreSQL checks references row by row, and rows of one table may point at later ones: references come after the rows.
  for (auto& t : m.structure.tables) target.execute_script(migrations::create_table_sql(target.engine(), sqlite ? t : without_references(t)));
  std::size_t done_tables = 0;
  for (auto& t : m.structure.tables) {
    if (progress) progress(0.8 * static_cast<double>(done_tables++) / static_cast<double>(m.structure.tables.size()));
    if (!t.in_backup || (fill && !fill(t))) continue;
    auto* entry = m.table(t.name);
    if (!entry) throw Failure(FailureKind::BadRequest, "The backup is damaged: table " + t.name + " is missing.");
    RowHasher read(t);
    copy_rows(backup, target, t, read);
    if (read.result() != entry->fingerprint) throw Failure(FailureKind::BadRequest, "The backup is damaged: the rows of table " + t.name + " are not those that were backed up.");
    if (fingerprint(target, t) != entry->fingerprint) throw Failure(FailureKind::BadRequest, "The backup does not restore: the rows of table " + t.name + " arrive changed.");
    set_last_id(target, t, entry->last_id);
  }
  for (auto& t : m.structure.tables) for (auto& sql : migrations::index_sqls(t)) target.execute_script(sql);
  if (!sqlite) {
    for (auto& t : m.structure.tables)
      for (auto& c : t.columns) {
        if (c.target.empty()) continue;
        auto constraint = "ALTER TABLE " + quoted(t.name) + " ADD CONSTRAINT " + quoted(migrations::reference_name(t.name, c.name)) + " FOREIGN KEY (" + quoted(c.name) + ") REFERENCES " + quoted(c.target) + " (id)" +
                          (c.on_delete == migrations::OnDelete::Cascade ? " ON DELETE CASCADE" : c.on_delete == migrations::OnDelete::SetNull ? " ON DELETE SET NULL" : "");
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
  } else {
    target.execute_script("PRAGMA application_id = " + std::to_string(appdb::sqlite_application_id) + "; PRAGMA user_version = " + std::to_string(m.schema));
  }
  if (m.structure.table("upgrade_lock")) target.insert("upgrade_lock", {{"name", "upgrade"}, {"fence", fence}});
  if (progress) progress(1);
}

std::vector<BackupInfo> backups_to_delete(std::vector<BackupInfo> newest_first) {
  std::vector<BackupInfo> out;
  std::set<int> schemas;
  std::size_t place = 0;
  bool verified_seen = false;
  for (auto& b : newest_first) {
    bool newest_verified = !b.verified_at.empty() && !verified_seen;
    verified_seen = verified_seen || newest_verified;
    bool first_of_schema = !b.verified_at.empty() && schemas.insert(b.schema).second;
    if (place++ < 5 || first_of_schema || newest_verified || b.kind == "manual") continue;
    out.push_back(b);
  }
  return out;
}

BackupInfo backup_create(Context& context, std::string kind, std::string reason) { return make_backup(context, std::move(kind), std::move(reason)).info; }

BackupInfo backup_verify(Context& context, const std::filesystem::path& file) {
  auto m = verify_backup(context, file);
  auto info = info_of(file, m);
  info.verified_at = now_text();
  if (file.parent_path() == backup_folder(context)) write_durably(mark_of(file), json::write(json::object{{"verified_at", info.verified_at}, {"root_hash", m.root_hash}}));
  return info;
}

std::vector<BackupInfo> backup_list(const Context& context) {
  std::vector<BackupInfo> out;
  std::error_code error;
  for (auto& entry : std::filesystem::directory_iterator(backup_folder(context), error)) {
    if (entry.path().extension() != ".basalt-backup") continue;
    try {
      auto m = read_manifest(entry.path());
      auto info = info_of(entry.path(), m);
      if (std::filesystem::exists(mark_of(entry.path()))) {
        std::string text;
        if (auto* in = std::fopen(mark_of(entry.path()).c_str(), "rb")) {
          char buffer[512];
          text.assign(buffer, std::fread(buffer, 1, sizeof buffer, in));
          std::fclose(in);
        }
        auto mark = json::try_parse(text);
        // A mark counts only for the very backup it was made for.
        if (mark && json::text(*mark, "root_hash") == m.root_hash) info.verified_at = json::text(*mark, "verified_at").value_or("");
      }
      out.push_back(std::move(info));
    } catch (const Failure& failure) {
      BackupInfo damaged;
      damaged.path = entry.path().string();
      damaged.kind = "manual";  // nothing deletes what nobody can read
      damaged.reason = failure.sentence();
      out.push_back(std::move(damaged));
    }
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.created_at > b.created_at; });
  return out;
}

}  // namespace basalt::upgrade
