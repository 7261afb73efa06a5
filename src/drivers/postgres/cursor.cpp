// Running a statement: BEGIN, the statement and ROLLBACK in one round trip (pipeline mode), rows one by one; or, for very
// many rows without parameters, COPY … TO STDOUT, which costs the server and us about a third less.
#include <algorithm>
#include <charconv>

#include "base/failure.h"
#include "drivers/postgres/connection.h"

namespace basalt::drivers::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// A batch is handed on when the server makes us wait this long, so that slow rows are seen at once.
constexpr std::chrono::milliseconds patience{20};

// Values in text form with the type a literal of that value would have.
struct Parameters {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
  std::vector<Oid> types;

  Parameters(const std::vector<sql::BoundValue>& values, Oid type_of_texts) {
    texts.reserve(values.size());
    for (auto& value : values) {
      auto add = [&](Oid type, std::string text) {
        types.push_back(type);
        texts.push_back(std::move(text));
      };
      std::visit([&](auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, sql::NullValue>) add(0, "");
        else if constexpr (std::is_same_v<T, bool>) add(16, v ? "t" : "f");
        else if constexpr (std::is_same_v<T, std::int64_t>) add(v >= INT32_MIN && v <= INT32_MAX ? 23 : 20, std::to_string(v));
        else if constexpr (std::is_same_v<T, double>) {
          char buffer[40];
          auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
          add(701, std::string(buffer, end));
        }
        else if constexpr (std::is_same_v<T, std::string>) {
          if (v.find('\0') != std::string::npos)
            throw Failure(FailureKind::BadRequest, "A text given to the query has a NUL character in it; PostgreSQL has no such texts.");
          add(type_of_texts, v);
        }
        else if constexpr (std::is_same_v<T, sql::DateValue>) add(1082, v.text);
        else if constexpr (std::is_same_v<T, sql::TimeValue>) add(1083, v.text);
        else if constexpr (std::is_same_v<T, sql::TimestampValue>) add(v.zoned ? 1184 : 1114, v.text);
        else if constexpr (std::is_same_v<T, sql::DecimalValue>) add(1700, v.text);
      }, value);
    }
    for (std::size_t i = 0; i < values.size(); ++i)
      pointers.push_back(std::holds_alternative<sql::NullValue>(values[i]) ? nullptr : texts[i].c_str());
  }
  int count() const { return static_cast<int>(texts.size()); }
};

constexpr std::size_t most_known = 64, longest_known = 16 << 10;

const char* begin_text(const ExecuteOptions& options) { return options.read_only ? "BEGIN READ ONLY" : "BEGIN READ WRITE"; }

