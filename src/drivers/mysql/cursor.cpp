// Statements of people and of the compiler: without values by the text protocol, with values prepared and bound. Rows are taken
// from the wire one by one (mysql_use_result), never all in memory.
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/failure.h"
#include "drivers/mysql/connection.h"

namespace basalt::drivers::mysql {
namespace {

using Clock = std::chrono::steady_clock;

// Rows that have come are handed on when the next ones take longer than this.
constexpr std::chrono::milliseconds patience{20};

// A value where the server cannot know in advance where it goes: bound, never written into the text.
struct Parameters {
  std::vector<std::string> texts;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  std::vector<unsigned long> lengths;
  std::vector<MYSQL_BIND> binds;

  explicit Parameters(const std::vector<sql::BoundValue>& values)
      : texts(values.size()), integers(values.size()), reals(values.size()), lengths(values.size()), binds(values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto& bind = binds[i];
      bind = {};
      auto as_text = [&](std::string text, enum_field_types type) {
        texts[i] = std::move(text);
        lengths[i] = texts[i].size();
        bind.buffer_type = type;
        bind.buffer = texts[i].data();
        bind.buffer_length = lengths[i];
        bind.length = &lengths[i];
      };
      std::visit([&](auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, sql::NullValue>) bind.buffer_type = MYSQL_TYPE_NULL;
        else if constexpr (std::is_same_v<T, bool>) { integers[i] = v; bind.buffer_type = MYSQL_TYPE_LONGLONG; bind.buffer = &integers[i]; }
        else if constexpr (std::is_same_v<T, std::int64_t>) { integers[i] = v; bind.buffer_type = MYSQL_TYPE_LONGLONG; bind.buffer = &integers[i]; }
        else if constexpr (std::is_same_v<T, double>) { reals[i] = v; bind.buffer_type = MYSQL_TYPE_DOUBLE; bind.buffer = &reals[i]; }
        else if constexpr (std::is_same_v<T, std::string>) as_text(v, MYSQL_TYPE_STRING);
        else if constexpr (std::is_same_v<T, sql::DecimalValue>) as_text(v.text, MYSQL_TYPE_NEWDECIMAL);
        else as_text(v.text, MYSQL_TYPE_STRING);  // dates and times stand in a CAST or beside a column of their type
      }, values[i]);
    }
  }
};

// Whether the statement may leave something in the session that the next one, of somebody else, must not find: variables,
// locks, temporary tables, settings. A plain SELECT does not.
bool leaves_traces(std::string_view text) {
  while (!text.empty() && (static_cast<unsigned char>(text.front()) <= ' ' || text.front() == '(')) text.remove_prefix(1);
  auto starts = [&](std::string_view word) {
    return text.size() > word.size() && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == (b & ~0x20); });
  };
  if (!starts("SELECT") && !starts("WITH")) return true;
  if (text.find('@') != std::string_view::npos || text.find(":=") != std::string_view::npos) return true;
  constexpr std::string_view lock = "GET_LOCK";
  return std::search(text.begin(), text.end(), lock.begin(), lock.end(), [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; }) != text.end();
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
bool is_word(char c) { return (c >= '0' && c <= '9') || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80; }
bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

// Where a comment that begins at `i` ends; `i` itself when none does. `/*!` and `/*M!` hold code and are none.
std::size_t after_comment(std::string_view text, std::size_t i) {
  auto rest = text.substr(i);
  if (rest.starts_with('#') || (rest.starts_with("--") && (rest.size() == 2 || is_blank(rest[2])))) return std::min(text.size(), text.find('\n', i));
  if (!rest.starts_with("/*") || rest.starts_with("/*!") || rest.starts_with("/*M!") || rest.starts_with("/*/")) return i;
  auto end = text.find("*/", i + 2);
  return end == std::string_view::npos ? i : end + 2;
}

