#include "appdb/bulk.h"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <charconv>
#include <cstring>

#include "appdb/postgres_connection.h"
#include "appdb/sqlite_connection.h"
#include "base/failure.h"

namespace basalt::appdb {

// The engine's own handles, and its words for failures.
struct Bulk {
  static sqlite3* handle(SqliteConnection& c) { return c.handle_; }
  static PGconn* handle(PostgresConnection& c) { return c.handle_; }
  [[noreturn]] static void fail(SqliteConnection& c, int code, std::string_view sql) { c.fail(code, sql); }
  [[noreturn]] static void fail(PostgresConnection& c, const PGresult* result, std::string_view sql) { c.fail(result, sql); }
  static void drain(PostgresConnection& c) { c.drain(); }
  static bool& streaming(PostgresConnection& c) { return c.streaming_; }
};

namespace {

std::string column_list(const std::vector<RawColumn>& columns) {
  std::string out;
  for (auto& c : columns) out += (out.empty() ? "" : ", ") + quoted(c.name);
  return out;
}

// ---- SQLite

struct Statement {
  sqlite3_stmt* handle = nullptr;
  Statement(SqliteConnection& c, const std::string& sql) {
    int code = sqlite3_prepare_v3(Bulk::handle(c), sql.data(), static_cast<int>(sql.size()), 0, &handle, nullptr);
    if (code != SQLITE_OK) Bulk::fail(c, code, sql);
  }
  ~Statement() { sqlite3_finalize(handle); }
  Statement(const Statement&) = delete;
};

void each_raw_sqlite(SqliteConnection& c, const std::string& sql, std::size_t width, const std::function<void(RawRow)>& row) {
  Statement statement(c, sql);
  std::vector<RawValue> values(width);
  for (;;) {
    int code = sqlite3_step(statement.handle);
    if (code == SQLITE_DONE) return;
    if (code != SQLITE_ROW) Bulk::fail(c, code, sql);
    for (std::size_t i = 0; i < width; ++i) {
      auto& value = values[i];
      int at = static_cast<int>(i);
      switch (sqlite3_column_type(statement.handle, at)) {
        case SQLITE_NULL: value.kind = RawValue::Kind::Null; break;
        case SQLITE_INTEGER:
          value.kind = RawValue::Kind::Integer;
          value.integer = sqlite3_column_int64(statement.handle, at);
          break;
        case SQLITE_FLOAT:
          value.kind = RawValue::Kind::Real;
          value.real = sqlite3_column_double(statement.handle, at);
          break;
        case SQLITE_TEXT: {
          value.kind = RawValue::Kind::Text;
          auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.handle, at));
          value.bytes = {text, static_cast<std::size_t>(sqlite3_column_bytes(statement.handle, at))};
          break;
        }
        default: {
          value.kind = RawValue::Kind::Blob;
          auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement.handle, at));
          value.bytes = {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement.handle, at))};
        }
      }
    }
    row(values);
  }
}

class SqliteWriter final : public RowWriter {
 public:
  SqliteWriter(SqliteConnection& c, const std::string& sql) : connection_(c), sql_(sql), statement_(c, sql) {}
  void add(RawRow row) override {
    auto* s = statement_.handle;
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto& value = row[i];
      int at = static_cast<int>(i) + 1, code = SQLITE_OK;
      switch (value.kind) {
        case RawValue::Kind::Null: code = sqlite3_bind_null(s, at); break;
        case RawValue::Kind::Integer: code = sqlite3_bind_int64(s, at, value.integer); break;
        case RawValue::Kind::Real: code = sqlite3_bind_double(s, at, value.real); break;
        case RawValue::Kind::Text: code = sqlite3_bind_text64(s, at, value.bytes.data() ? value.bytes.data() : "", value.bytes.size(), SQLITE_STATIC, SQLITE_UTF8); break;
        case RawValue::Kind::Blob: code = sqlite3_bind_blob64(s, at, value.bytes.data() ? value.bytes.data() : "", value.bytes.size(), SQLITE_STATIC); break;
      }
      if (code != SQLITE_OK) Bulk::fail(connection_, code, sql_);
    }
    int code = sqlite3_step(s);
    sqlite3_reset(s);
    if (code != SQLITE_DONE) Bulk::fail(connection_, code, sql_);
  }
  void finish() override {}

 private:
  SqliteConnection& connection_;
  std::string sql_;
  Statement statement_;
};

