// Store on one SQLite file: several readers beside one writer.
#pragma once
#include <condition_variable>
#include <mutex>

#include "appdb/gate.h"
#include "appdb/sqlite_connection.h"

namespace basalt::appdb {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(StoreOptions options);
  ~SqliteStore() override;

  Engine engine() const override { return Engine::Sqlite; }
  const StoreOptions& options() const override { return options_; }
  std::unique_ptr<Connection> connect() override;
  void close_gate(Closed what) override;
  void open_gate() override;
  bool try_exclusive() override;
  void share_again() override;

 protected:
  void run_in_transaction(bool write, const std::function<void(Connection&)>& work) override;

 private:
  std::unique_ptr<SqliteConnection> take(bool write);
  void give_back(bool write, std::unique_ptr<SqliteConnection> connection);
  void check_ours();

  StoreOptions options_;
  Gate gate_;
  int in_use_ = -1;  // descriptor of <file>.in-use, locked shared as long as this store lives
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;  // idle ones; GUARDED_BY(mutex_)
  std::size_t readers_out_ = 0;                             // GUARDED_BY(mutex_)
  std::unique_ptr<SqliteConnection> writer_;                // when idle; GUARDED_BY(mutex_)
  bool writer_out_ = false;                                 // GUARDED_BY(mutex_)
};

}  // namespace basalt::appdb