// The first word in capitals, behind comments and opening brackets; empty: something else stands there.
std::string first_word(std::string_view text) {
  std::size_t i = 0;
  for (;;) {
    while (i < text.size() && (is_blank(text[i]) || text[i] == '(')) ++i;
    auto next = after_comment(text, i);
    if (next == i) break;
    i = next;
  }
  std::string word;
  while (i < text.size() && is_word(text[i])) word += upper(text[i++]);
  return word;
}

// INTO OUTFILE or INTO DUMPFILE outside of texts, quoted names and comments. `escapes`: a backslash in a text does.
bool writes_file(std::string_view text, bool escapes) {
  std::string before, word;
  for (std::size_t i = 0; i < text.size();) {
    if (auto next = after_comment(text, i); next != i) { i = next; continue; }
    char c = text[i];
    if (c == '\'' || c == '"' || c == '`') {
      for (++i; i < text.size() && text[i] != c; ++i)
        if (escapes && c != '`' && text[i] == '\\') ++i;
      ++i;
      before.clear();
    } else if (text.substr(i).starts_with("/*")) {
      // Code in a comment, which may name the version it is for.
      for (i += 2; i < text.size() && (text[i] == 'M' || text[i] == '!' || (text[i] >= '0' && text[i] <= '9')); ++i) {}
    } else if (is_word(c)) {
      for (word.clear(); i < text.size() && is_word(text[i]); ++i) word += upper(text[i]);
      if (before == "INTO" && (word == "OUTFILE" || word == "DUMPFILE")) return true;
      before = word;
    } else {
      ++i;
    }
  }
  return false;
}

// A read-only transaction alone does not keep from writing: compound statements (BEGIN NOT ATOMIC), SET STATEMENT, EXECUTE
// IMMEDIATE and procedures may leave it in the midst of one text. So only statements that cannot hold others are let through;
// what these write themselves (WITH … DELETE) the transaction refuses. It does not refuse files, which need the right FILE.
void check_reads(std::string_view text) {
  static constexpr std::string_view reading[] = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES", "TABLE"};
  if (std::find(std::begin(reading), std::end(reading), first_word(text)) == std::end(reading) || text.find('\0') != std::string_view::npos)
    throw Failure(FailureKind::Database, "Only queries are run here: begin with SELECT, WITH, VALUES, TABLE, SHOW, DESCRIBE or EXPLAIN.");
  if (writes_file(text, true) || writes_file(text, false))
    throw Failure(FailureKind::Database, "Only queries are run here: leave out INTO OUTFILE or INTO DUMPFILE, which write a file on the database server.");
}

}  // namespace

// What both kinds of cursor share: waiting for a row, and freeing the connection at the end.
class MysqlCursor : public Cursor {
 public:
  explicit MysqlCursor(MysqlConnection& connection) : connection_(connection) {}
  const std::vector<rows::Column>& columns() const override { return columns_; }

  bool next(rows::Batch& batch) override {
    rows::prepare(batch, columns_);
    std::size_t rows = 0, bytes = 0;
    while (!done_ && rows < rows::batch_rows && bytes < rows::batch_bytes) {
      auto came = fetch(rows > 0 ? std::optional(Clock::now() + patience) : connection_.deadline_, rows == 0);
      if (came == Came::Later) break;
      if (came == Came::Row) {
        bytes += append_row(batch);
        ++rows;
      } else {
        end();
      }
    }
    return rows > 0;
  }

 protected:
  enum class Came { Row, End, Later };
  // The library's two calls for the next row.
  virtual int start_fetch() = 0;
  virtual int resume_fetch(int came) = 0;
  virtual Came fetched() = 0;
  virtual std::size_t append_row(rows::Batch& batch) = 0;
  // Throws what ended the rows early.
  virtual void check_end() = 0;
  virtual void forget_result() = 0;

  Came fetch(std::optional<Clock::time_point> limit, bool insist) {
    if (waits_for_ == 0) waits_for_ = start_fetch();
    while (waits_for_) {
      int came = insist ? connection_.wait(waits_for_, limit) : connection_.wait_until(waits_for_, limit);
      if (came == 0) return Came::Later;
      waits_for_ = resume_fetch(came);
    }
    return fetched();
  }

