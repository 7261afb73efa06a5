// Connections to the queried databases: a pool per database with a limit, a fair queue before it, and idle ones closed.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>

#include "appdb/store.h"
#include "drivers/driver.h"
#include "pipeline/connection_lease.h"

namespace basalt::features {

struct DataSourceOptions {
  std::size_t connections = 10;                  // at most, per database
  std::chrono::milliseconds patience{30'000};    // how long a query waits for a free one
  std::chrono::milliseconds idle_time{300'000};  // unused this long, a connection is closed
  std::size_t idle_connections = 5;              // left per database by close_idle(), at most
};

// Any thread. Outlives its leases' users, not the leases themselves: what is given back later is closed.
class DataSources {
 public:
  // `open` unseals stored details.
  DataSources(appdb::Store& store, const drivers::Drivers& drivers, std::function<std::string(const std::string&)> open, DataSourceOptions options = {});
  ~DataSources();

  // A ready connection. Throws Failure NotFound (no such database), Database (cannot connect), Unavailable (all busy for the
  // whole patience), Cancelled (`gone`). Whoever asks first gets first.
  std::shared_ptr<pipeline::ConnectionLease> lease(DatabaseId database, std::stop_token gone);
  // Forgets the connections and details of a database: they changed or it is removed. Running queries go on.
  void drop(DatabaseId database);
  // Closes what has been idle for too long, and idle ones that are too many; called now and then.
  void close_idle();

 private:
  class Pool;
  class Lease;
  std::shared_ptr<Pool> pool(DatabaseId database);

  appdb::Store& store_;
  const drivers::Drivers& drivers_;
  const std::function<std::string(const std::string&)> open_;
  const DataSourceOptions options_;
  std::mutex mutex_;
  std::map<DatabaseId, std::shared_ptr<Pool>> pools_;  // GUARDED_BY(mutex_)
};

}  // namespace basalt::features
