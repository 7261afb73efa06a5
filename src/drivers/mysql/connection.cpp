#include "drivers/mysql/connection.h"

#include <errmsg.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <cstring>

#include "base/failure.h"
#include "base/log.h"
#include "drivers/details.h"

namespace basalt::drivers::mysql {
namespace {

// Codes of the server and of the library: https://mariadb.com/kb/en/mariadb-error-code-reference/
enum Code : unsigned {
  db_access_denied = 1044, access_denied = 1045, unknown_database = 1049, interrupted = 1317, statement_timeout_mariadb = 1969,
  killed = 1927, timeout_mysql = 3024,
};
bool is_lost(unsigned code) { return (code >= 2000 && code < 3000 && code != CR_NEW_STMT_METADATA) || code == 1053 || code == 1152 || code == 1158 || code == 1159 || code == 1160 || code == 1161 || code == killed; }

Failure connect_failure(unsigned code, const std::string& message) {
  Failure failure(FailureKind::Database, message);
  if (code == CR_UNKNOWN_HOST) return std::move(failure).with_field("host", "check your host settings");
  if (code == CR_SSL_CONNECTION_ERROR) return std::move(failure).with_field("ssl", "check your SSL settings");
  if (code == unknown_database || code == db_access_denied) return std::move(failure).with_field("dbname", "check your database name settings");
  if (code == access_denied || code == 1698) return std::move(failure).with_field("user", "check your username").with_field("password", "check your password");
  if (code == CR_CONNECTION_ERROR || code == CR_CONN_HOST_ERROR || code == CR_SERVER_LOST)
    return std::move(failure).with_field("host", "check your host settings").with_field("port", "check your port settings");
  return failure;
}

// Packages without Debian's own library carry its plugins (caching_sha2_password and others) beside the program.
const std::string& plugin_folder() {
  static const std::string folder = [] {
    std::error_code none;
    auto program = std::filesystem::read_symlink("/proc/self/exe", none).parent_path();
    for (auto* place : {"lib/mariadb-plugins", "mariadb-plugins"})
      if (std::filesystem::is_directory(program / place, none)) return (program / place).string();
    return std::string();
  }();
  return folder;
}

// What a rogue server asks for is not read: no file of this machine leaves through LOAD DATA LOCAL.
int refuse_file(void** data, const char*, void*) { *data = nullptr; return 1; }
int read_nothing(void*, char*, unsigned) { return -1; }
void end_nothing(void*) {}
int say_refused(void*, char* words, unsigned size) {
  std::snprintf(words, size, "Files of the client are not read.");
  return 2000;
}

}  // namespace

bool SchemaFilter::wants(std::string_view schema) const {
  if (type == Type::Own) return true;
  bool named = std::any_of(patterns.begin(), patterns.end(), [&](auto& pattern) { return glob(pattern, schema); });
  return named == (type == Type::Only);
}

Handle open(const Options& options) {
  static std::once_flag begun;
  std::call_once(begun, [] { mysql_server_init(0, nullptr, nullptr); });
  Handle handle(mysql_init(nullptr));
  if (!handle) throw Failure(FailureKind::Unavailable, "There is no memory left for a connection.");
  auto* h = handle.get();
  unsigned off = 0, tcp = MYSQL_PROTOCOL_TCP, seconds = options.connect_seconds;
  unsigned long largest = rows::value_limit + (16 << 20);
  my_bool yes = 1, verify = options.verify;
  mysql_options(h, MYSQL_OPT_PROTOCOL, &tcp);  // "localhost" is no socket file
  mysql_options(h, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(h, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(h, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest);
  mysql_options(h, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(h, MYSQL_OPT_CONNECT_ATTR_RESET, nullptr);
  mysql_options4(h, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "basalt");
  if (options.compress) mysql_options(h, MYSQL_OPT_COMPRESS, nullptr);
  // A server may ask for the password in the clear; it gets it only from behind TLS.
  mysql_options(h, MARIADB_OPT_RESTRICTED_AUTH,
                options.tls ? "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,dialog,mysql_clear_password"
                            : "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519");
  if (options.tls) {
    mysql_ssl_set(h, options.key_file.empty() ? nullptr : options.key_file.c_str(), options.certificate_file.empty() ? nullptr : options.certificate_file.c_str(),
                  options.ca_file.empty() ? nullptr : options.ca_file.c_str(), nullptr, nullptr);
    mysql_options(h, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(h, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  }
  if (auto& folder = plugin_folder(); !folder.empty()) mysql_options(h, MYSQL_PLUGIN_DIR, folder.c_str());
  mysql_options(h, MYSQL_OPT_NONBLOCK, nullptr);
  MYSQL* connected = nullptr;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(options.connect_seconds);
  int status = mysql_real_connect_start(&connected, h, options.host.c_str(), options.user.c_str(), options.password.c_str(),
                                        options.dbname.empty() ? nullptr : options.dbname.c_str(), options.port, nullptr, CLIENT_MULTI_RESULTS);
  while (status) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now()).count();
    pollfd socket{mysql_get_socket(h), static_cast<short>(((status & MYSQL_WAIT_READ) ? POLLIN : 0) | ((status & MYSQL_WAIT_WRITE) ? POLLOUT : 0) | ((status & MYSQL_WAIT_EXCEPT) ? POLLPRI : 0)), 0};
    int ready = left > 0 ? ::poll(&socket, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    int came = ready <= 0 ? MYSQL_WAIT_TIMEOUT
                          : ((socket.revents & (POLLIN | POLLHUP | POLLERR)) ? MYSQL_WAIT_READ : 0) | ((socket.revents & (POLLOUT | POLLERR | POLLHUP)) ? MYSQL_WAIT_WRITE : 0) | ((socket.revents & POLLPRI) ? MYSQL_WAIT_EXCEPT : 0);
    if (ready <= 0 && !(status & MYSQL_WAIT_TIMEOUT)) {
      // The library does not expect the wait to end: leave it there.
      ::shutdown(mysql_get_socket(h), SHUT_RDWR);
      throw Failure(FailureKind::Database, "The server did not answer within " + std::to_string(options.connect_seconds) + " seconds.").with_field("host", "check your host settings").with_field("port", "check your port settings");
    }
    status = mysql_real_connect_cont(&connected, h, came);
  }
  if (!connected) throw connect_failure(mysql_errno(h), mysql_error(h));
  mysql_set_local_infile_handler(h, refuse_file, read_nothing, end_nothing, say_refused, nullptr);
  // A server that vanished is noticed within a minute.
  int socket = static_cast<int>(mysql_get_socket(h)), on = 1, idle = 30, interval = 10, count = 3, patience = 60'000;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  return handle;
}

MysqlConnection::MysqlConnection(Options options, SchemaFilter filter, std::shared_ptr<const void> keep)
    : options_(std::move(options)), filter_(std::move(filter)), keep_(std::move(keep)), handle_(open(options_)) {
  is_mariadb_ = mariadb_connection(handle_.get());
  allow(std::chrono::seconds(options_.connect_seconds));
  begin_session();
}

MysqlConnection::~MysqlConnection() {
  // What is left of a statement is not waited for.
  if (broken_) ::shutdown(static_cast<int>(mysql_get_socket(handle_.get())), SHUT_RDWR);
}

void MysqlConnection::allow(std::chrono::seconds time) {
  deadline_ = Clock::now() + time;
  allowed_ = time;
}

void MysqlConnection::begin_session() {
  // The difference of unsigned columns may be below zero, as everywhere else. And an expression in ORDER BY is that of GROUP BY
  // also when values are bound in both, which ONLY_FULL_GROUP_BY cannot see.
  std::string sql = "SET SESSION sql_mode = CONCAT(REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', ''), ',NO_UNSIGNED_SUBTRACTION')";
  for (auto& assignment : options_.session) sql += ", SESSION " + assignment;
  ask(sql);
  ask("SET SESSION TRANSACTION READ ONLY");
  read_only_ = true;
  timeout_ms_ = 0;
  time_zone_.clear();
  zone_ = nullptr;
  changed_ = false;
}

ServerVersion MysqlConnection::version() {
  std::string text = mysql_get_server_info(handle_.get());
  if (text.starts_with("5.5.5-")) text.erase(0, 6);  // how MariaDB tells old clients that it is newer
  ServerVersion result{is_mariadb_ ? "MariaDB" : "MySQL", text, {}};
  std::string_view rest = text;
  while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9' && result.numbers.size() < 3) {
    std::size_t length = 0;
    int number = 0;
    while (length < rest.size() && rest[length] >= '0' && rest[length] <= '9' && number < 100'000) number = number * 10 + (rest[length++] - '0');
    result.numbers.push_back(number);
    rest.remove_prefix(length);
    if (!rest.starts_with('.')) break;
    rest.remove_prefix(1);
  }
  return result;
}

int MysqlConnection::wait_until(int waits_for, Moment limit) {
  for (;;) {
    int timeout = -1;
    if (limit) timeout = static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(*limit - Clock::now()).count(), 0, 3'600'000));
    pollfd socket{static_cast<int>(mysql_get_socket(handle_.get())),
                  static_cast<short>(((waits_for & MYSQL_WAIT_READ) ? POLLIN : 0) | ((waits_for & MYSQL_WAIT_WRITE) ? POLLOUT : 0)), 0};
    int ready = ::poll(&socket, 1, timeout);
    if (ready > 0) {
      bool ended = socket.revents & (POLLHUP | POLLERR | POLLNVAL);
      return (((socket.revents & POLLIN) || ended) && (waits_for & MYSQL_WAIT_READ) ? MYSQL_WAIT_READ : 0) |
             (((socket.revents & POLLOUT) || ended) && (waits_for & MYSQL_WAIT_WRITE) ? MYSQL_WAIT_WRITE : 0);
    }
    if (ready == 0 && limit && Clock::now() >= *limit) return 0;
    if (ready < 0 && errno != EINTR) fail_lost();
  }
}

int MysqlConnection::wait(int waits_for, Moment limit) {
  if (int came = wait_until(waits_for, limit)) return came;
  cancel();
  mark_broken();
  ::shutdown(static_cast<int>(mysql_get_socket(handle_.get())), SHUT_RDWR);
  fail_late();
}

void MysqlConnection::send(std::string_view sql) {
  int failed = 0;
  finish([&] { return mysql_real_query_start(&failed, handle_.get(), sql.data(), sql.size()); },
         [&](int came) { return mysql_real_query_cont(&failed, handle_.get(), came); });
  if (failed) fail();
}

void MysqlConnection::ask_each(const std::string& sql, const std::function<void(MYSQL_ROW)>& row) {
  if (broken_) fail_lost();
  send(sql);
  Result result(mysql_use_result(handle_.get()));
  if (!result) {
    if (mysql_errno(handle_.get())) fail();
    return;
  }
  try {
    for (;;) {
      MYSQL_ROW values = nullptr;
      finish([&] { return mysql_fetch_row_start(&values, result.get()); }, [&](int came) { return mysql_fetch_row_cont(&values, result.get(), came); });
      if (!values) break;
      row(values);
    }
    if (mysql_errno(handle_.get())) fail();
  } catch (...) {
    mark_broken();
    ::shutdown(static_cast<int>(mysql_get_socket(handle_.get())), SHUT_RDWR);
    throw;
  }
}

std::optional<std::string> MysqlConnection::ask(const std::string& sql) {
  std::optional<std::string> answer;
  ask_each(sql, [&](MYSQL_ROW row) {
    if (!answer && row[0]) answer = row[0];
  });
  return answer;
}

std::string MysqlConnection::quoted(std::string_view text) {
  // Hexadecimal: the same in every sql_mode.
  static constexpr char digits[] = "0123456789abcdef";
  if (text.empty()) return "''";
  std::string result = "_utf8mb4 0x";
  for (unsigned char byte : text) {
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

bool MysqlConnection::has_zone(const std::string& name) {
  auto known = has_zone_.find(name);
  if (known == has_zone_.end()) known = has_zone_.emplace(name, ask("SELECT CONVERT_TZ('2024-01-01 00:00:00', '+00:00', " + quoted(name) + ")").has_value()).first;
  return known->second;
}

void MysqlConnection::set_zone(const std::string& zone) {
  auto* rules = TimeZone::find(zone);
  if (!rules || zone.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") != std::string::npos)
    throw Failure(FailureKind::BadRequest, "There is no time zone \"" + zone.substr(0, 64) + "\".");
  std::string spelled = zone;
  if (rules->is_utc()) {
    spelled = "+00:00";
  } else if (!has_zone(zone)) {
    // Without its tables the server knows offsets only; that will do where a zone never changes its own.
    using namespace std::chrono;
    auto second = [](sys_days day) { return duration_cast<seconds>(day.time_since_epoch()).count(); };
    int offset = rules->offset_at(second(year(2020) / 1 / 1));
    for (auto day = sys_days(year(1971) / 1 / 1); day < sys_days(year(2037) / 1 / 1); day += days(7)) {
      if (rules->offset_at(second(day)) == offset && offset % 60 == 0) continue;
      throw Failure(FailureKind::Unsupported, "The database server's time zone tables are empty or do not hold " + zone +
                                                  ", so it cannot work in that time zone. Load them there (mariadb-tzinfo-to-sql or mysql_tzinfo_to_sql), or set the report time zone to UTC.");
    }
    char text[8];
    std::snprintf(text, sizeof text, "%c%02d:%02d", offset < 0 ? '-' : '+', std::abs(offset) / 3600 % 100, std::abs(offset) / 60 % 60);
    spelled = text;
  }
  ask("SET SESSION time_zone = '" + spelled + "'");
  zone_ = rules;
}

void MysqlConnection::prepare_session(const ExecuteOptions& options) {
  static const std::string utc = "UTC";
  allow(std::chrono::seconds(30));  // for our own statements
  if (changed_) {
    // Variables, locks and temporary tables of the statement before go.
    int failed = 0;
    finish([&] { return mysql_reset_connection_start(&failed, handle_.get()); }, [&](int came) { return mysql_reset_connection_cont(&failed, handle_.get(), came); });
    if (failed) fail();
    ask("SET NAMES utf8mb4");
    begin_session();
  }
  // Without a zone it is UTC: texts of instants were written so.
  auto& zone = options.time_zone.empty() ? utc : options.time_zone;
  if (zone != time_zone_) {
    set_zone(zone);
    time_zone_ = zone;
  }
  if (options.read_only != read_only_) {
    ask(options.read_only ? "SET SESSION TRANSACTION READ ONLY" : "SET SESSION TRANSACTION READ WRITE");
    read_only_ = options.read_only;
  }
  std::int64_t timeout = options.deadline ? std::max<std::int64_t>(1, options.deadline->count()) : 0;
  if (timeout != timeout_ms_) {
    char sql[96];
    if (is_mariadb_) std::snprintf(sql, sizeof sql, "SET SESSION max_statement_time = %lld.%03lld", static_cast<long long>(timeout / 1000), static_cast<long long>(timeout % 1000));
    else std::snprintf(sql, sizeof sql, "SET SESSION max_execution_time = %lld", static_cast<long long>(timeout));
    ask(sql);
    timeout_ms_ = timeout;
  }
  // The server measures the same time; ours is later by a little: for what MySQL lets run on (it stops SELECT only), and for
  // a server that no longer answers.
  deadline_ = options.deadline ? std::optional(Clock::now() + *options.deadline + std::chrono::seconds(is_mariadb_ ? 2 : 0) + std::chrono::milliseconds(is_mariadb_ ? 0 : 200)) : std::nullopt;
  allowed_ = options.deadline.value_or(std::chrono::milliseconds(0));
}

void MysqlConnection::fail() { fail(mysql_errno(handle_.get()), mysql_sqlstate(handle_.get()), mysql_error(handle_.get())); }

void MysqlConnection::fail(unsigned code, const char* state, const char* words) {
  if (is_lost(code) && code != CR_SERVER_LOST_EXTENDED && code != CR_SERVER_LOST && code != CR_SERVER_GONE_ERROR) {
    mark_broken();
    if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
    throw Failure(FailureKind::Database, words).with_details("error " + std::to_string(code));
  }
  if (is_lost(code)) fail_lost();
  if (code == interrupted && cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
  if ((code == statement_timeout_mariadb || code == timeout_mysql) && allowed_.count() > 0) fail_late();
  throw Failure(FailureKind::Database, "ERROR " + std::to_string(code) + " (" + state + "): " + words).with_details("SQLSTATE " + std::string(state));
}

void MysqlConnection::fail_lost() {
  mark_broken();
  if (cancelled_) throw Failure(FailureKind::Cancelled, "The query was cancelled.");
  std::string words = mysql_error(handle_.get());
  throw Failure(FailureKind::Database, "The connection to the database was lost" + (words.empty() ? "." : ": " + words));
}

void MysqlConnection::fail_late() {
  throw Failure(FailureKind::Timeout, "The query took longer than the " + std::to_string(std::max<std::int64_t>(1, allowed_.count() / 1000)) +
                                          " seconds it may take and was stopped.");
}

void MysqlConnection::finished() {
  std::lock_guard lock(mutex_);
  running_ = false;
}

void MysqlConnection::cancel() {
  // Held until the server has heard of it, so that it cannot hit the next statement.
  std::lock_guard lock(mutex_);
  if (!running_) return;
  cancelled_ = true;
  try {
    auto hurried = options_;
    hurried.connect_seconds = 5;
    hurried.dbname.clear();
    auto second = open(hurried);
    auto sql = "KILL QUERY " + std::to_string(mysql_thread_id(handle_.get()));
    // A server that takes connections but answers nothing must not keep us: others wait for the lock.
    const auto limit = Clock::now() + std::chrono::seconds(hurried.connect_seconds);
    int socket = static_cast<int>(mysql_get_socket(second.get())), failed = 0;
    for (int status = mysql_real_query_start(&failed, second.get(), sql.data(), sql.size()); status;) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()).count();
      pollfd waited{socket, static_cast<short>(((status & MYSQL_WAIT_READ) ? POLLIN : 0) | ((status & MYSQL_WAIT_WRITE) ? POLLOUT : 0)), 0};
      int ready = left > 0 ? ::poll(&waited, 1, static_cast<int>(left)) : 0;
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) {
        ::shutdown(socket, SHUT_RDWR);
        throw Failure(FailureKind::Database, "The server did not answer within " + std::to_string(hurried.connect_seconds) + " seconds.");
      }
      status = mysql_real_query_cont(&failed, second.get(), status & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE));
    }
    if (failed) log::warning("cancel over a second connection failed", {{"reason", mysql_error(second.get())}});
  } catch (const Failure& failure) {
    log::warning("cancel over a second connection failed", {{"reason", failure.sentence()}});
  }
}

bool MysqlConnection::is_alive() {
  // A KILL QUERY may still be on its way and would hit the next statement: such a connection is not used again.
  if (broken_ || cancelled_) return false;
  pollfd socket{static_cast<int>(mysql_get_socket(handle_.get())), POLLIN, 0};
  return ::poll(&socket, 1, 0) == 0;  // an idle server says nothing, unless that it closes
}

}  // namespace basalt::drivers::mysql
