#include "appdb/postgres_connection.h"

#include <libpq-fe.h>

#include <charconv>

#include "base/failure.h"

namespace basalt::appdb {
namespace {

constexpr std::size_t statements_kept = 96;

struct Result {
  PGresult* handle;
  explicit Result(PGresult* h) : handle(h) {}
  ~Result() { PQclear(handle); }
  Result(const Result&) = delete;
};

std::string first_line(const char* message) {
  std::string_view text(message ? message : "");
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text.substr(0, text.find('\n')));
}

std::string unescaped_bytes(const char* text) {
  std::size_t length = 0;
  auto* bytes = PQunescapeBytea(reinterpret_cast<const unsigned char*>(text), &length);
  std::string out(reinterpret_cast<const char*>(bytes), length);
  PQfreemem(bytes);
  return out;
}

// Types by their fixed numbers in pg_type.
Value read_value(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column)) return nullptr;
  const char* begin = PQgetvalue(result, row, column);
  const char* end = begin + PQgetlength(result, row, column);
  switch (PQftype(result, column)) {
    case 16: return *begin == 't';
    case 20: case 21: case 23: case 26: {
      std::int64_t n = 0;
      std::from_chars(begin, end, n);
      return n;
    }
    case 700: case 701: {
      double d = 0;
      auto read = std::from_chars(begin, end, d);
      return read.ec == std::errc() ? d : std::strtod(begin, nullptr);
    }
    case 1700: {  // numeric: sums of integers come as this
      std::int64_t n = 0;
      auto read = std::from_chars(begin, end, n);
      if (read.ec == std::errc() && read.ptr == end) return n;
      return std::strtod(begin, nullptr);
    }
    case 1114: case 1184: case 1082: {
      std::string text(begin, end);
      if (auto at = parse_timestamp(text)) return to_text(*at);
      return text;  // infinity, or before year 1: as it is
    }
    case 17: return Blob{unescaped_bytes(begin)};
    default: return std::string(begin, end);
  }
}

}  // namespace

std::string numbered_placeholders(std::string_view sql) {
  std::string out;
  out.reserve(sql.size() + 16);
  int number = 0;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    char c = sql[i];
    auto copy_until = [&](std::size_t end) {
      out.append(sql.substr(i, end - i));
      i = end - 1;
    };
    if (c == '\'' || c == '"') {
      auto end = sql.find(c, i + 1);
      copy_until(end == std::string_view::npos ? sql.size() : end + 1);  // a doubled quote simply opens the next piece
    } else if (c == '-' && i + 1 < sql.size() && sql[i + 1] == '-') {
      auto end = sql.find('\n', i);
      copy_until(end == std::string_view::npos ? sql.size() : end);
    } else if (c == '/' && i + 1 < sql.size() && sql[i + 1] == '*') {
      auto end = sql.find("*/", i + 2);
      copy_until(end == std::string_view::npos ? sql.size() : end + 2);
    } else if (c == '?') {
      out += '$' + std::to_string(++number);
    } else {
      out += c;
    }
  }
  return out;
}

PostgresConnection::PostgresConnection(const std::string& uri, const std::string& schema) {
  // Defaults first: what the URI says overrides them.
  const char* keywords[] = {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "connect_timeout", "application_name", "dbname", "client_encoding", nullptr};
  const char* values[] = {"1", "30", "10", "3", "60000", "10", "basalt", uri.c_str(), "UTF8", nullptr};
  handle_ = PQconnectdbParams(keywords, values, 1);
  if (!handle_ || PQstatus(handle_) != CONNECTION_OK) {
    std::string message = handle_ ? first_line(PQerrorMessage(handle_)) : "out of memory";
    bool wrong_uri = message.find("invalid") != std::string::npos || message.find("missing \"=\"") != std::string::npos;
    PQfinish(handle_);
    handle_ = nullptr;
    // A malformed URI is quoted in libpq's message, and it may hold the password.
    if (wrong_uri) throw Failure(FailureKind::BadRequest, "The address of the application database is malformed; it would be like postgresql://user:password@host:5432/name.");
    throw Failure(FailureKind::Unavailable, "The application database cannot be reached: " + message + ".");
  }
  PQsetNoticeProcessor(handle_, [](void*, const char*) {}, nullptr);
  try {
    execute_script("SET search_path TO " + quoted(schema) + "; SET TimeZone TO 'UTC'; SET DateStyle TO 'ISO'; SET bytea_output TO 'hex'; SET standard_conforming_strings TO on; SET extra_float_digits TO 1");
  } catch (...) {
    PQfinish(handle_);
    handle_ = nullptr;
    throw;
  }
}

