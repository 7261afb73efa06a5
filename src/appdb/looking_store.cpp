#include "appdb/looking_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "appdb/postgres_connection.h"
#include "appdb/sqlite_connection.h"

namespace basalt::appdb {
namespace {

[[noreturn]] void only_looking() { throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("a store that is only looked at was to be changed"); }

class LookingStore final : public Store {
 public:
  explicit LookingStore(StoreOptions options) : options_(std::move(options)) { check_ours(*connect()); }

  Engine engine() const override { return options_.engine; }
  const StoreOptions& options() const override { return options_; }
  std::unique_ptr<Connection> connect() override { return options_.engine == Engine::Sqlite ? look_at_file() : look_at_server(); }
  std::shared_ptr<void> pause_writers(Connection&, std::chrono::milliseconds) override { only_looking(); }
  void close_gate(Closed) override {}
  void open_gate() override {}
  bool try_exclusive() override { only_looking(); }
  void share_again() override {}

 protected:
  void run_in_transaction(bool write, const std::function<void(Connection&)>& work) override {
    if (write) only_looking();
    auto connection = connect();
    connection->execute_script(options_.engine == Engine::Sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    work(*connection);
    connection->execute_script("COMMIT");
  }

 private:
  std::unique_ptr<Connection> look_at_file() {
    std::error_code error;
    auto& file = options_.sqlite_path;
    if (!std::filesystem::exists(file, error) || std::filesystem::file_size(file, error) == 0) return std::make_unique<SqliteConnection>(":memory:", SqliteOpening{.write_ahead_log = false});
    // Who swaps the file for another one holds this lock for a moment.
    int swapping = ::open((file.string() + ".swapping").c_str(), O_RDONLY | O_CLOEXEC);
    if (swapping >= 0) ::flock(swapping, LOCK_SH);
    struct Close {
      int descriptor;
      ~Close() { if (descriptor >= 0) ::close(descriptor); }
    } close{swapping};
    bool log = std::filesystem::exists(file.string() + "-wal", error) && std::filesystem::file_size(file.string() + "-wal", error) > 0;
    auto connection = std::make_unique<SqliteConnection>(file, SqliteOpening{.read_only = true, .busy_timeout = options_.patience});
    // Without a log there is nothing to move into the file, and what SQLite made for itself is gone again when this closes.
    if (log) connection->keep_log_on_close();
    connection->count("SELECT count(*) FROM sqlite_master");
    return connection;
  }

  std::unique_ptr<Connection> look_at_server() {
    auto connection = std::make_unique<PostgresConnection>(options_.postgres_uri, options_.postgres_schema);
    connection->execute_script("SET default_transaction_read_only TO on");
    return connection;
  }

  void check_ours(Connection& c) {
    if (options_.engine == Engine::Sqlite) {
      auto id = c.count("PRAGMA application_id");
      if (id != sqlite_application_id && (id != 0 || c.count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") != 0))
        throw Failure(FailureKind::BadRequest, options_.sqlite_path.string() + " is another program's database, not Basalt's; choose another --data-dir or move the file away.");
      return;
    }
    auto tables = c.count("SELECT count(*) FROM pg_tables WHERE schemaname = ?", {options_.postgres_schema});
    if (tables > 0 && c.count("SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename = 'upgrade_meta'", {options_.postgres_schema}) == 0)
      throw Failure(FailureKind::BadRequest, "The schema " + options_.postgres_schema + " of the application database holds another product's tables, not Basalt's; choose another database.");
  }

  StoreOptions options_;
};

}  // namespace

std::unique_ptr<Store> open_to_look(StoreOptions options) { return std::make_unique<LookingStore>(std::move(options)); }

}  // namespace basalt::appdb