// ---- PostgreSQL

const char* type_name(RawType type) {
  switch (type) {
    case RawType::Integer: return "bigint";
    case RawType::Real: return "double precision";
    case RawType::Boolean: return "boolean";
    case RawType::Text: return "text";
    case RawType::Time: return "timestamptz";
    case RawType::Blob: return "bytea";
  }
  return "text";
}

void two_digits(char* to, unsigned n) {
  to[0] = static_cast<char>('0' + n / 10);
  to[1] = static_cast<char>('0' + n % 10);
}

// Microseconds since 2000-01-01 to text; `to` has 64 bytes. Returns the length.
std::size_t time_text(std::int64_t micros, char* to) {
  if (micros == INT64_MAX) return std::strlen(std::strcpy(to, "infinity"));
  if (micros == INT64_MIN) return std::strlen(std::strcpy(to, "-infinity"));
  constexpr std::int64_t day_micros = 86'400'000'000;
  std::int64_t day = micros / day_micros, rest = micros % day_micros;
  if (rest < 0) {
    rest += day_micros;
    --day;
  }
  std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day + 10957}}};
  int year = static_cast<int>(date.year());
  auto seconds = static_cast<unsigned>(rest / 1'000'000), fraction = static_cast<unsigned>(rest % 1'000'000);
  auto clock = [&](char* at) {
    two_digits(at, seconds / 3600);
    at[2] = ':';
    two_digits(at + 3, seconds / 60 % 60);
    at[5] = ':';
    two_digits(at + 6, seconds % 60);
  };
  if (year < 1 || year > 9999) {
    // As PostgreSQL writes it, which other code hands on as it is. Its calendar has no year 0.
    char time[9] = {};
    clock(time);
    int length = std::snprintf(to, 64, "%04d-%02u-%02u %s", year < 1 ? 1 - year : year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time);
    if (fraction) {
      length += std::snprintf(to + length, static_cast<std::size_t>(64 - length), ".%06u", fraction);
      while (to[length - 1] == '0') --length;
    }
    length += std::snprintf(to + length, static_cast<std::size_t>(64 - length), "+00%s", year < 1 ? " BC" : "");
    return static_cast<std::size_t>(length);
  }
  two_digits(to, static_cast<unsigned>(year) / 100);
  two_digits(to + 2, static_cast<unsigned>(year) % 100);
  to[4] = '-';
  two_digits(to + 5, static_cast<unsigned>(date.month()));
  to[7] = '-';
  two_digits(to + 8, static_cast<unsigned>(date.day()));
  to[10] = 'T';
  clock(to + 11);
  to[19] = '.';
  two_digits(to + 20, fraction / 10000);
  two_digits(to + 22, fraction / 100 % 100);
  two_digits(to + 24, fraction % 100);
  to[26] = 'Z';
  return 27;
}

std::uint64_t big_endian(const unsigned char* at, std::size_t bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < bytes; ++i) out = out << 8 | at[i];
  return out;
}

