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

  std::unique_ptr<drivers::Connection> take(std::stop_token gone) {
    for (;;) {
      std::unique_ptr<drivers::Connection> idle;
      {
        std::unique_lock lock(mutex_);
        auto ticket = next_ticket_++;
        queue_.push_back(ticket);
        bool mine = changed_.wait_until(lock, gone, Steady::now() + options_.patience,
                                        [&] { return queue_.front() == ticket && in_use_ < options_.connections; });
        queue_.erase(std::find(queue_.begin(), queue_.end(), ticket));
        changed_.notify_all();  // who stands behind may be first now
        if (!mine) {
          if (gone.stop_requested()) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
          throw Failure(FailureKind::Unavailable, "All " + std::to_string(options_.connections) + " connections to this database were busy for " +
                                                      std::to_string(std::chrono::ceil<std::chrono::seconds>(options_.patience).count()) + " seconds; try again later.");
        }
        ++in_use_;
        if (!idle_.empty()) {
          idle = std::move(idle_.back().connection);
          idle_.pop_back();
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
  }

  void give_back(std::unique_ptr<drivers::Connection> connection) {
    bool keep = connection && connection->is_alive();
    {
      std::lock_guard lock(mutex_);
      --in_use_;
      if (keep && !dropped_ && idle_.size() < options_.idle_connections) idle_.push_back({std::move(connection), Steady::now()});
    }
    changed_.notify_all();
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
    // The most recently used stand at the end.
    auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](auto& idle) { return idle.since > limit; });
    std::move(idle_.begin(), fresh, std::back_inserter(closing));
    idle_.erase(idle_.begin(), fresh);
  }

  const drivers::Driver& driver;
  const std::string stored;               // engine and sealed details, to compare
  std::atomic<Steady::time_point> checked_at = Steady::now();

 private:
  struct Idle { std::unique_ptr<drivers::Connection> connection; Steady::time_point since; };
  const json::object details_;
  const DataSourceOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Idle> idle_;             // GUARDED_BY(mutex_)
  std::deque<std::uint64_t> queue_;    // GUARDED_BY(mutex_): who waits, in order
  std::uint64_t next_ticket_ = 0;      // GUARDED_BY(mutex_)
  std::size_t in_use_ = 0;             // GUARDED_BY(mutex_)
  bool dropped_ = false;               // GUARDED_BY(mutex_)
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
