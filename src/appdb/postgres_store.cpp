#include "appdb/postgres_store.h"

#include <algorithm>
#include <random>
#include <thread>

#include "base/failure.h"
#include "base/log.h"

namespace basalt::appdb {
namespace {

// Shared by every write, exclusive for who pauses them. One number per schema of a database.
constexpr const char* writers_lock = "hashtextextended('basalt writers of ' || current_schema(), 0)";

}  // namespace

PostgresStore::PostgresStore(StoreOptions options) : options_(std::move(options)) { check_ours(); }

void PostgresStore::check_ours() {
  auto connection = std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
  auto& schema = options_.postgres_schema;
  auto look = [&] {
    return *connection->query_one(
        "SELECT current_setting('server_version_num')::int AS version, (SELECT count(*) FROM pg_namespace WHERE nspname = ?) AS there, "
        "count(*) AS tables, count(*) FILTER (WHERE relname = 'upgrade_meta') AS ours FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)",
        {schema, schema});
  };
  auto found = look();
  auto version = found.integer("version");
  if (version < 120000) throw Failure(FailureKind::BadRequest, "The application database is PostgreSQL " + std::to_string(version / 10000) + "; Basalt needs 12 or later.");
  if (found.integer("there") == 0) {
    try {
      connection->execute_script("CREATE SCHEMA IF NOT EXISTS " + quoted(schema));
    } catch (const Failure&) {
      // Two nodes starting at once can both try; the loser sees it made.
      if (look().integer("there") == 0) throw;
    }
    found = look();
  }
  if (found.integer("tables") > 0 && found.integer("ours") == 0)
    throw Failure(FailureKind::BadRequest, "The schema " + schema + " of the application database holds another product's tables, not Basalt's; choose another database.");
  first_ = std::move(connection);
  first_until_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
}

std::unique_ptr<PostgresConnection> PostgresStore::opened() const {
  std::unique_ptr<PostgresConnection> first;
  {
    std::lock_guard lock(first_mutex_);
    first = std::move(first_);
  }
  if (first && std::chrono::steady_clock::now() < first_until_) return first;
  return std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
}

std::unique_ptr<Connection> PostgresStore::connect() { return opened(); }

std::unique_ptr<PostgresConnection> PostgresStore::fresh() const {
  auto connection = opened();
  // No write waits for another, nor for a pause, without end; and a process that stands still inside a write (stopped, or its
  // host gone without a word) does not hold up the whole cluster: the server ends its transaction.
  connection->execute_script("SET lock_timeout = " + std::to_string(std::max<std::int64_t>(1, options_.patience.count())) + "; SET idle_in_transaction_session_timeout = '60s'");
  return connection;
}

// In one round trip. The marks are a statement of their own, because a statement sees what was committed before it began:
// together with the lock it could still see what was there before it had to wait.
void PostgresStore::begin(PostgresConnection& connection, bool write) {
  if (!write) {
    connection.execute_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    return;
  }
  static const std::string take = std::string("SELECT pg_advisory_xact_lock_shared(") + writers_lock + ")";
  static const std::string prepare = std::string("PREPARE basalt_marks AS ") + marks_query + "; PREPARE basalt_take AS " + take;
  static const std::string text = "BEGIN; EXECUTE basalt_take; EXECUTE basalt_marks";
  try {
    std::vector<Row> rows;
    try {
      rows = connection.query_script(text);
    } catch (const Failure&) {
      if (connection.last_error_code() != "26000" || !connection.is_alive()) throw;
      // The first write on this connection, or one after its prepared statements were dropped.
      connection.execute_script("ROLLBACK");
      try {
        connection.execute_script(prepare);
        rows = connection.query_script(text);
      } catch (const Failure&) {
        if (connection.last_error_code() != "42P01" || !connection.is_alive()) throw;
        // No upgrade_meta: an empty store, where nobody has anything to say yet.
        if (connection.in_transaction()) connection.execute_script("ROLLBACK");
        connection.execute_script("BEGIN; " + take);
      }
    }
    may_write(rows);
  } catch (const Failure&) {
    bool waited_in_vain = connection.is_alive() && connection.last_error_code() == "55P03";
    if (connection.is_alive() && connection.in_transaction()) connection.execute_script("ROLLBACK");
    if (waited_in_vain) throw Failure(FailureKind::Unavailable, paused);
    throw;
  }
}

std::shared_ptr<void> PostgresStore::pause_writers(Connection& session, std::chrono::milliseconds patience) {
  auto& c = static_cast<PostgresConnection&>(session);
  if (c.in_transaction()) throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("pause_writers inside a transaction");
  auto take = std::string("SELECT pg_advisory_lock(") + writers_lock + ")", give = std::string("SELECT pg_advisory_unlock(") + writers_lock + ")";
  std::mt19937 random{std::random_device{}()};
  auto until = std::chrono::steady_clock::now() + patience;
  // Only asking whether the lock is free would never find it so under load. Waiting puts it before the writers that come
  // later, but holds them up: so for moments that grow, with pauses in which they go on, when a write of somebody's lasts.
  for (std::int64_t moment = 100;; moment = std::min<std::int64_t>(moment * 2, 1000)) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    try {
      c.execute_script("BEGIN; SET LOCAL lock_timeout = " + std::to_string(std::max<std::int64_t>(1, std::min(moment, left))) + "; " + take + "; COMMIT");
      break;
    } catch (const Failure&) {
      if (!c.is_alive()) throw;
      bool busy = c.last_error_code() == "55P03" || c.last_error_code() == "40P01";
      if (c.in_transaction()) c.execute_script("ROLLBACK");
      if (!busy) throw;
    }
    if (std::chrono::steady_clock::now() >= until)
      throw Failure(FailureKind::Unavailable, "A write to the application database does not end; the change was not begun. Look for a transaction that was left open, or try again when less goes on.");
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution<int>(30, 150)(random)));
  }
  return std::shared_ptr<void>(&c, [give](void* session) {
    auto& held_by = *static_cast<PostgresConnection*>(session);
    try {
      if (held_by.is_alive() && held_by.in_failed_transaction()) held_by.execute_script("ROLLBACK");
      held_by.execute_script(give);
    } catch (const std::exception& error) {
      // A session that is gone holds nothing; one that lives is seen here.
      log::warning("Writers could not be let go on at once", {{"why", error.what()}});
    }
  });
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
    return fresh();
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
  auto connection = take();
  try {
    begin(*connection, write);
  } catch (const Failure&) {
    if (connection->is_alive()) {
      give_back(std::move(connection));
      throw;
    }
    // The server was restarted, or a firewall dropped the idle line: nothing has been done yet, so a new one is as good.
    // The other idle connections are as old.
    {
      std::lock_guard lock(mutex_);
      idle_.clear();
    }
    try {
      connection = fresh();
      begin(*connection, write);
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  try {
    work(*connection);
    // COMMIT of a transaction in which a statement failed would be answered by a silent ROLLBACK.
    if (write && connection->in_failed_transaction())
      throw Failure(FailureKind::Bug, "Something went wrong on our side; nothing was changed.").with_details("a failure inside write() was caught and not passed on");
    connection->execute_script("COMMIT");
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
  std::scoped_lock lock(mutex_, first_mutex_);
  first_.reset();
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