void each_raw_postgres(PostgresConnection& c, const std::string& sql, const std::vector<RawColumn>& columns, const std::function<void(RawRow)>& row) {
  if (Bulk::streaming(c)) throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("a statement inside each() on the same connection: " + sql.substr(0, 200));
  auto* handle = Bulk::handle(c);
  {
    auto* begun = PQexec(handle, sql.c_str());
    struct Clear { PGresult* r; ~Clear() { PQclear(r); } } clear{begun};
    if (PQresultStatus(begun) != PGRES_COPY_OUT) Bulk::fail(c, begun, sql);
  }
  Bulk::streaming(c) = true;
  struct Finish {
    PostgresConnection& c;
    bool done = false;
    ~Finish() {
      if (!done) {
        // Left early: the rest must not be read.
        if (auto* cancel = PQgetCancel(Bulk::handle(c))) {
          char ignored[256];
          PQcancel(cancel, ignored, sizeof ignored);
          PQfreeCancel(cancel);
        }
        char* rest = nullptr;
        while (PQgetCopyData(Bulk::handle(c), &rest, 0) > 0) PQfreemem(rest);
        Bulk::drain(c);
      }
      Bulk::streaming(c) = false;
    }
  } finish{c};
  auto broken = [&] { return Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("COPY answered in an unknown form: " + sql.substr(0, 300)); };
  std::vector<RawValue> values(columns.size());
  std::vector<std::array<char, 64>> times(columns.size());
  bool first = true;
  for (;;) {
    char* message = nullptr;
    int length = PQgetCopyData(handle, &message, 0);
    if (length == -1) break;
    if (length < 0) Bulk::fail(c, nullptr, sql);
    struct Free { char* m; ~Free() { PQfreemem(m); } } free{message};
    auto* at = reinterpret_cast<const unsigned char*>(message);
    auto* end = at + length;
    if (first) {
      // 11 bytes of signature, flags, length of an extension.
      if (length < 19) throw broken();
      at += 19 + big_endian(at + 15, 4);
      first = false;
      if (at > end) throw broken();
    }
    while (at < end) {
      if (end - at < 2) throw broken();
      auto fields = static_cast<std::int16_t>(big_endian(at, 2));
      at += 2;
      if (fields == -1) break;
      if (static_cast<std::size_t>(fields) != columns.size()) throw broken();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (end - at < 4) throw broken();
        auto size = static_cast<std::int32_t>(big_endian(at, 4));
        at += 4;
        auto& value = values[i];
        if (size < 0) {
          value.kind = RawValue::Kind::Null;
          continue;
        }
        if (end - at < size) throw broken();
        auto expect = [&](std::int32_t bytes) { if (size != bytes) throw broken(); };
        switch (columns[i].type) {
          case RawType::Integer:
            expect(8);
            value.kind = RawValue::Kind::Integer;
            value.integer = static_cast<std::int64_t>(big_endian(at, 8));
            break;
          case RawType::Boolean:
            expect(1);
            value.kind = RawValue::Kind::Integer;
            value.integer = *at ? 1 : 0;
            break;
          case RawType::Real: {
            expect(8);
            value.kind = RawValue::Kind::Real;
            auto bits = big_endian(at, 8);
            std::memcpy(&value.real, &bits, 8);
            break;
          }
          case RawType::Time:
            expect(8);
            value.kind = RawValue::Kind::Text;
            value.bytes = {times[i].data(), time_text(static_cast<std::int64_t>(big_endian(at, 8)), times[i].data())};
            break;
          case RawType::Text:
          case RawType::Blob:
            value.kind = columns[i].type == RawType::Text ? RawValue::Kind::Text : RawValue::Kind::Blob;
            value.bytes = {reinterpret_cast<const char*>(at), static_cast<std::size_t>(size)};
            break;
        }
        at += size;
      }
      row(values);
    }
  }
  finish.done = true;
  while (auto* result = PQgetResult(handle)) {
    struct Clear { PGresult* r; ~Clear() { PQclear(r); } } clear{result};
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
      auto* failed = std::exchange(clear.r, nullptr);
      Bulk::drain(c);
      clear.r = failed;
      Bulk::fail(c, failed, sql);
    }
  }
}

