// The application database as the rest of the server sees it: a pool of connections and transactions on them.
#pragma once
#include <chrono>
#include <filesystem>
#include <mutex>
#include <type_traits>

#include "appdb/connection.h"
#include "base/failure.h"

namespace basalt::appdb {

struct StoreOptions {
  Engine engine = Engine::Sqlite;
  std::filesystem::path sqlite_path;      // Sqlite: the file, made when missing
  std::string postgres_uri;               // Postgres: libpq URI or key=value text; a secret, never logged
  std::string postgres_schema = "basalt"; // Postgres: every object lives in this schema
  std::size_t connections = 8;            // at most; opened on need
  std::chrono::milliseconds patience{10000};  // how long a read or write waits for its turn
};

// What the data itself says about who may write to it (table upgrade_meta). Absent keys: level is the schema, generation "".
struct Marks {
  int schema = 0;          // highest migration whose expansion is done; 0: no data yet
  int compat_floor = 0;    // a binary that targets less may not write
  int level = 0;           // writes in the new shape are allowed up to this migration
  std::string generation;  // another one after every restore or move: what a process has in memory is of no more use then
  bool operator==(const Marks&) const = default;
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

  // From now on write() refuses when the data's compat_floor is above `target` or the data was stepped down below what is
  // there now (Failure Unavailable, error_type "fenced"), or when its generation is another than at this call ("restored"). Checked inside each write's transaction, under a lock that
  // pause_writers() excludes, so that a process that was stopped for an hour commits nothing that it should not.
  void serve_as(int target);
  // As of this process's last write() or look(); inside write() exact until it commits. Any thread.
  Marks marks() const;
  // Reads the marks now; works for whom write() refuses.
  Marks look();
  // Why write() would refuse, as of marks(); absent when it would not. For health answers and before long work.
  std::optional<Failure> refusal() const;

  // While the result lives nobody writes through write(): not this process, no other process, no other node. `session` (not
  // inside a transaction; must outlive the result) holds the lock on PostgreSQL. Waits for the writes that run, and holds
  // back new ones for at most a second at a time until it has its turn; Failure Unavailable after `patience`. Writers that
  // find the store paused wait up to StoreOptions::patience. Never build an index concurrently meanwhile: a writer that waits
  // holds a snapshot, and the index would wait for it.
  virtual std::shared_ptr<void> pause_writers(Connection& session, std::chrono::milliseconds patience) = 0;

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
  // For the engines, inside each write's transaction and behind the lock that pause_writers() excludes: keeps the rows of
  // `marks_query` as marks(), throws refusal().
  static constexpr const char* marks_query = "SELECT key, value FROM upgrade_meta WHERE key IN ('schema', 'compat_floor', 'level', 'generation')";
  void may_write(const std::vector<Row>& rows);
  static constexpr const char* paused = "Basalt is bringing its data up to date; try again in a moment.";

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

  mutable std::mutex marks_mutex_;
  Marks marks_;                             // GUARDED_BY(marks_mutex_)
  std::uint64_t kept_ = 0;                  // how often marks_ was set; GUARDED_BY(marks_mutex_)
  std::optional<int> target_;               // of serve_as; GUARDED_BY(marks_mutex_)
  std::string generation_;                  // at serve_as; GUARDED_BY(marks_mutex_)
  int served_schema_ = 0;                   // at serve_as, the target at most; GUARDED_BY(marks_mutex_)
};

}  // namespace basalt::appdb