// The statement without a last `;` and what blanks follow it.
std::string_view without_end(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || static_cast<unsigned char>(text.back()) <= ' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

// What both kinds of cursor share: the columns, and freeing the connection at the end.
class StatementCursor : public Cursor {
 public:
  explicit StatementCursor(PostgresConnection& connection) : connection_(connection) {}
  const std::vector<rows::Column>& columns() const override { return columns_; }

 protected:
  void learn_columns(const PGresult* result) {
    for (int i = 0; i < PQnfields(result); ++i) columns_.push_back(connection_.column_of(result, i, readings_.emplace_back()));
  }
  void finished() {
    std::lock_guard lock(connection_.mutex_);
    connection_.running_ = false;
  }
  // Left early: the statement is stopped in the database; the connection is not worth the wait and is closed by its pool.
  void leave() {
    connection_.cancel();
    finished();
    connection_.mark_broken();
  }
  PGconn* handle() { return connection_.handle_.get(); }

  PostgresConnection& connection_;
  std::vector<rows::Column> columns_;
  std::vector<Reading> readings_;
};

class RowCursor final : public StatementCursor {
 public:
  explicit RowCursor(PostgresConnection& connection, Result first) : StatementCursor(connection), pending_(std::move(first)) {
    auto status = PQresultStatus(pending_.get());
    if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) learn_columns(pending_.get());
    if (status != PGRES_SINGLE_TUPLE) end();
  }
  ~RowCursor() override {
    if (!done_ && !end_soon()) leave();
  }

  bool next(rows::Batch& batch) override {
    rows::prepare(batch, columns_);
    std::size_t rows = 0, bytes = 0;
    while (!done_ && rows < rows::batch_rows && bytes < rows::batch_bytes) {
      if (!pending_) {
        if (rows > 0 && !ready_soon()) break;
        pending_ = connection_.next_result(connection_.deadline_);
      }
      if (pending_ && PQresultStatus(pending_.get()) == PGRES_SINGLE_TUPLE) {
        bytes += append_row(batch, pending_.get());
        ++rows;
        pending_.reset();
      } else {
        end();
      }
    }
    return rows > 0;
  }

 private:
  // A cut result is often only cut by its last row: when little is left, the connection is kept.
  bool end_soon() noexcept {
    try {
      for (int rows = 0; rows < 64; ++rows) {
        if (!pending_) {
          if (!ready_soon()) return false;
          pending_ = connection_.next_result(connection_.deadline_);
        }
        if (!pending_ || PQresultStatus(pending_.get()) != PGRES_SINGLE_TUPLE) {
          end();
          return true;
        }
        pending_.reset();
      }
    } catch (...) {
      return done_;  // end() has left the connection in order, or marked it
    }
    return false;
  }

  bool ready_soon() {
    while (PQisBusy(handle())) {
      if (!connection_.wait_readable(Clock::now() + patience)) return false;
      if (!PQconsumeInput(handle())) connection_.fail_lost();
    }
    return true;
  }

  std::size_t append_row(rows::Batch& batch, const PGresult* result) {
    std::size_t bytes = 0;
    for (int i = 0; i < static_cast<int>(columns_.size()); ++i) {
      auto& column = batch.columns[static_cast<std::size_t>(i)];
      if (PQgetisnull(result, 0, i)) { column.append_null(); continue; }
      auto length = static_cast<std::size_t>(PQgetlength(result, 0, i));
      if (length > rows::value_limit) rows::refuse_giant_value(columns_[static_cast<std::size_t>(i)].name, length);
      append(column, readings_[static_cast<std::size_t>(i)], {PQgetvalue(result, 0, i), length});
      bytes += length;
    }
    return bytes;
  }

  // Takes what is left of the pipeline: the statement's end or failure, ROLLBACK, the synchronisation point.
  void end() {
    done_ = true;
    Result failed;
    auto status = [&] { return pending_ ? PQresultStatus(pending_.get()) : PGRES_EMPTY_QUERY; };
    if (status() == PGRES_COPY_OUT || status() == PGRES_COPY_IN || status() == PGRES_COPY_BOTH) {
      leave();
      throw Failure(FailureKind::Database, "COPY from or to the client can't be run as a question; write a SELECT.");
    }
    try {
      for (;;) {
        if (status() == PGRES_FATAL_ERROR && !failed) failed = std::move(pending_);
        else if (status() == PGRES_PIPELINE_SYNC) break;
        pending_ = connection_.next_result(connection_.deadline_);
        if (!pending_ && PQstatus(handle()) != CONNECTION_OK) connection_.fail_lost();
      }
      pending_.reset();
      finished();
      PQexitPipelineMode(handle());
      if (failed && PQtransactionStatus(handle()) != PQTRANS_IDLE) Result(PQexec(handle(), "ROLLBACK"));
    } catch (...) {
      finished();
      connection_.mark_broken();
      if (failed) connection_.fail(failed.get());  // the statement's own failure tells more
      throw;
    }
    if (failed) connection_.fail(failed.get());
  }

  Result pending_;
  bool done_ = false;
};

class CopyCursor final : public StatementCursor {
 public:
  CopyCursor(PostgresConnection& connection, const PGresult* described) : StatementCursor(connection) { learn_columns(described); }
  ~CopyCursor() override {
    if (!done_) leave();
  }

  bool next(rows::Batch& batch) override {
    rows::prepare(batch, columns_);
    std::size_t rows = 0, bytes = 0;
    while (!done_ && rows < rows::batch_rows && bytes < rows::batch_bytes) {
      char* line = nullptr;
      int length = PQgetCopyData(handle(), &line, 1);
      if (length > 0) {
        std::unique_ptr<char, void (*)(void*)> owner(line, PQfreemem);
        append_line(batch, line, static_cast<std::size_t>(length));
        bytes += static_cast<std::size_t>(length);
        ++rows;
      } else if (length == 0) {
        if (!connection_.wait_readable(rows > 0 ? Clock::now() + patience : connection_.deadline_.value_or(Clock::time_point::max()))) {
          if (rows > 0) break;
          connection_.mark_broken();
          connection_.fail_late();
        }
        if (!PQconsumeInput(handle())) connection_.fail_lost();
      } else {
        end();
      }
    }
    return rows > 0;
  }