class PostgresWriter final : public RowWriter {
 public:
  PostgresWriter(PostgresConnection& c, std::string table, const std::vector<RawColumn>& columns) : connection_(c), table_(std::move(table)), columns_(columns) {
    sql_ = "COPY " + quoted(table_) + " (" + column_list(columns) + ") FROM STDIN";
    auto* begun = PQexec(Bulk::handle(c), sql_.c_str());
    struct Clear { PGresult* r; ~Clear() { PQclear(r); } } clear{begun};
    if (PQresultStatus(begun) != PGRES_COPY_IN) Bulk::fail(c, begun, sql_);
    Bulk::streaming(c) = open_ = true;
    buffer_.reserve(buffered + (1 << 14));
  }
  ~PostgresWriter() override {
    if (!open_) return;
    // Not finished: the server drops what it has, and the transaction it is in.
    PQputCopyEnd(Bulk::handle(connection_), "given up");
    Bulk::drain(connection_);
    Bulk::streaming(connection_) = false;
  }
  void add(RawRow row) override {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i) buffer_ += '\t';
      put(row[i], columns_[i]);
    }
    buffer_ += '\n';
    if (buffer_.size() >= buffered) flush();
  }
  void finish() override {
    flush();
    auto* handle = Bulk::handle(connection_);
    open_ = false;
    Bulk::streaming(connection_) = false;
    if (PQputCopyEnd(handle, nullptr) != 1) Bulk::fail(connection_, nullptr, sql_);
    check();
  }

 private:
  static constexpr std::size_t buffered = 1 << 18;

  void flush() {
    if (buffer_.empty()) return;
    if (PQputCopyData(Bulk::handle(connection_), buffer_.data(), static_cast<int>(buffer_.size())) != 1) {
      // The server has said why already.
      open_ = false;
      Bulk::streaming(connection_) = false;
      check();
      Bulk::fail(connection_, nullptr, sql_);
    }
    buffer_.clear();
  }
  void check() {
    std::optional<Failure> failure;
    while (auto* result = PQgetResult(Bulk::handle(connection_))) {
      struct Clear { PGresult* r; ~Clear() { PQclear(r); } } clear{result};
      if (PQresultStatus(result) == PGRES_COMMAND_OK || failure) continue;
      try {
        Bulk::fail(connection_, result, sql_);
      } catch (const Failure& f) {
        failure.emplace(Failure(f.kind(), f.kind() == FailureKind::BadRequest ? "Table " + table_ + ": " + f.sentence() : f.sentence()).with_details(f.details()));
      }
    }
    if (failure) throw *failure;
  }
  void put(const RawValue& value, const RawColumn& column) {
    char number[40];
    switch (value.kind) {
      case RawValue::Kind::Null: buffer_ += "\\N"; return;
      case RawValue::Kind::Integer:
        if (column.type == RawType::Boolean && (value.integer == 0 || value.integer == 1)) {
          buffer_ += value.integer ? 't' : 'f';
          return;
        }
        buffer_.append(number, std::to_chars(number, number + sizeof number, value.integer).ptr);
        return;
      case RawValue::Kind::Real: buffer_.append(number, std::to_chars(number, number + sizeof number, value.real).ptr); return;
      case RawValue::Kind::Blob: {
        static constexpr char digits[] = "0123456789abcdef";
        buffer_ += "\\\\x";
        for (unsigned char c : value.bytes) {
          buffer_ += digits[c >> 4];
          buffer_ += digits[c & 15];
        }
        return;
      }
      case RawValue::Kind::Text: break;
    }
    if (value.bytes.find('\0') != std::string_view::npos)
      throw Failure(FailureKind::BadRequest, "A text in " + table_ + "." + column.name + " contains a NUL character, which PostgreSQL cannot hold; remove it there first.");
    const char *begin = value.bytes.data(), *end = begin + value.bytes.size();
    for (auto* at = begin; at != end; ++at) {
      char c = *at;
      if (c != '\\' && c != '\n' && c != '\r' && c != '\t') continue;
      buffer_.append(begin, at);
      buffer_ += '\\';
      buffer_ += c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : '\\';
      begin = at + 1;
    }
    buffer_.append(begin, end);
  }

  PostgresConnection& connection_;
  std::string table_;
  const std::vector<RawColumn> columns_;
  std::string sql_, buffer_;
  bool open_ = false;
};

}  // namespace

void each_raw(Connection& c, std::string_view table, const std::vector<RawColumn>& columns, const std::function<void(RawRow)>& row, const std::string& condition) {
  auto tail = " FROM " + quoted(table) + (condition.empty() ? "" : " WHERE " + condition);
  if (c.engine() == Engine::Sqlite) return each_raw_sqlite(static_cast<SqliteConnection&>(c), "SELECT " + column_list(columns) + tail, columns.size(), row);
  std::string list;
  for (auto& column : columns) list += (list.empty() ? "" : ", ") + quoted(column.name) + "::" + type_name(column.type);
  each_raw_postgres(static_cast<PostgresConnection&>(c), "COPY (SELECT " + list + tail + ") TO STDOUT (FORMAT binary)", columns, row);
}

std::unique_ptr<RowWriter> row_writer(Connection& c, std::string_view table, const std::vector<RawColumn>& columns) {
  if (c.engine() == Engine::Postgres) return std::make_unique<PostgresWriter>(static_cast<PostgresConnection&>(c), std::string(table), columns);
  return std::make_unique<SqliteWriter>(static_cast<SqliteConnection&>(c), "INSERT INTO " + quoted(table) + " (" + column_list(columns) + ") VALUES (" + placeholders(columns.size()) + ")");
}

}  // namespace basalt::appdb
