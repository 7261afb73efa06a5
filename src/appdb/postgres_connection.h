// The PostgreSQL side of Connection.
#pragma once
#include <list>

#include "appdb/connection.h"

struct pg_conn;
struct pg_result;

namespace basalt::appdb {

class PostgresConnection final : public Connection {
 public:
  // Connects; all names resolve in `schema` only. Failure Unavailable with the server's own words, never with the password.
  PostgresConnection(const std::string& uri, const std::string& schema);
  ~PostgresConnection() override;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  Engine engine() const override { return Engine::Postgres; }
  void each(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>& row) override;
  std::int64_t execute(std::string_view sql, const Parameters& parameters = {}) override;
  void execute_script(std::string_view sql) override;
  // Several statements in one round trip; hands out the rows of the last one, or nothing when that has no rows.
  std::vector<Row> query_script(std::string_view sql);

  bool is_alive() const;        // as far as known without asking the server
  bool in_transaction() const;
  bool in_failed_transaction() const;  // a statement failed: only ROLLBACK will do
  const std::string& last_error_code() const { return last_error_code_; }  // SQLSTATE of the last failure, "55P03"

 private:
  friend struct Bulk;  // bulk.cpp: COPY
  struct Prepared { std::string sql, name; };

  const std::string& prepare(std::string_view sql);
  void send(std::string_view sql, const Parameters& parameters);
  void drain();
  [[noreturn]] void fail(const pg_result* result, std::string_view sql);

  pg_conn* handle_ = nullptr;
  std::list<Prepared> kept_;  // most recently used first
  std::int64_t named_ = 0;
  std::string last_error_code_;
  bool streaming_ = false;
};

// `?` to `$1, $2, …`, except inside texts, quoted names and comments.
std::string numbered_placeholders(std::string_view sql);

}  // namespace basalt::appdb