 private:
  // One row of COPY's text format: values between tabs, \N for null, a backslash before what would be mistaken.
  void append_line(rows::Batch& batch, char* line, std::size_t length) {
    char* end = line + length;
    if (length > 0 && end[-1] == '\n') --end;
    char* at = line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      char *start = at, *to = nullptr;
      while (at < end && *at != '\t') {
        if (*at == '\\') {
          if (!to) to = at;
          ++at;
          if (at < end) *to++ = unescaped(*at++);
        } else {
          if (to) *to++ = *at;
          ++at;
        }
      }
      char* stop = to ? to : at;
      auto& column = batch.columns[i];
      if (to && at - start == 2 && start[1] == 'N') column.append_null();
      else if (static_cast<std::size_t>(stop - start) > rows::value_limit) rows::refuse_giant_value(columns_[i].name, static_cast<std::size_t>(stop - start));
      else append(column, readings_[i], {start, static_cast<std::size_t>(stop - start)});
      ++at;
    }
  }
  static char unescaped(char c) {
    switch (c) {
      case 'b': return '\b';
      case 'f': return '\f';
      case 'n': return '\n';
      case 'r': return '\r';
      case 't': return '\t';
      case 'v': return '\v';
      default: return c;
    }
  }

  void end() {
    done_ = true;
    Result failed;
    try {
      while (auto result = connection_.next_result(connection_.deadline_)) {
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) failed = std::move(result);
        if (PQstatus(handle()) != CONNECTION_OK) break;
      }
    } catch (...) {
      finished();
      if (failed) connection_.fail(failed.get());
      throw;
    }
    finished();
    if (PQstatus(handle()) == CONNECTION_OK) Result(PQexec(handle(), "ROLLBACK"));
    if (failed) connection_.fail(failed.get());
  }

  bool done_ = false;
};

