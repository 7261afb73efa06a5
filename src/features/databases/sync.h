// Sync: what tables and columns a connected database has, what its columns hold (fingerprints), and the values of
// category-like columns. Runs beside the requests, one at a time per database, with progress to look at.
#pragma once
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>

#include "appdb/store.h"
#include "base/crypto.h"
#include "base/worker_pool.h"
#include "drivers/driver.h"
#include "features/databases/catalog.h"
#include "pipeline/run_query.h"

namespace basalt::features {

enum class SyncDepth { SchemaOnly, Everything, ValuesOnly };

class SyncJobs {
 public:
  struct Parts {
    appdb::Store& store;
    drivers::Drivers& drivers;
    pipeline::Environment& queries;
    const Sealer& sealer;
    MetadataCache& cache;
    const Clock& clock;
  };
  explicit SyncJobs(Parts parts);
  ~SyncJobs();  // asks running syncs to stop and waits for them

  // Starts a sync, or remembers to start one more when one runs. False when too many wait (over 1,000).
  bool start(DatabaseId database, SyncDepth depth);
  // Runs here and now; throws Failure Database when the connection fails. Records a task_run either way.
  void run(DatabaseId database, SyncDepth depth, std::stop_token stop = {});
  // One table again: values of its list-like fields.
  void scan_table(TableId table);
  void scan_field(FieldId field);
  // null when none runs, else {"phase", "done", "total", "table"}.
  json::value progress(DatabaseId database) const;
  void cancel(DatabaseId database);  // before the database is removed; waits until nothing runs for it
  // Blocks until nothing runs for the database, ten minutes at most.
  void wait(DatabaseId database);
  void stop_all();  // asks every running sync to stop
  // Starts a sync of every database whose schedule says so; called every minute.
  void start_due();

 private:
  struct Progress {
    std::string phase = "connect", table;
    std::size_t done = 0, total = 0;
    bool again = false;
    SyncDepth again_depth = SyncDepth::SchemaOnly;
    std::stop_source stop;
  };
  void set_progress(DatabaseId database, std::string phase, std::size_t done, std::size_t total, std::string table = "");
  void sync_schema(DatabaseId database, std::stop_token stop);
  void fingerprint_table(DatabaseId database, TableId table);
  void scan_values(DatabaseId database, TableId table);
  json::array rows_of(DatabaseId database, json::object inner_query, std::size_t limit);

  Parts parts_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<DatabaseId, std::shared_ptr<Progress>> running_;  // GUARDED_BY(mutex_)
  WorkerPool pool_;                                          // last: its threads use what stands above
};

// "created_at" -> "Created At", "USER_ID" -> "User ID", "birthDate" -> "Birth Date".
std::string humanize(std::string_view name);
// A guess from name and type: "type/Email", "type/City", …; absent when the name tells nothing.
std::optional<std::string> guess_semantic_type(std::string_view name, std::string_view base_type);

}  // namespace basalt::features
