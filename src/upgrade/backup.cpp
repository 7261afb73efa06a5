#include "upgrade/backup.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/failure.h"
#include "base/log.h"
#include "base/random.h"
#include "base/version.h"
#include "upgrade/backup_parts.h"
#include "upgrade/seal.h"

namespace basalt::upgrade {

using appdb::Connection;
using appdb::Engine;
using appdb::SqliteConnection;

std::string root_hash(const Manifest& manifest) {
  std::string text = std::to_string(manifest.schema) + "\n";
  for (auto& t : manifest.tables) text += t.name + " " + t.fingerprint.text() + "\n";
  if (manifest.files.count > 0) text += "files " + manifest.files.hash + "\n";
  return sha256_hex(text);
}

namespace {

Fingerprint fingerprint_from(std::string_view text) {
  Fingerprint f;
  auto colon = text.find(':');
  if (colon == std::string_view::npos || colon > 18 || text.size() != colon + 33 || text.substr(0, colon).find_first_not_of("0123456789") != std::string_view::npos || text.substr(colon + 1).find_first_not_of("0123456789abcdef") != std::string_view::npos || colon == 0)
    throw Failure(FailureKind::BadRequest, "The backup's manifest is damaged.");
  f.rows = std::stoll(std::string(text.substr(0, colon)));
  f.first = std::stoull(std::string(text.substr(colon + 1, 16)), nullptr, 16);
  f.second = std::stoull(std::string(text.substr(colon + 17, 16)), nullptr, 16);
  return f;
}

std::string compact_time(std::string text) {  // "2026-11-23T02:20:01.5Z" -> "20261123T022001"
  std::string out;
  for (char c : text.substr(0, 19)) if (c != '-' && c != ':') out += c;
  return out;
}

std::filesystem::path made_backup_folder(const Context& context) {
  auto folder = backup_folder(context);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure(FailureKind::Unavailable, "The folder for backups, " + folder.string() + ", cannot be made: " + error.message() + ".");
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  return folder;
}

std::shared_ptr<ScratchFile> restored_scratch(const Context& context) { return std::make_shared<ScratchFile>(backup_folder(context) / (".restored-" + random_hex(8) + ".sqlite")); }

// The manifest of about half the work, and of the other half.
std::pair<Manifest, Manifest> halves(const Manifest& m) {
  Manifest first = m, second = m;
  for (auto* half : {&first, &second}) {
    half->structure.tables.clear();
    half->tables.clear();
  }
  std::vector<std::pair<std::int64_t, const migrations::Table*>> by_cost;
  for (auto& t : m.structure.tables) {
    auto* entry = m.table(t.name);
    by_cost.emplace_back((entry ? entry->fingerprint.rows : 0) * static_cast<std::int64_t>(4 + 5 * t.uniques.size()), &t);
  }
  std::stable_sort(by_cost.begin(), by_cost.end(), [](auto& a, auto& b) { return a.first > b.first; });
  std::int64_t costs[2] = {0, 0};
  for (auto& [cost, t] : by_cost) {
    int lighter = costs[0] <= costs[1] ? 0 : 1;
    costs[lighter] += cost;
    auto& half = lighter == 0 ? first : second;
    half.structure.tables.push_back(*t);
    if (auto* entry = m.table(t->name)) half.tables.push_back(*entry);
  }
  return {std::move(first), std::move(second)};
}

// The backup restored with all rules, and compared: into one file when that is wanted afterwards, else into two side by side.
Manifest verify_into(const Context& context, const std::filesystem::path& file, const ScratchFile& restored, KeepRestored keep, const std::function<void(double)>& progress) {
  ScratchFile opened(backup_folder(context) / (".verify-" + random_hex(8) + ".sqlite")), beside(restored.path().string() + "-beside");
  auto m = open_backup(context, file, opened.path());
  if (progress) progress(0.15);
  auto loading = [&](double part) { if (progress) progress(0.15 + 0.6 * part); };
  read_of_backup(file, [&] {
    auto backup = open_scratch(opened.path());
    if (keep == KeepRestored::Yes || m.rows() < 20000) {
      load_tables(*backup, m, *open_scratch(restored.path()), 0, Compare::No, loading, {});
      compare_restored(restored.path(), *backup, m);
    } else {
      auto [first, second] = halves(m);
      Beside other([&, second = second] { load_tables(*open_scratch(opened.path()), second, *open_scratch(beside.path()), 0, Compare::No, {}, {}, Indexes::Rules); });
      load_tables(*backup, first, *open_scratch(restored.path()), 0, Compare::No, loading, {}, Indexes::Rules);
      other.join();
      compare_restored(restored.path(), *backup, first);
      compare_restored(beside.path(), *backup, second);
    }
    unpack_files(*backup, m.files, {});
  });
  if (progress) progress(1);
  return m;
}

}  // namespace

void read_of_backup(const std::filesystem::path& file, const std::function<void()>& work) {
  auto damaged = [&](const std::string& details) { return Failure(FailureKind::BadRequest, file.string() + " is damaged: what it holds cannot be read.").with_details(details); };
  try {
    work();
  } catch (const Failure& failure) {
    // What SQLite or our own reading stumbles over there is the backup's fault: 11 is a damaged file, 26 no database.
    auto& details = failure.details();
    bool about_it = failure.kind() == FailureKind::Bug ? details.find("SQLite ") != std::string::npos : details.find("SQLite 11:") != std::string::npos || details.find("SQLite 26:") != std::string::npos;
    if (!about_it) throw;
    throw damaged(details);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw damaged(error.what());
  }
}

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
                      {"created_at", m.created_at}, {"schema", m.schema}, {"root_hash", m.root_hash}, {"tables", std::move(tables)},
                      {"files", json::object{{"count", m.files.count}, {"bytes", m.files.bytes}, {"hash", m.files.hash}}}, {"structure", migrations::to_json(m.structure)}};
}