  void end() {
    done_ = true;
    try {
      check_end();
      // A procedure has more results; the first is the one that is shown.
      forget_result();
      while (mysql_more_results(connection_.handle_.get())) {
        int failed = 0;
        connection_.finish([&] { return mysql_next_result_start(&failed, connection_.handle_.get()); },
                           [&](int came) { return mysql_next_result_cont(&failed, connection_.handle_.get(), came); });
        if (failed > 0) connection_.fail();
        Result more(mysql_use_result(connection_.handle_.get()));
        if (!more) continue;
        for (MYSQL_ROW row = nullptr;;) {
          connection_.finish([&] { return mysql_fetch_row_start(&row, more.get()); }, [&](int came) { return mysql_fetch_row_cont(&row, more.get(), came); });
          if (!row) break;
        }
      }
    } catch (...) {
      connection_.finished();
      throw;
    }
    connection_.finished();
    // Some statements end early instead of failing when they are stopped.
    if (connection_.cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
  }

  // Called by the destructors: a cut result is often only cut by its last row, then the connection is kept; else the statement
  // is stopped in the database, and the connection is not worth the wait.
  void leave() noexcept {
    if (done_) return;
    try {
      for (int rows = 0; rows < 64; ++rows) {
        auto came = fetch(Clock::now() + patience, false);
        if (came == Came::Later) break;
        if (came == Came::End) {
          end();
          return;
        }
      }
    } catch (...) {
      if (done_) return;
    }
    done_ = true;
    try {
      connection_.cancel();
    } catch (...) {
    }
    connection_.finished();
    connection_.mark_broken();
    ::shutdown(static_cast<int>(mysql_get_socket(connection_.handle_.get())), SHUT_RDWR);
  }

  void take(rows::Vector& column, std::size_t i, std::string_view text) {
    if (text.size() > rows::value_limit) rows::refuse_giant_value(columns_[i].name, text.size());
    append(column, readings_[i], text, connection_.zone_);
  }

  MysqlConnection& connection_;
  std::vector<rows::Column> columns_;
  std::vector<Reading> readings_;
  int waits_for_ = 0;  // a fetch is under way
  bool done_ = false;
};

class TextCursor final : public MysqlCursor {
 public:
  explicit TextCursor(MysqlConnection& connection) : MysqlCursor(connection), result_(mysql_use_result(connection.handle_.get())) {
    if (!result_) {
      end();
      return;
    }
    auto count = mysql_num_fields(result_.get());
    auto* fields = mysql_fetch_fields(result_.get());
    for (unsigned i = 0; i < count; ++i) columns_.push_back(column_of(fields[i], connection.zone_, readings_.emplace_back()));
  }
  ~TextCursor() override { leave(); }

 private:
  int start_fetch() override { return mysql_fetch_row_start(&row_, result_.get()); }
  int resume_fetch(int came) override { return mysql_fetch_row_cont(&row_, result_.get(), came); }
  Came fetched() override { return row_ ? Came::Row : Came::End; }

  std::size_t append_row(rows::Batch& batch) override {
    auto* lengths = mysql_fetch_lengths(result_.get());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!row_[i]) { batch.columns[i].append_null(); continue; }
      take(batch.columns[i], i, {row_[i], lengths[i]});
      bytes += lengths[i];
    }
    return bytes;
  }

  void check_end() override {
    if (mysql_errno(connection_.handle_.get())) connection_.fail();
  }
  void forget_result() override { result_.reset(); }

  Result result_;
  MYSQL_ROW row_ = nullptr;
};

