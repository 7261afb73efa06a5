// Store in one schema of a PostgreSQL database.
#pragma once
#include <condition_variable>
#include <mutex>

#include "appdb/gate.h"
#include "appdb/postgres_connection.h"

namespace basalt::appdb {

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(StoreOptions options);

  Engine engine() const override { return Engine::Postgres; }
  const StoreOptions& options() const override { return options_; }
  std::unique_ptr<Connection> connect() override;
  std::shared_ptr<void> pause_writers(Connection& session, std::chrono::milliseconds patience) override;
  void close_gate(Closed what) override;
  void open_gate() override;
  bool try_exclusive() override { return true; }
  void share_again() override {}

 protected:
  void run_in_transaction(bool write, const std::function<void(Connection&)>& work) override;

 private:
  std::unique_ptr<PostgresConnection> take();
  std::unique_ptr<PostgresConnection> fresh() const;  // one for the pool
  void begin(PostgresConnection&, bool write);
  void give_back(std::unique_ptr<PostgresConnection> connection);
  void check_ours();
  std::unique_ptr<PostgresConnection> opened() const;  // the one that check_ours used, while it is new

  StoreOptions options_;
  Gate gate_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;  // GUARDED_BY(mutex_)
  std::size_t out_ = 0;                                    // GUARDED_BY(mutex_)
  // A session costs the server ten times what a question costs: who opens a store to ask one thing has one, not two.
  mutable std::mutex first_mutex_;
  mutable std::unique_ptr<PostgresConnection> first_;      // GUARDED_BY(first_mutex_)
  std::chrono::steady_clock::time_point first_until_;      // set by the constructor
};

}  // namespace basalt::appdb
