#include "features/queries/data_sources.h"

#include <algorithm>
#include <deque>

#include "base/failure.h"

namespace basalt::features {
namespace {

using Steady = std::chrono::steady_clock;
// Another node may have changed the details: they are compared this often.
constexpr std::chrono::seconds fresh_for{5};

}  // namespace

class DataSources::Pool {
 public:
  Pool(const drivers::Driver& driver, std::string stored, json::object details, DataSourceOptions options)
      : driver(driver), stored(std::move(stored)), details_(std::move(details)), options_(options) {}

  std::unique_ptr<drivers::Connection> take(const std::stop_token& gone) {
    std::unique_ptr<drivers::Connection> idle;
    {
      std::unique_lock lock(mutex_);
      if (in_use_ < options_.connections) {
        ++in_use_;
        if (!idle_.empty()) {
          idle = std::move(idle_.back().connection);
          idle_.pop_back();
        }
      } else {
        auto mine = std::make_shared<Waiter>();
        queue_.push_back(mine);
        if (!mine->changed.wait_until(lock, gone, Steady::now() + options_.patience, [&] { return mine->served; })) {
          std::erase(queue_, mine);
          if (gone.stop_requested()) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
          throw Failure(FailureKind::Unavailable, "All " + std::to_string(options_.connections) + " connections to this database were busy for " +
                                                      std::to_string(std::chrono::ceil<std::chrono::seconds>(options_.patience).count()) + " seconds; try again later.");
        }
        idle = std::move(mine->connection);
      }
    }
    try {
      if (idle && idle->is_alive()) return idle;
      idle.reset();
      return driver.connect(details_);
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }

  // To the one who waits longest, who takes over the place among those in use: nobody else is woken.
  void give_back(std::unique_ptr<drivers::Connection> connection) {
    bool keep = connection && connection->is_alive();
    std::shared_ptr<Waiter> next;
    {
      std::lock_guard lock(mutex_);
      keep = keep && !dropped_;
      if (queue_.empty()) {
        --in_use_;
        if (keep) idle_.push_back({std::move(connection), Steady::now()});
      } else {
        next = std::move(queue_.front());
        queue_.pop_front();
        next->served = true;
        if (keep) next->connection = std::move(connection);
      }
    }
    if (next) next->changed.notify_one();
    // What is not kept is closed here, outside the lock.
  }

  void drop() {
    std::vector<Idle> closing;
    std::lock_guard lock(mutex_);
    dropped_ = true;
    closing.swap(idle_);
  }

  void close_idle() {
    std::vector<Idle> closing;
    auto limit = Steady::now() - options_.idle_time;
    std::lock_guard lock(mutex_);
    // The most recently used stand at the end. The surplus goes only now: to close it at once would mean to open it again for
    // the next query of a busy moment.
    auto surplus = idle_.size() > options_.idle_connections ? idle_.size() - options_.idle_connections : 0;
    auto fresh = std::find_if(idle_.begin() + static_cast<std::ptrdiff_t>(surplus), idle_.end(), [&](auto& idle) { return idle.since > limit; });
    std::move(idle_.begin(), fresh, std::back_inserter(closing));
    idle_.erase(idle_.begin(), fresh);
  }

  const drivers::Driver& driver;
  const std::string stored;               // engine and sealed details, to compare
  std::atomic<Steady::time_point> checked_at = Steady::now();

 private:
  struct Idle { std::unique_ptr<drivers::Connection> connection; Steady::time_point since; };
  struct Waiter {
    std::condition_variable_any changed;
    std::unique_ptr<drivers::Connection> connection;  // GUARDED_BY(mutex_); none: a place to open one in
    bool served = false;                              // GUARDED_BY(mutex_)
  };
  const json::object details_;
  const DataSourceOptions options_;
  std::mutex mutex_;
  std::vector<Idle> idle_;                      // GUARDED_BY(mutex_)
  std::deque<std::shared_ptr<Waiter>> queue_;   // GUARDED_BY(mutex_): who waits, in order; empty while a place is free
  std::size_t in_use_ = 0;                      // GUARDED_BY(mutex_)
  bool dropped_ = false;                        // GUARDED_BY(mutex_)
};

class DataSources::Lease final : public pipeline::ConnectionLease {
 public:
  Lease(std::shared_ptr<Pool> pool, std::unique_ptr<drivers::Connection> connection) : pool_(std::move(pool)), connection_(std::move(connection)) {}
  ~Lease() override {
    if (broken_) connection_.reset();
    pool_->give_back(std::move(connection_));
  }
  drivers::Connection& connection() override { return *connection_; }
  const drivers::Driver& driver() override { return pool_->driver; }
  void mark_broken() override { broken_ = true; }

 private:
  const std::shared_ptr<Pool> pool_;
  std::unique_ptr<drivers::Connection> connection_;
  bool broken_ = false;
};

DataSources::DataSources(appdb::Store& store, const drivers::Drivers& drivers, std::function<std::string(const std::string&)> open, DataSourceOptions options)
    : store_(store), drivers_(drivers), open_(std::move(open)), options_(options) {}

DataSources::~DataSources() {
  for (auto& [id, pool] : pools_) pool->drop();
}

std::shared_ptr<DataSources::Pool> DataSources::pool(DatabaseId database) {
  {
    std::lock_guard lock(mutex_);
    if (auto found = pools_.find(database); found != pools_.end() && Steady::now() - found->second->checked_at.load() < fresh_for) return found->second;
  }
  auto row = store_.read([&](appdb::Connection& c) { return c.query_one("SELECT engine, details FROM \"database\" WHERE id = ?", {database}); });
  if (!row) {
    drop(database);
    throw not_found();
  }
  auto stored = row->text("engine") + " " + row->text("details");
  std::lock_guard lock(mutex_);
  if (auto found = pools_.find(database); found != pools_.end() && found->second->stored == stored) {
    found->second->checked_at = Steady::now();
    return found->second;
  }
  auto details = json::parse(open_(row->text("details")));
  if (!details.is_object()) throw Failure(FailureKind::Bug, "The stored details of a database are no JSON object.");
  auto made = std::make_shared<Pool>(drivers_.require(row->text("engine")), std::move(stored), details.get_object(), options_);
  auto& slot = pools_[database];
  if (slot) slot->drop();
  slot = made;
  return made;
}

std::shared_ptr<pipeline::ConnectionLease> DataSources::lease(DatabaseId database, std::stop_token gone) {
  auto from = pool(database);
  auto connection = from->take(gone);
  return std::make_shared<Lease>(std::move(from), std::move(connection));
}

void DataSources::drop(DatabaseId database) {
  std::shared_ptr<Pool> dropped;
  {
    std::lock_guard lock(mutex_);
    auto found = pools_.find(database);
    if (found == pools_.end()) return;
    dropped = std::move(found->second);
    pools_.erase(found);
  }
  dropped->drop();
}

void DataSources::close_idle() {
  std::vector<std::shared_ptr<Pool>> pools;
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, pool] : pools_) pools.push_back(pool);
  }
  for (auto& pool : pools) pool->close_idle();
}

}  // namespace basalt::features
