// What the drivers' tests share: a result as text, one line per row.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/failure.h"
#include "drivers/driver.h"

namespace basalt::drivers::testing {

inline std::string cell(const rows::Vector& column, std::size_t row) {
  if (column.is_null(row)) return "null";
  switch (column.kind()) {
    case rows::Kind::Integer: return std::to_string(column.integer(row));
    case rows::Kind::Boolean: return column.integer(row) ? "true" : "false";
    case rows::Kind::Real: return json::write(column.real(row));
    default: return std::string(column.text(row));
  }
}

struct Answer {
  std::vector<rows::Column> columns;
  std::vector<std::string> rows;  // values joined by " | "
  std::size_t largest_batch = 0, batches = 0;
};

inline Answer run(Connection& connection, const sql::Statement& statement, const ExecuteOptions& options = {}) {
  auto cursor = connection.execute(statement, options);
  Answer answer;
  answer.columns = cursor->columns();
  for (rows::Batch batch; cursor->next(batch);) {
    ++answer.batches;
    answer.largest_batch = std::max(answer.largest_batch, batch.rows());
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      std::string line;
      for (auto& column : batch.columns) line += (line.empty() ? "" : " | ") + cell(column, row);
      answer.rows.push_back(line);
    }
  }
  return answer;
}
inline Answer run(Connection& connection, const std::string& sql, const ExecuteOptions& options = {}) { return run(connection, sql::Statement{sql, {}}, options); }

// The failure of a call; the test fails when there is none.
template <class Call>
Failure failure_of(Call&& call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Failure(FailureKind::Bug, "nothing was thrown");
}

struct Stopped {
  Failure failure;
  std::chrono::milliseconds after;  // from the call of cancel() to the failure
};

// Runs a statement on a thread, cancels it as soon as it runs, and says how long it took to stop.
inline Stopped cancel_while_running(Connection& connection, const std::string& sql, const ExecuteOptions& options = {}) {
  using Clock = std::chrono::steady_clock;
  std::optional<Failure> failure;
  std::atomic<bool> ended = false;
  Clock::time_point ended_at;
  std::thread runner([&] {
    try {
      run(connection, sql, options);
    } catch (const Failure& thrown) {
      failure = thrown;
    }
    ended_at = Clock::now();
    ended = true;
  });
  // cancel() does nothing before the statement runs: it is asked again until it is heard, the first time that counts.
  Clock::time_point asked_at = Clock::now();
  while (!ended) {
    connection.cancel();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  runner.join();
  if (!failure) {
    ADD_FAILURE() << "the statement ran to its end";
    return {Failure(FailureKind::Bug, "not cancelled"), {}};
  }
  return {*failure, std::chrono::round<std::chrono::milliseconds>(ended_at - asked_at)};
}

// The quickest of a few tries: a busy machine may delay any one of them. `connection` is called for each.
inline Stopped quickest_stop(const std::function<Connection&()>& connection, const std::string& sql, const ExecuteOptions& options = {}) {
  auto best = cancel_while_running(connection(), sql, options);
  for (int again = 0; again < 4 && best.after >= std::chrono::milliseconds(100); ++again) {
    auto next = cancel_while_running(connection(), sql, options);
    if (next.after < best.after) best = next;
  }
  return best;
}

}  // namespace basalt::drivers::testing
