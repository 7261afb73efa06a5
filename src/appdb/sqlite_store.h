// Store on one SQLite file: several readers beside one writer, also beside other processes, also while one of them swaps the
// file for another. Lock files beside it, all flock(2) unless said:
//   .in-use    shared by every open store; exclusive: nobody else has it open
//   .writing   shared by each write() for its transaction; exclusive: pause_writers(). Its first byte, locked by
//              fcntl(F_OFD_SETLK), is the turnstile that a write passes first and a pause holds: without it writers that
//              take turns would keep a pause out for ever
//   .swapping  shared while a connection is being opened; exclusive for the moment between removing the old file's log and
//              putting the new file in its place, where an opened connection would leave the new file a wrong log
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
  std::shared_ptr<void> pause_writers(Connection& session, std::chrono::milliseconds patience) override;
  void close_gate(Closed what) override;
  void open_gate() override;
  bool try_exclusive() override;
  void share_again() override;

 protected:
  void run_in_transaction(bool write, const std::function<void(Connection&)>& work) override;

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  class WritingLock;

  std::unique_ptr<SqliteConnection> opened(const SqliteOpening& opening) const;
  void require_file() const;
  std::unique_ptr<SqliteConnection> take(bool write, Deadline until);
  void give_back(bool write, std::unique_ptr<SqliteConnection> connection);
  void check_ours();

  StoreOptions options_;
  Gate gate_;
  int in_use_ = -1;   // descriptor of <file>.in-use, locked shared as long as this store lives
  bool found_ = false;  // the file was there, or was made, when the store was opened
  int writing_ = -1;  // descriptor of <file>.writing, for the one writer of this process
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;  // idle ones; GUARDED_BY(mutex_)
  std::size_t readers_out_ = 0;                             // GUARDED_BY(mutex_)
  std::unique_ptr<SqliteConnection> writer_;                // when idle; GUARDED_BY(mutex_)
  bool writer_out_ = false;                                 // GUARDED_BY(mutex_)
};

}  // namespace basalt::appdb