std::unique_ptr<Cursor> PostgresConnection::execute_copy(const sql::Statement& statement, const ExecuteOptions& options) {
  ask(begin_text(options));
  auto roll_back = [&] {
    if (PQstatus(handle_.get()) == CONNECTION_OK) Result(PQexec(handle_.get(), "ROLLBACK"));
  };
  auto stopped = [&](bool running) {
    std::lock_guard lock(mutex_);
    running_ = running;
  };
  try {
    // Prepared first: it names the types of the columns, and only one whole statement passes, so that nothing can end
    // COPY's bracket early.
    auto run = [&](int sent) {
      if (!sent) fail_lost();
      Result last;
      while (auto result = next_result(deadline_)) {
        last = std::move(result);
        if (PQresultStatus(last.get()) == PGRES_COPY_OUT) return last;
      }
      return last;
    };
    auto prepared = run(PQsendPrepare(handle_.get(), "", statement.text.c_str(), 0, nullptr));
    if (PQresultStatus(prepared.get()) != PGRES_COMMAND_OK) fail(prepared.get());
    auto described = run(PQsendDescribePrepared(handle_.get(), ""));
    if (PQresultStatus(described.get()) != PGRES_COMMAND_OK) fail(described.get());
    if (PQnfields(described.get()) == 0) {
      roll_back();
      return nullptr;
    }
    stopped(true);
    auto text = "COPY (" + std::string(without_end(statement.text)) + "\n) TO STDOUT";
    auto copying = run(PQsendQueryParams(handle_.get(), text.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    if (PQresultStatus(copying.get()) == PGRES_COPY_OUT) return std::make_unique<CopyCursor>(*this, described.get());
    stopped(false);
    // SHOW, EXPLAIN, a last comment …: right as a statement, not inside COPY.
    auto* state = PQresultErrorField(copying.get(), PG_DIAG_SQLSTATE);
    if (state && (std::string_view(state) == "42601" || std::string_view(state) == "0A000")) {
      roll_back();
      return nullptr;
    }
    fail(copying.get());
  } catch (...) {
    stopped(false);
    roll_back();
    throw;
  }
}

PostgresConnection::Known* PostgresConnection::known(const sql::Statement& statement, const std::vector<Oid>& types, const ExecuteOptions& options) {
  if (!options.repeatable || !prepares_ || statement.text.size() > longest_known) return nullptr;
  // The session's time zone is part of what literals mean.
  std::string key = statement.text;
  key.append("\n").append(time_zone_);
  for (auto type : types) key.append(" ").append(std::to_string(type));
  auto found = std::find_if(known_.begin(), known_.end(), [&](auto& one) { return one.key == key; });
  if (found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
    return &known_.front();
  }
  if (known_.size() >= most_known) {
    if (known_.back().prepared) Result(PQexec(handle_.get(), ("DEALLOCATE " + known_.back().name).c_str()));
    known_.pop_back();
  }
  known_.push_front({std::move(key), "q" + std::to_string(++named_)});
  return nullptr;  // once is not again
}

std::unique_ptr<Cursor> PostgresConnection::execute(const sql::Statement& statement, const ExecuteOptions& options) {
  cancelled_ = false;
  prepare_session(options);
  if (options.bulk && statement.values.empty()) {
    if (auto cursor = execute_copy(statement, options)) return cursor;
  }
  for (Oid type_of_texts : {Oid(0), Oid(25)}) {
    // Texts go without a type, as a literal would (so that they compare with enums, uuids, dates); where the server can't
    // tell (42P18), as text.
    Parameters parameters(statement.values, type_of_texts);
    auto* again = known(statement, parameters.types, options);
    bool prepares = again && !again->prepared;
    {
      std::lock_guard lock(mutex_);
      running_ = true;
    }
    try {
      auto* handle = handle_.get();
      if (!PQenterPipelineMode(handle) ||
          !PQsendQueryParams(handle, begin_text(options), 0, nullptr, nullptr, nullptr, nullptr, 0) ||
          (prepares && !PQsendPrepare(handle, again->name.c_str(), statement.text.c_str(), parameters.count(), parameters.types.data())) ||
          !(again ? PQsendQueryPrepared(handle, again->name.c_str(), parameters.count(), parameters.pointers.data(), nullptr, nullptr, 0)
                  : PQsendQueryParams(handle, statement.text.c_str(), parameters.count(), parameters.types.data(), parameters.pointers.data(), nullptr, nullptr, 0)) ||
          !PQsendQueryParams(handle, "ROLLBACK", 0, nullptr, nullptr, nullptr, nullptr, 0) || !PQpipelineSync(handle))
        fail_lost();
      auto begun = next_result(deadline_);
      if (PQresultStatus(begun.get()) != PGRES_COMMAND_OK) { mark_broken(); fail(begun.get()); }
      next_result(deadline_);  // the nullptr between two statements
      Result first;
      if (prepares) {
        first = next_result(deadline_);
        again->prepared = PQresultStatus(first.get()) == PGRES_COMMAND_OK;
        if (again->prepared) next_result(deadline_);
      }
      if (!again || again->prepared) {
        PQsetSingleRowMode(handle);
        first = next_result(deadline_);
      }
      auto* state = PQresultErrorField(first.get(), PG_DIAG_SQLSTATE);
      bool untyped = state && std::string_view(state) == "42P18" && type_of_texts == 0 && !statement.values.empty();
      // The columns are others than when it was prepared, or a pooler gave us another session: names are unknown or taken.
      std::string state_of_first = state ? state : "";
      bool forgotten = again && (state_of_first == "0A000" || state_of_first == "26000" || state_of_first == "42P05");
      try {
        return std::make_unique<RowCursor>(*this, std::move(first));
      } catch (const Failure&) {
        if (broken_ || (!untyped && !forgotten)) throw;
      }
      if (forgotten) {
        // Nothing ran: once more, as it is.
        if (state_of_first != "0A000") prepares_ = false;
        auto unprepared = options;
        unprepared.repeatable = false;
        known_.clear();
        return execute(statement, unprepared);
      }
    } catch (...) {
      {
        std::lock_guard lock(mutex_);
        running_ = false;
      }
      if (PQpipelineStatus(handle_.get()) != PQ_PIPELINE_OFF) mark_broken();
      throw;
    }
  }
  throw Failure(FailureKind::Bug, "A statement was neither run nor refused.");
}

}  // namespace basalt::drivers::postgres