PostgresConnection::~PostgresConnection() { PQfinish(handle_); }

bool PostgresConnection::is_alive() const { return PQstatus(handle_) == CONNECTION_OK; }

bool PostgresConnection::in_transaction() const {
  auto state = PQtransactionStatus(handle_);
  return state != PQTRANS_IDLE && state != PQTRANS_UNKNOWN;
}

void PostgresConnection::fail(const pg_result* result, std::string_view sql) {
  auto field = [&](int code) {
    auto* text = result ? PQresultErrorField(result, code) : nullptr;
    return std::string(text ? text : "");
  };
  std::string state = field(PG_DIAG_SQLSTATE), message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = first_line(PQerrorMessage(handle_));
  last_error_code_ = state;
  std::string details = "PostgreSQL " + state + ": " + message + "; " + std::string(sql.substr(0, 500));
  auto raise = [&](FailureKind kind, std::string sentence) { throw Failure(kind, std::move(sentence)).with_details(details); };
  if (!is_alive() || state.starts_with("57P") || state.starts_with("08")) raise(FailureKind::Unavailable, "The application database went away; try again in a moment.");
  if (state == "23505") {
    // "Key (name)=(Sales) already exists.": the columns only, the value is a person's.
    std::string detail = field(PG_DIAG_MESSAGE_DETAIL), columns;
    if (auto open = detail.find('('), close = detail.find(")="); open != std::string::npos && close != std::string::npos && open < close) columns = detail.substr(open + 1, close - open - 1);
    bool plain = !columns.empty() && columns.find('(') == std::string::npos;
    raise(FailureKind::Conflict, plain ? "A " + field(PG_DIAG_TABLE_NAME) + " with the same " + columns + " exists already." : "The same thing exists already.");
  }
  if (state == "23503") raise(FailureKind::BadRequest, "This refers to something that does not exist, or something still refers to it.");
  if (state == "23502") raise(FailureKind::BadRequest, "A required value is missing.");
  if (state == "23514") raise(FailureKind::BadRequest, "A value is not one of those allowed.");
  if (state.starts_with("22")) raise(FailureKind::BadRequest, "A value cannot be stored: " + message + ".");
  if (state == "53100") raise(FailureKind::Unavailable, "The disk of the application database's server is full; nothing was changed. Free some space and try again.");
  if (state == "25006") raise(FailureKind::Unavailable, "The application database is read-only (a replica, or set so); Basalt needs one it may write to.");
  if (state == "42501") raise(FailureKind::Unavailable, "Basalt may not do this in the application database: " + message + ". Grant the right to its user.");
  if (state == "40001" || state == "40P01" || state == "55P03") raise(FailureKind::Unavailable, "The application database is busy with another change; try again in a moment.");
  if (state.starts_with("53")) raise(FailureKind::Unavailable, "The application database has no room for more: " + message + ".");
  raise(FailureKind::Bug, "Something went wrong on our side.");
  std::abort();
}

const std::string& PostgresConnection::prepare(std::string_view sql) {
  for (auto it = kept_.begin(); it != kept_.end(); ++it)
    if (it->sql == sql) {
      kept_.splice(kept_.begin(), kept_, it);
      return kept_.front().name;
    }
  if (kept_.size() >= statements_kept) {
    Result dropped(PQexec(handle_, ("DEALLOCATE " + kept_.back().name).c_str()));
    kept_.pop_back();
  }
  Prepared prepared{std::string(sql), "s" + std::to_string(++named_)};
  Result result(PQprepare(handle_, prepared.name.c_str(), numbered_placeholders(sql).c_str(), 0, nullptr));
  if (PQresultStatus(result.handle) != PGRES_COMMAND_OK) fail(result.handle, sql);
  kept_.push_front(std::move(prepared));
  return kept_.front().name;
}

void PostgresConnection::send(std::string_view sql, const Parameters& parameters) {
  std::vector<std::string> texts(parameters.size());
  std::vector<const char*> values(parameters.size());
  std::vector<int> lengths(parameters.size()), formats(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& value = parameters[i].value();
    if (std::holds_alternative<std::nullptr_t>(value)) { values[i] = nullptr; continue; }
    if (auto* s = std::get_if<std::string>(&value)) {
      if (s->find('\0') != std::string::npos) throw Failure(FailureKind::BadRequest, "A text contains a NUL character; remove it.");
      values[i] = s->c_str();
      continue;
    }
    if (auto* blob = std::get_if<Blob>(&value)) {
      values[i] = blob->bytes.data();
      lengths[i] = static_cast<int>(blob->bytes.size());
      formats[i] = 1;
      continue;
    }
    if (auto* b = std::get_if<bool>(&value)) texts[i] = *b ? "true" : "false";
    else if (auto* n = std::get_if<std::int64_t>(&value)) texts[i] = std::to_string(*n);
    else if (auto* d = std::get_if<double>(&value)) {
      char buffer[40];
      texts[i].assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, *d).ptr);
    }
    values[i] = texts[i].c_str();
  }
  int sent = PQsendQueryPrepared(handle_, prepare(sql).c_str(), static_cast<int>(parameters.size()), values.data(), lengths.data(), formats.data(), 0);
  if (!sent) fail(nullptr, sql);
}

