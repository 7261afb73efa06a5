// The parts that make, open and load backups. Internal to this folder.
#pragma once
#include <thread>

#include "appdb/sqlite_connection.h"
#include "upgrade/backup.h"
#include "upgrade/run_parts.h"

namespace basalt::upgrade {

// Work beside this thread; join() hands on what it threw.
class Beside {
 public:
  explicit Beside(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          try {
            work();
          } catch (...) {
            failure_ = std::current_exception();
          }
        }) {}
  void join() {
    thread_.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::exception_ptr failure_;
  std::jthread thread_;
};

std::string root_hash(const Manifest&);
// Everything of one moment into `scratch`, an uncompressed backup, while writers go on; fills in what the manifest says of the
// data. `progress` gets 0..1.
void copy_out(Context&, const std::filesystem::path& scratch, Manifest&, const std::function<void(double)>& progress);

enum class Compare { No, Yes };
// Rules: what says which rows may be there (keys, uniqueness, checks). Everything: the indexes as well that only make it fast.
enum class Indexes { Rules, Everything };
// As load_backup. A SQLite target outside a transaction gets its own, which is fastest.
void load_tables(appdb::SqliteConnection& backup, const Manifest&, appdb::Connection& target, std::int64_t fence, Compare, const std::function<void(double)>& progress, const TableFilter& fill, Indexes indexes = Indexes::Everything);
// Every table of a restored SQLite store against the manifest, on all cores. Failure BadRequest that names the table.
void compare_restored(const std::filesystem::path& restored, appdb::SqliteConnection& backup, const Manifest&);
// A file that is thrown away when anything fails: nothing is synced, nothing can be rolled back.
std::unique_ptr<appdb::SqliteConnection> open_scratch(const std::filesystem::path& file);

// Runs `work` on what a backup holds: where it cannot be read, Failure BadRequest says that `file` is damaged.
void read_of_backup(const std::filesystem::path& file, const std::function<void()>& work);

// ---- Uploaded files (backup_files.cpp)

std::filesystem::path uploads_of(const std::filesystem::path& data_dir);
Manifest::Files pack_files(const std::filesystem::path& data_dir, appdb::SqliteConnection& backup);
// The backup's files as its table has them; into `folder`, or nowhere when that is empty. Failure BadRequest when they are not
// those of the manifest, or a name would lead out of the folder.
void unpack_files(appdb::SqliteConnection& backup, const Manifest::Files&, const std::filesystem::path& folder);

// Uploaded files wait beside, under the name of the generation they belong to, until the data of that generation is in its
// place: whoever finds them later knows whether to go on or to throw them away.
std::filesystem::path staged_uploads(const std::filesystem::path& data_dir, std::string_view generation);
void place_uploads(const std::filesystem::path& data_dir, std::string_view generation);

// An opened backup in the place of what the store of `context` has: restore and move from there on.
enum class Uploads { Replace, StayWhereTheyAre };
Outcome put_in_place(Context&, Attempt&, appdb::SqliteConnection& backup, const Manifest&, Uploads uploads = Uploads::Replace);

void remove_scratch_left_in(const std::filesystem::path& backups);

// ---- Marks: what was found out about a backup file, beside it

struct Mark { std::string verified_at, drilled_at, drill; };
Mark read_mark(const std::filesystem::path& file);           // empty when it was made for other bytes
void write_mark(const std::filesystem::path& file, const Mark&);
std::filesystem::path mark_of(const std::filesystem::path& file);

// Deletes the backups that backups_to_delete() names.
void apply_retention(const Context&);

}  // namespace basalt::upgrade
