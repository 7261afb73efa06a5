#include "drivers/postgres/connection.h"

#include <poll.h>

#include <algorithm>

#include "base/failure.h"
#include "base/log.h"
#include "drivers/details.h"

namespace basalt::drivers::postgres {
namespace {

using Clock = std::chrono::steady_clock;

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

Failure connect_failure(const std::string& message) {
  auto has = [&](std::string_view part) { return message.find(part) != std::string::npos; };
  Failure failure(FailureKind::Database, message);
  if (has("could not translate host name")) return std::move(failure).with_field("host", "check your host settings");
  if (has("Connection refused") || has("timeout expired") || has("timed out") || has("No route to host") || has("unreachable"))
    return std::move(failure).with_field("host", "check your host settings").with_field("port", "check your port settings");
  if (has("database \"") && has("does not exist")) return std::move(failure).with_field("dbname", "check your database name settings");
  if (has("role \"") && has("does not exist")) return std::move(failure).with_field("user", "check your username");
  if (has("password authentication failed") || has("no password supplied") || has("authentication failed"))
    return std::move(failure).with_field("user", "check your username").with_field("password", "check your password");
  if (has("SSL") || has("certificate")) return std::move(failure).with_field("ssl", "check your SSL settings");
  return failure;
}

}  // namespace

bool SchemaFilter::wants(std::string_view schema) const {
  if (type == Type::All) return true;
  bool named = std::any_of(patterns.begin(), patterns.end(), [&](auto& pattern) { return glob(pattern, schema); });
  return named == (type == Type::Only);
}

Handle open(const Options& options) {
  std::vector<const char*> keywords, values;
  for (auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  Handle handle(PQconnectdbParams(keywords.data(), values.data(), 0));
  if (!handle) throw Failure(FailureKind::Unavailable, "There is no memory left for a connection.");
  if (PQstatus(handle.get()) != CONNECTION_OK) throw connect_failure(trimmed(PQerrorMessage(handle.get())));
  PQsetNoticeReceiver(handle.get(), [](void*, const PGresult*) {}, nullptr);  // RAISE NOTICE of a person's SQL is no log line of ours
  return handle;
}

PostgresConnection::PostgresConnection(Options options, SchemaFilter filter, std::shared_ptr<const void> keep)
    : options_(std::move(options)), filter_(std::move(filter)), keep_(std::move(keep)), handle_(open(options_)) {
  // The text forms that types.cpp reads.
  Result result(PQexec(handle_.get(),
                       "SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1;"
                       "SET lc_monetary = 'C'; SET client_encoding = 'UTF8'; SET default_transaction_read_only = on"));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(result.get());
  // What is prepared is planned for each run's values all the same: a plan for any value can be far from the best one. (Absent
  // before PostgreSQL 12.)
  Result planning(PQexec(handle_.get(), "SELECT set_config('plan_cache_mode', 'force_custom_plan', false) FROM pg_catalog.pg_settings WHERE name = 'plan_cache_mode'"));
  if (auto* zone = PQparameterStatus(handle_.get(), "TimeZone")) default_time_zone_ = time_zone_ = zone;
  name_types();
}

// Enums and other types that people made have no fixed oid; a result names only the oid, so their names are kept.
void PostgresConnection::name_types() {
  Result result(PQexec(handle_.get(),
                       "SELECT oid, typname, typtype FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype IN ('b', 'e', 'r', 'm') "
                       "AND typelem = 0 LIMIT 10000"));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) return;  // without names a column's database type reads "unknown"
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    own_types_[static_cast<unsigned>(std::strtoul(PQgetvalue(result.get(), row, 0), nullptr, 10))] = {
        PQgetvalue(result.get(), row, 1), PQgetvalue(result.get(), row, 2)[0]};
  }
}

rows::Column PostgresConnection::column_of(const PGresult* result, int index, Reading& reading) const {
  rows::Column column;
  column.name = PQfname(result, index);
  auto oid = PQftype(result, index);
  if (auto* type = find_type(oid)) {
    reading = type->reading;
    column.kind = type->kind;
    column.database_type = std::string(type->name);
    column.base_type = std::string(type->base_type);
    return column;
  }
  reading = Reading::Plain;
  column.database_type = "unknown";
  column.base_type = "type/*";
  if (auto found = own_types_.find(oid); found != own_types_.end()) {
    column.database_type = found->second.first;
    column.base_type = base_type_of(found->second.first, found->second.second, ' ');
  }
  return column;
}

ServerVersion PostgresConnection::version() {
  auto* text = PQparameterStatus(handle_.get(), "server_version");
  int number = PQserverVersion(handle_.get());
  return {"PostgreSQL", text ? text : "", {number / 10000, number % 10000}};
}

Result PostgresConnection::ask(const char* sql, const std::vector<std::string>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (auto& value : values) texts.push_back(value.c_str());
  if (!PQsendQueryParams(handle_.get(), sql, static_cast<int>(texts.size()), nullptr, texts.data(), nullptr, nullptr, 0)) fail_lost();
  Result last;
  while (auto result = next_result(std::nullopt)) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
      while (next_result(std::nullopt)) {}
      fail(result.get());
    }
    last = std::move(result);
  }
  return last;
}