// Rows of a prepared statement come in the binary protocol: numbers and dates as such, texts into a buffer that grows.
class StatementCursor final : public MysqlCursor {
 public:
  StatementCursor(MysqlConnection& connection, StatementHandle statement) : MysqlCursor(connection), statement_(std::move(statement)) {
    Result described(mysql_stmt_result_metadata(statement_.get()));
    if (!described) {
      end();
      return;
    }
    auto count = mysql_num_fields(described.get());
    auto* fields = mysql_fetch_fields(described.get());
    cells_.resize(count);
    std::vector<MYSQL_BIND> binds(count);
    for (unsigned i = 0; i < count; ++i) {
      columns_.push_back(column_of(fields[i], connection.zone_, readings_.emplace_back()));
      auto& cell = cells_[i];
      auto& bind = binds[i];
      bind = {};
      bind.is_null = &cell.is_null;
      bind.length = &cell.length;
      bind.error = &cell.cut;
      bind.is_unsigned = (fields[i].flags & UNSIGNED_FLAG) != 0;
      auto into = [&](enum_field_types type, void* place, std::size_t size) {
        bind.buffer_type = type;
        bind.buffer = place;
        bind.buffer_length = size;
      };
      switch (readings_[i]) {
        case Reading::Integer:
        case Reading::Boolean: into(MYSQL_TYPE_LONGLONG, &cell.integer, sizeof cell.integer); break;
        case Reading::Real:
          cell.single = fields[i].type == MYSQL_TYPE_FLOAT;
          if (cell.single) into(MYSQL_TYPE_FLOAT, &cell.narrow, sizeof cell.narrow);
          else into(MYSQL_TYPE_DOUBLE, &cell.real, sizeof cell.real);
          break;
        case Reading::Date: into(MYSQL_TYPE_DATE, &cell.time, sizeof cell.time); break;
        case Reading::Time: into(MYSQL_TYPE_TIME, &cell.time, sizeof cell.time); break;
        case Reading::Timestamp:
        case Reading::Instant: into(MYSQL_TYPE_DATETIME, &cell.time, sizeof cell.time); break;
        case Reading::Decimal:
          if (fields[i].type == MYSQL_TYPE_LONGLONG) {
            cell.wide = true;
            into(MYSQL_TYPE_LONGLONG, &cell.integer, sizeof cell.integer);
            break;
          }
          [[fallthrough]];
        default:
          cell.text.resize(256);
          into(fields[i].type == MYSQL_TYPE_BIT ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING, cell.text.data(), cell.text.size());
      }
    }
    if (mysql_stmt_bind_result(statement_.get(), binds.data())) fail();
  }
  ~StatementCursor() override { leave(); }

 private:
  struct Cell {
    my_bool is_null = 0, cut = 0;
    unsigned long length = 0;
    std::int64_t integer = 0;
    double real = 0;
    float narrow = 0;
    bool single = false, wide = false;
    MYSQL_TIME time{};
    std::string text;
  };

  // Some failures are the statement's, others only the connection's.
  [[noreturn]] void fail() {
    if (auto code = mysql_stmt_errno(statement_.get())) connection_.fail(code, mysql_stmt_sqlstate(statement_.get()), mysql_stmt_error(statement_.get()));
    if (mysql_errno(connection_.handle_.get())) connection_.fail();
    connection_.fail_lost();
  }

  int start_fetch() override { return mysql_stmt_fetch_start(&status_, statement_.get()); }
  int resume_fetch(int came) override { return mysql_stmt_fetch_cont(&status_, statement_.get(), came); }
  Came fetched() override { return status_ == 0 || status_ == MYSQL_DATA_TRUNCATED ? Came::Row : Came::End; }