void PostgresConnection::drain() {
  while (auto* rest = PQgetResult(handle_)) PQclear(rest);
}

void PostgresConnection::each(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>& row) {
  if (streaming_)
    throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("a statement inside each() on the same connection: " + std::string(sql.substr(0, 200)));
  send(sql, parameters);
  streaming_ = true;
  struct Finish {
    PostgresConnection& connection;
    explicit Finish(PostgresConnection& of) : connection(of) {}
    ~Finish() {
      // Leaving early (the callback threw) must not read the rest of a big result: ask the server to stop.
      if (PQtransactionStatus(connection.handle_) == PQTRANS_ACTIVE) {
        if (auto* cancel = PQgetCancel(connection.handle_)) {
          char ignored[256];
          PQcancel(cancel, ignored, sizeof ignored);
          PQfreeCancel(cancel);
        }
      }
      connection.drain();
      connection.streaming_ = false;
    }
  };
  bool failed = false;
  std::optional<Finish> finish(std::in_place, *this);
  PQsetSingleRowMode(handle_);
  std::shared_ptr<const std::vector<std::string>> names;
  while (auto* raw = PQgetResult(handle_)) {
    Result result(raw);
    auto status = PQresultStatus(raw);
    if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK) {
      int width = PQnfields(raw);
      if (!names) {
        auto found = std::make_shared<std::vector<std::string>>();
        for (int i = 0; i < width; ++i) found->emplace_back(PQfname(raw, i));
        names = std::move(found);
      }
      for (int r = 0; r < PQntuples(raw); ++r) {
        std::vector<Value> values;
        values.reserve(static_cast<std::size_t>(width));
        for (int i = 0; i < width; ++i) values.push_back(read_value(raw, r, i));
        row(Row(names, std::move(values)));
      }
    } else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY && !failed) {
      failed = true;
      drain();
      fail(raw, sql);
    }
  }
}

std::int64_t PostgresConnection::execute(std::string_view sql, const Parameters& parameters) {
  if (streaming_)
    throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("a statement inside each() on the same connection: " + std::string(sql.substr(0, 200)));
  send(sql, parameters);
  std::int64_t changed = 0;
  while (auto* raw = PQgetResult(handle_)) {
    Result result(raw);
    auto status = PQresultStatus(raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
      drain();
      fail(raw, sql);
    }
    std::string_view count = PQcmdTuples(raw);
    if (!count.empty()) std::from_chars(count.data(), count.data() + count.size(), changed);
  }
  return changed;
}

bool PostgresConnection::in_failed_transaction() const { return PQtransactionStatus(handle_) == PQTRANS_INERROR; }

std::vector<Row> PostgresConnection::query_script(std::string_view sql) {
  Result result(PQexec(handle_, std::string(sql).c_str()));
  auto status = PQresultStatus(result.handle);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) fail(result.handle, sql);
  auto names = std::make_shared<std::vector<std::string>>();
  int width = PQnfields(result.handle);
  for (int i = 0; i < width; ++i) names->emplace_back(PQfname(result.handle, i));
  std::vector<Row> rows;
  for (int r = 0; r < PQntuples(result.handle); ++r) {
    std::vector<Value> values;
    for (int i = 0; i < width; ++i) values.push_back(read_value(result.handle, r, i));
    rows.emplace_back(names, std::move(values));
  }
  return rows;
}

void PostgresConnection::execute_script(std::string_view sql) {
  Result result(PQexec(handle_, std::string(sql).c_str()));
  auto status = PQresultStatus(result.handle);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) fail(result.handle, sql);
  // "cached plan must not change result type": what was prepared for the old columns is of no more use.
  bool changes_structure = sql.find("ALTER ") != std::string_view::npos || sql.find("CREATE ") != std::string_view::npos || sql.find("DROP ") != std::string_view::npos;
  if (changes_structure && !kept_.empty()) {
    Result dropped(PQexec(handle_, "DEALLOCATE ALL"));
    kept_.clear();
  }
}

}  // namespace basalt::appdb