void PostgresConnection::ask_each(const char* sql, const std::function<void(const PGresult*)>& row) {
  if (!PQsendQueryParams(handle_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0)) fail_lost();
  PQsetSingleRowMode(handle_.get());
  try {
    while (auto result = next_result(std::nullopt)) {
      if (PQresultStatus(result.get()) == PGRES_SINGLE_TUPLE) row(result.get());
      else if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
        while (next_result(std::nullopt)) {}
        fail(result.get());
      }
    }
  } catch (...) {
    if (PQtransactionStatus(handle_.get()) == PQTRANS_ACTIVE) mark_broken();
    throw;
  }
}

void PostgresConnection::prepare_session(const ExecuteOptions& options) {
  auto& zone = options.time_zone.empty() ? default_time_zone_ : options.time_zone;
  if (zone != time_zone_) {
    ask("SELECT set_config('TimeZone', $1, false)", {zone});
    time_zone_ = zone;
  }
  std::int64_t timeout = options.deadline ? std::max<std::int64_t>(1, options.deadline->count()) : 0;
  if (timeout != timeout_ms_) {
    ask("SELECT set_config('statement_timeout', $1, false)", {std::to_string(timeout)});
    timeout_ms_ = timeout;
  }
  // The server measures the same time; ours is later by a little, for a server that no longer answers.
  deadline_ = options.deadline ? std::optional(Clock::now() + *options.deadline + std::chrono::seconds(2)) : std::nullopt;
  allowed_ = options.deadline.value_or(std::chrono::milliseconds(0));
}

bool PostgresConnection::wait_readable(std::optional<Clock::time_point> limit) {
  for (;;) {
    int timeout = -1;
    if (limit) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    }
    pollfd socket{PQsocket(handle_.get()), POLLIN, 0};
    int ready = ::poll(&socket, 1, timeout);
    if (ready > 0) return true;
    if (ready == 0 && limit && Clock::now() >= *limit) return false;
    if (ready < 0 && errno != EINTR) fail_lost();
  }
}

Result PostgresConnection::next_result(std::optional<Clock::time_point> limit) {
  while (PQisBusy(handle_.get())) {
    if (PQflush(handle_.get()) < 0 || !wait_readable(limit)) {
      if (PQstatus(handle_.get()) == CONNECTION_BAD) fail_lost();
      mark_broken();
      fail_late();
    }
    if (!PQconsumeInput(handle_.get())) fail_lost();
  }
  return Result(PQgetResult(handle_.get()));
}

void PostgresConnection::fail(const PGresult* result) {
  auto field = [&](int code) {
    auto* text = result ? PQresultErrorField(result, code) : nullptr;
    return std::string(text ? text : "");
  };
  auto state = field(PG_DIAG_SQLSTATE);
  if (state.empty() || state == "57P01" || state == "57P02" || state == "57P03" || PQstatus(handle_.get()) == CONNECTION_BAD) fail_lost();
  if (state == "57014") {
    if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
    if (allowed_.count() > 0 && field(PG_DIAG_MESSAGE_PRIMARY).find("timeout") != std::string::npos) fail_late();
  }
  std::string sentence = "ERROR: " + field(PG_DIAG_MESSAGE_PRIMARY);
  if (auto detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty()) sentence += "\n  Detail: " + detail;
  if (auto hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) sentence += "\n  Hint: " + hint;
  if (auto position = field(PG_DIAG_STATEMENT_POSITION); !position.empty()) sentence += "\n  Position: " + position;
  throw Failure(FailureKind::Database, sentence).with_details("SQLSTATE " + state);
}

void PostgresConnection::fail_lost() {
  mark_broken();
  if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
  auto words = trimmed(PQerrorMessage(handle_.get()));
  throw Failure(FailureKind::Database, "The connection to the database was lost" + (words.empty() ? "." : ": " + words));
}

void PostgresConnection::fail_late() {
  throw Failure(FailureKind::Timeout, "The query took longer than the " + std::to_string(std::max<std::int64_t>(1, allowed_.count() / 1000)) +
                                          " seconds it may take and was stopped.");
}

void PostgresConnection::cancel() {
  std::lock_guard lock(mutex_);
  if (!running_) return;
  cancelled_ = true;
  // libpq 15 sends its cancel request in the clear, which a server behind TLS may never see: there a second connection asks.
  if (PQsslInUse(handle_.get())) {
    try {
      auto second = open(options_);
      auto sql = "SELECT pg_catalog.pg_cancel_backend(" + std::to_string(PQbackendPID(handle_.get())) + ")";
      Result result(PQexec(second.get(), sql.c_str()));
      if (PQresultStatus(result.get()) == PGRES_TUPLES_OK) return;
    } catch (const Failure& failure) {
      log::warning("cancel over a second connection failed", {{"reason", failure.sentence()}});
    }
  }
  std::unique_ptr<PGcancel, void (*)(PGcancel*)> request(PQgetCancel(handle_.get()), PQfreeCancel);
  char words[256] = {};
  if (request && !PQcancel(request.get(), words, sizeof words)) log::warning("cancel request failed", {{"reason", words}});
}

bool PostgresConnection::is_alive() {
  // A cancel request may still be on its way to the server and would hit the next statement: such a connection is not used again.
  if (broken_ || cancelled_ || PQstatus(handle_.get()) != CONNECTION_OK || PQtransactionStatus(handle_.get()) != PQTRANS_IDLE) return false;
  pollfd socket{PQsocket(handle_.get()), POLLIN, 0};
  if (::poll(&socket, 1, 0) == 0) return true;
  return PQconsumeInput(handle_.get()) && PQstatus(handle_.get()) == CONNECTION_OK;
}

}  // namespace basalt::drivers::postgres
