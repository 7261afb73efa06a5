// The .basalt-backup file: a SQLite database in a zstd frame, the same for both engines. Its table `manifest` (also in front
// of the file, where listing finds it) says what is in it. Internal to this folder; upgrade.h has what others call.
#pragma once
#include "upgrade/files.h"
#include "upgrade/fingerprint.h"
#include "upgrade/ledger.h"
#include "upgrade/upgrade.h"

namespace basalt::upgrade {

struct Manifest {
  int format = 1;
  std::string id, kind, reason, engine, instance_id, binary, key_check, created_at;
  int schema = 0;
  migrations::Structure structure;
  struct TableEntry { std::string name; Fingerprint fingerprint; std::int64_t last_id = 0; };
  std::vector<TableEntry> tables;
  std::string root_hash;  // SHA-256 over the tables' names, counts and fingerprints, and the uploaded files
  // What people uploaded: everything under <data directory>/uploads, in table basalt_files of the backup.
  struct Files { std::int64_t count = 0, bytes = 0; std::string hash; bool operator==(const Files&) const = default; } files;  // hash: SHA-256 over names and contents
  bool encrypted = false;  // read from the front of an encrypted file: structure, tables, reason and hashes are not known

  const TableEntry* table(std::string_view name) const;
  std::int64_t rows() const;
};
json::value to_json(const Manifest&);
json::object outside_json(const Manifest&, bool encrypted);  // what stands in front of the file
Manifest manifest_from_json(const json::value&);
Manifest read_manifest(const std::filesystem::path& file);  // from the front of the file

std::filesystem::path backup_folder(const Context&);
struct MadeBackup {
  BackupInfo info;
  Manifest manifest;
  // Asked for with KeepRestored::Yes: the copy that verified the backup, a whole SQLite store with all rules in a file of its
  // own, whatever the engine (`upgrade_lock` with fence 0). Ground for a rehearsal: change it as you like; it goes with this.
  std::shared_ptr<ScratchFile> restored;
};
enum class KeepRestored { No, Yes };
// One consistent snapshot while writers go on, verified; then old ones beyond what is kept are deleted. `progress` gets 0..1;
// from 0.6 on the backup is written and is being verified.
MadeBackup make_backup(Context&, std::string kind, std::string reason, const std::function<void(double)>& progress = {}, KeepRestored keep = KeepRestored::No);
// Restores into a scratch store with all rules and compares every table. Failure BadRequest that names the table that differs.
Manifest verify_backup(const Context&, const std::filesystem::path& file);
BackupInfo info_of(const std::filesystem::path& file, const Manifest&);

// Loads an opened backup's tables into an empty store of either engine: tables, rows, rules, next ids. `fence` for the new
// lock row. Within the caller's transaction. Compares fingerprints of what arrived. `backup`: the SQLite database of a backup,
// or MadeBackup::restored; it must be in a file and no transaction may be open on it. `fill`: which tables get their rows (all
// tables are made, and references to those left empty are not checked); absent: all.
using TableFilter = std::function<bool(const migrations::Table&)>;
void load_backup(appdb::Connection& backup, const Manifest&, appdb::Connection& target, std::int64_t fence, const std::function<void(double)>& progress = {}, const TableFilter& fill = {});

// Opens a backup file: its SQLite database, without rules, as `opened`; the manifest inside. Failure BadRequest in a sentence.
Manifest open_backup(const Context&, const std::filesystem::path& file, const std::filesystem::path& opened);

// Which of the backups go, newest first given: kept are the last `keep`, the newest verified one of each schema, the newest
// verified one, and what people made themselves.
std::vector<BackupInfo> backups_to_delete(std::vector<BackupInfo> newest_first, std::size_t keep = 5);

// What a backup of this store needs on disk while it is made and verified.
std::int64_t backup_space(Context&);

}  // namespace basalt::upgrade