  std::size_t append_row(rows::Batch& batch) override {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto& column = batch.columns[i];
      auto& cell = cells_[i];
      if (cell.is_null) { column.append_null(); continue; }
      bytes += 8;
      switch (readings_[i]) {
        case Reading::Integer: column.append_integer(cell.integer); break;
        case Reading::Boolean: column.append_integer(cell.integer != 0); break;
        case Reading::Real: column.append_real(cell.single ? widened(cell.narrow) : cell.real); break;
        case Reading::Date:
        case Reading::Time:
        case Reading::Timestamp:
        case Reading::Instant: append(column, readings_[i], cell.time, connection_.zone_); break;
        default:
          if (cell.wide) column.append_text(std::to_string(static_cast<std::uint64_t>(cell.integer)));
          else bytes += append_text(column, i, cell);
      }
    }
    return bytes;
  }

  std::size_t append_text(rows::Vector& column, std::size_t i, Cell& cell) {
    if (cell.length > rows::value_limit) rows::refuse_giant_value(columns_[i].name, cell.length);
    if (cell.length <= cell.text.size()) {
      take(column, i, {cell.text.data(), cell.length});
      return cell.length;
    }
    // Longer than the buffer: read again, into one that is large enough for this value only.
    std::string text(cell.length, '\0');
    MYSQL_BIND bind{};
    unsigned long length = 0;
    my_bool is_null = 0, cut = 0;
    bind.buffer_type = MYSQL_TYPE_STRING;
    bind.buffer = text.data();
    bind.buffer_length = text.size();
    bind.length = &length;
    bind.is_null = &is_null;
    bind.error = &cut;
    if (mysql_stmt_fetch_column(statement_.get(), &bind, static_cast<unsigned>(i), 0)) fail();
    take(column, i, text);
    return text.size();
  }

  // 0.1f is 0.1, as its text would be.
  static double widened(float value) {
    char buffer[32];
    auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    double result = value;
    std::from_chars(buffer, end, result);
    return result;
  }

  void check_end() override {
    if (status_ == 1) fail();
  }
  void forget_result() override { statement_.reset(); }

  StatementHandle statement_;
  std::vector<Cell> cells_;
  int status_ = 0;
};

std::unique_ptr<Cursor> MysqlConnection::execute(const sql::Statement& statement, const ExecuteOptions& options) {
  if (broken_) fail_lost();
  if (options.read_only) check_reads(statement.text);
  cancelled_ = false;
  prepare_session(options);
  changed_ = leaves_traces(statement.text);
  if (!statement.values.empty()) {
    for (auto& value : statement.values) {
      // What a zone's name would give without the tables is null, in every row.
      auto* text = std::get_if<std::string>(&value);
      if (text && statement.text.find("CONVERT_TZ(") != std::string::npos && TimeZone::find(*text) && !has_zone(*text))
        throw Failure(FailureKind::Unsupported, "The database server's time zone tables are empty or do not hold " + *text +
                                                    ", so it cannot convert to it. Load them there (mariadb-tzinfo-to-sql or mysql_tzinfo_to_sql).");
    }
  }
  {
    std::lock_guard lock(mutex_);
    running_ = true;
  }
  try {
    if (statement.values.empty()) {
      send(statement.text);
      return std::make_unique<TextCursor>(*this);
    }
    StatementHandle prepared(mysql_stmt_init(handle_.get()));
    if (!prepared) throw Failure(FailureKind::Unavailable, "There is no memory left for a statement.");
    auto check = [&](int failed) {
      if (failed) fail(mysql_stmt_errno(prepared.get()), mysql_stmt_sqlstate(prepared.get()), mysql_stmt_error(prepared.get()));
    };
    int failed = 0;
    finish([&] { return mysql_stmt_prepare_start(&failed, prepared.get(), statement.text.data(), statement.text.size()); },
           [&](int came) { return mysql_stmt_prepare_cont(&failed, prepared.get(), came); });
    check(failed);
    if (mysql_stmt_param_count(prepared.get()) != statement.values.size())
      throw Failure(FailureKind::BadRequest, "The SQL has another number of `?` than of values; write `?` only inside of texts and comments.");
    Parameters parameters(statement.values);
    check(mysql_stmt_bind_param(prepared.get(), parameters.binds.data()));
    finish([&] { return mysql_stmt_execute_start(&failed, prepared.get()); }, [&](int came) { return mysql_stmt_execute_cont(&failed, prepared.get(), came); });
    check(failed);
    return std::make_unique<StatementCursor>(*this, std::move(prepared));
  } catch (...) {
    finished();
    throw;
  }
}

}  // namespace basalt::drivers::mysql