json::object outside_json(const Manifest& m, bool encrypted) {
  if (!encrypted) return to_json(m).as_object();
  return {{"format", m.format}, {"encrypted", true}, {"id", m.id}, {"kind", m.kind}, {"engine", m.engine}, {"binary", m.binary}, {"created_at", m.created_at}, {"schema", m.schema}};
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
  m.encrypted = json::boolean(v, "encrypted").value_or(false);
  if (m.encrypted) return m;
  m.root_hash = part("root_hash");
  if (auto* files = json::find(v, "files"); files && files->is_object()) m.files = {json::integer(*files, "count").value_or(0), json::integer(*files, "bytes").value_or(0), json::text(*files, "hash").value_or("")};
  m.structure = migrations::structure_from_json(v.at("structure"));
  for (auto& t : m.structure.tables)
    for (auto& c : t.columns)
      if (c.preset && (c.preset->is_object() || c.preset->is_array())) throw Failure(FailureKind::BadRequest, "The backup's manifest is damaged.");  // it would become SQL
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
  std::error_code error;
  for (auto& entry : std::filesystem::recursive_directory_iterator(uploads_of(context.data_dir), error))
    if (entry.is_regular_file(error)) bytes += static_cast<std::int64_t>(entry.file_size(error));
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
  info.files = m.files.count;
  info.created_at = m.created_at;
  info.root_hash = m.root_hash;
  info.encrypted = m.encrypted;
  std::error_code error;
  auto bytes = std::filesystem::file_size(file, error);
  info.bytes = error ? 0 : static_cast<std::int64_t>(bytes);
  return info;
}

