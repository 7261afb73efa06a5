// The application database as the rest of the server sees it: a pool of connections and transactions on them.
#pragma once
#include <chrono>
#include <filesystem>
#include <type_traits>

#include "appdb/connection.h"

namespace basalt::appdb {

struct StoreOptions {
  Engine engine = Engine::Sqlite;
  std::filesystem::path sqlite_path;      // Sqlite: the file, made when missing
  std::string postgres_uri;               // Postgres: libpq URI or key=value text; a secret, never logged
  std::string postgres_schema = "basalt"; // Postgres: every object lives in this schema
  std::size_t connections = 8;            // at most; opened on need
  std::chrono::milliseconds patience{10000};  // how long a read or write waits for its turn
};

class Store {
 public:
  // Opens and checks that the store is ours: a SQLite file with another application_id or that is no SQLite file, or a
  // schema that another product filled, is refused in one sentence (Failure BadRequest). Does not migrate.
  static std::unique_ptr<Store> open(StoreOptions options);
  virtual ~Store() = default;

  virtual Engine engine() const = 0;
  virtual const StoreOptions& options() const = 0;

  // Runs `work` inside a read-only transaction (one snapshot). Throws what `work` throws.
  template <class Work>
  auto read(Work&& work) { return run(false, std::forward<Work>(work)); }
  // Runs `work` inside a write transaction: committed when it returns, rolled back when it throws. SQLite: one writer at a
  // time, others wait up to 10 s and then get Failure Unavailable. Never nest: `work` gets the connection, pass it on.
  template <class Work>
  auto write(Work&& work) { return run(true, std::forward<Work>(work)); }

  // A connection of one's own outside the pool, without a transaction (the migration runner, backups, locks).
  virtual std::unique_ptr<Connection> connect() = 0;

  // While closed (a migration swaps the file), what is closed waits up to `patience`, then throws Failure Unavailable.
  // close_gate returns when nothing of that kind runs any more, and with Everything all pooled connections are closed;
  // Failure Unavailable when that takes longer than 30 s (the gate is open again then). open_gate forgets pooled connections.
  enum class Closed { Writes, Everything };
  virtual void close_gate(Closed what = Closed::Everything) = 0;
  virtual void open_gate() = 0;

  // Sqlite: true when no other process has this store open, and none can open it until share_again(). PostgreSQL: always
  // true, there the runner's own lock decides.
  virtual bool try_exclusive() = 0;
  virtual void share_again() = 0;

 protected:
  virtual void run_in_transaction(bool write, const std::function<void(Connection&)>& work) = 0;

 private:
  template <class Work>
  auto run(bool write, Work&& work) {
    using Result = std::invoke_result_t<Work, Connection&>;
    if constexpr (std::is_void_v<Result>) {
      run_in_transaction(write, [&](Connection& connection) { work(connection); });
    } else {
      std::optional<Result> result;
      run_in_transaction(write, [&](Connection& connection) { result.emplace(work(connection)); });
      return std::move(*result);
    }
  }
};

}  // namespace basalt::appdb
