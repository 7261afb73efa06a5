#include "appdb/postgres_store.h"

#include "base/failure.h"

namespace basalt::appdb {

PostgresStore::PostgresStore(StoreOptions options) : options_(std::move(options)) { check_ours(); }

void PostgresStore::check_ours() {
  auto connection = std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
  auto& schema = options_.postgres_schema;
  auto version = connection->count("SELECT current_setting('server_version_num')::int");
  if (version < 120000) throw Failure(FailureKind::BadRequest, "The application database is PostgreSQL " + std::to_string(version / 10000) + "; Basalt needs 12 or later.");
  bool exists = connection->count("SELECT count(*) FROM pg_namespace WHERE nspname = ?", {schema}) > 0;
  if (!exists) {
    try {
      connection->execute_script("CREATE SCHEMA IF NOT EXISTS " + quoted(schema));
    } catch (const Failure&) {
      // Two nodes starting at once can both try; the loser sees it made.
      if (connection->count("SELECT count(*) FROM pg_namespace WHERE nspname = ?", {schema}) == 0) throw;
    }
  }
  auto tables = connection->count("SELECT count(*) FROM pg_tables WHERE schemaname = ?", {schema});
  auto ours = connection->count("SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename = 'upgrade_meta'", {schema});
  if (tables > 0 && ours == 0)
    throw Failure(FailureKind::BadRequest, "The schema " + schema + " of the application database holds another product's tables, not Basalt's; choose another database.");
  idle_.push_back(std::move(connection));
}

std::unique_ptr<Connection> PostgresStore::connect() {
  return std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
}

std::unique_ptr<PostgresConnection> PostgresStore::take() {
  std::unique_lock lock(mutex_);
  if (!returned_.wait_for(lock, options_.patience, [&] { return out_ < options_.connections; }))
    throw Failure(FailureKind::Unavailable, "The application database is busy; try again in a moment.");
  ++out_;
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->is_alive()) return connection;
  }
  lock.unlock();
  try {
    return std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void PostgresStore::give_back(std::unique_ptr<PostgresConnection> connection) {
  {
    std::lock_guard lock(mutex_);
    --out_;
    if (connection) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

void PostgresStore::run_in_transaction(bool write, const std::function<void(Connection&)>& work) {
  gate_.enter(write, options_.patience);
  struct Leave {
    Gate& gate;
    bool write;
    ~Leave() { gate.leave(write); }
  } leave{gate_, write};
  const char* begin = write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  auto connection = take();
  try {
    connection->execute_script(begin);
  } catch (const Failure&) {
    if (connection->is_alive()) {
      give_back(nullptr);
      throw;
    }
    // The server was restarted, or a firewall dropped the idle line: nothing has been done yet, so a new one is as good.
    // The other idle connections are as old.
    {
      std::lock_guard lock(mutex_);
      idle_.clear();
    }
    try {
      connection = std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
      connection->execute_script(begin);
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  try {
    work(*connection);
    connection->execute_script("COMMIT");
    // COMMIT of a transaction in which a statement failed is answered by a silent ROLLBACK.
  } catch (...) {
    bool usable = connection->is_alive();
    try {
      if (usable && connection->in_transaction()) connection->execute_script("ROLLBACK");
    } catch (...) {
      usable = false;
    }
    give_back(usable ? std::move(connection) : nullptr);
    throw;
  }
  give_back(std::move(connection));
}

void PostgresStore::close_gate(Closed what) {
  gate_.close(what);
  if (what == Closed::Writes) return;
  std::lock_guard lock(mutex_);
  idle_.clear();
}

void PostgresStore::open_gate() {
  {
    std::lock_guard lock(mutex_);
    idle_.clear();  // their prepared statements know the old columns
  }
  gate_.open();
}

}  // namespace basalt::appdb