MadeBackup make_backup(Context& context, std::string kind, std::string reason, const std::function<void(double)>& progress, KeepRestored keep) {
  auto folder = made_backup_folder(context);
  clean_left_overs(context);
  require_space(folder, backup_space(context), "a verified backup");
  auto at = [&](double from, double to) { return [&progress, from, to](double part) { if (progress) progress(from + (to - from) * part); }; };

  Manifest m;
  m.id = uuid7();
  m.kind = std::move(kind);
  m.reason = std::move(reason);
  m.binary = version();
  m.key_check = context.key_check;
  m.created_at = now_text();
  ScratchFile scratch(folder / (".partial-" + m.id + ".sqlite"));
  copy_out(context, scratch.path(), m, at(0, 0.45));
  if (context.hook) context.hook("backup written");
  bool encrypted = !context.backup_passphrase.empty();
  auto file = folder / ("basalt-" + compact_time(m.created_at) + "-schema" + std::to_string(m.schema) + "-" + m.id.substr(m.id.size() - 8) + ".basalt-backup");
  ScratchFile partial(file.string() + ".partial");
  pack(scratch.path(), partial.path(), outside_json(m, encrypted), context.backup_passphrase);
  scratch.remove();
  std::filesystem::rename(partial.path(), file);
  sync_folder(folder);
  at(0, 1)(0.6);
  if (context.hook) context.hook("backup complete");
  MadeBackup out;
  try {
    auto restored = restored_scratch(context);
    verify_into(context, file, *restored, keep, at(0.6, 1));
    if (keep == KeepRestored::Yes) out.restored = std::move(restored);
  } catch (const Failure& failure) {
    // Only what is known to be wrong is called so: a full disk says nothing of the file.
    std::error_code ignored;
    if (failure.kind() == FailureKind::BadRequest) std::filesystem::rename(file, file.string() + ".damaged", ignored);
    else std::filesystem::remove(file, ignored);
    throw;
  }
  m.encrypted = encrypted;
  out.info = info_of(file, m);
  out.manifest = m;
  out.info.verified_at = now_text();
  write_mark(file, {out.info.verified_at, {}, {}});
  apply_retention(context);
  at(0, 1)(1);
  log::info("backup made and verified", {{"path", file.string()}, {"bytes", std::to_string(out.info.bytes)}, {"rows", std::to_string(out.info.rows)}});
  return out;
}

Manifest open_backup(const Context& context, const std::filesystem::path& file, const std::filesystem::path& opened) {
  auto outside = read_manifest(file);
  unpack(file, opened, context.backup_passphrase);
  auto broken = [&](const std::string& how) { return Failure(FailureKind::BadRequest, file.string() + " is damaged: " + how + "."); };
  std::optional<Manifest> m;
  try {
    auto row = SqliteConnection(opened, {.foreign_keys = false, .write_ahead_log = false}).query_one("SELECT value FROM manifest WHERE key = 'manifest'");
    if (row) m = manifest_from_json(row->json("value"));
  } catch (const Failure& failure) {
    if (failure.sentence().starts_with("The backup has format")) throw;
    throw broken("its manifest cannot be read");
  } catch (const std::exception&) {
    throw broken("its manifest cannot be read");
  }
  if (!m) throw broken("it has no manifest inside");
  if (m->encrypted || m->id != outside.id || m->schema != outside.schema || (!outside.encrypted && m->root_hash != outside.root_hash) || m->root_hash != root_hash(*m)) throw broken("its manifests differ");
  m->encrypted = outside.encrypted;
  return std::move(*m);
}

Manifest verify_backup(const Context& context, const std::filesystem::path& file) {
  remove_scratch_left_in(made_backup_folder(context));
  return verify_into(context, file, *restored_scratch(context), KeepRestored::No, {});
}

BackupInfo backup_create(Context& context, std::string kind, std::string reason) { return make_backup(context, std::move(kind), std::move(reason)).info; }

BackupInfo backup_verify(Context& context, const std::filesystem::path& file) {
  auto m = verify_backup(context, file);
  auto info = info_of(file, m);
  auto mark = read_mark(file);
  info.drilled_at = mark.drilled_at;
  info.verified_at = mark.verified_at = now_text();
  if (file.parent_path() == backup_folder(context)) write_mark(file, mark);
  return info;
}

}  // namespace basalt::upgrade
