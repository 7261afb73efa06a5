// One opened DuckDB database: a .duckdb file, or files of rows (CSV, Parquet, JSON) shown as views. Shared by the connections to
// it, closed with the last one.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "drivers/driver.h"
#include "drivers/duckdb/library.h"

namespace basalt::drivers::duckdb {

class Instance {
 public:
  // Throws Failure Database with the field `database_file` when the path is missing, unreadable or no database.
  Instance(const Library& library, const std::string& path, const std::string& time_zone, const DriverOptions& options);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Library& library() const { return library_; }
  duckdb_connection connect();

 private:
  void run(duckdb_connection connection, const std::string& sql);

  const Library& library_;
  duckdb_database database_ = nullptr;
};

// The instances in use, by path and time zone: the configuration is locked, so a session's zone is the instance's.
class Instances {
 public:
  explicit Instances(DriverOptions options) : options_(std::move(options)) {}
  std::shared_ptr<Instance> open(const std::string& path, const std::string& time_zone);

 private:
  const DriverOptions options_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<Instance>> open_;  // GUARDED_BY(mutex_)
};

// Calls something when a deadline passes: DuckDB has no deadlines of its own. One thread, started when first needed.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;
  ~Watchdog();
  // `late` is called at most once, on the watchdog's thread, and never after forget() has returned.
  std::uint64_t watch(Clock::time_point deadline, std::function<void()> late);
  void forget(std::uint64_t ticket);

 private:
  void run(std::stop_token stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::uint64_t, std::pair<Clock::time_point, std::function<void()>>> watched_;  // GUARDED_BY(mutex_)
  std::uint64_t next_ticket_ = 1;                                                          // GUARDED_BY(mutex_)
  std::jthread thread_;                                                                    // GUARDED_BY(mutex_)
};

}  // namespace basalt::drivers::duckdb
