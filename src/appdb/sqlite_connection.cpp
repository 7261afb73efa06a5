#include "appdb/sqlite_connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstring>

#include "base/failure.h"

namespace basalt::appdb {
namespace {

constexpr std::size_t statements_kept = 96;

// "UNIQUE constraint failed: person.email" -> the person's sentence. Column names only, never values.
std::string conflict_sentence(std::string_view message) {
  auto colon = message.find(": ");
  auto rest = colon == std::string_view::npos ? std::string_view{} : message.substr(colon + 2);
  if (rest.empty() || rest.starts_with("index ")) return "The same thing exists already.";
  std::string table, columns;
  while (!rest.empty()) {
    auto comma = rest.find(", ");
    auto item = rest.substr(0, comma);
    auto dot = item.find('.');
    if (dot != std::string_view::npos) {
      table = item.substr(0, dot);
      columns += (columns.empty() ? "" : ", ") + std::string(item.substr(dot + 1));
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 2);
  }
  return "A " + table + " with the same " + columns + " exists already.";
}

}  // namespace

SqliteConnection::SqliteConnection(const std::filesystem::path& file, const SqliteOpening& opening) : file_(file) {
  if (!opening.read_only && file != ":memory:") {
    // SQLite would make the file with the process's mask; it holds password hashes and connection details. A file that is
    // there is never opened by hand: closing a descriptor of it drops all locks that this process holds on it through SQLite.
    int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int reason = errno;
    std::error_code ignored;
    if (descriptor >= 0) {
      ::close(descriptor);
      reason = 0;
    } else if (reason == EEXIST) {
      reason = std::filesystem::is_directory(file, ignored) ? EISDIR : ::access(file.c_str(), R_OK | W_OK) == 0 ? 0 : errno;
    }
    if (reason != 0) {
      std::string why = reason == EACCES || reason == EPERM || reason == EROFS ? "Basalt may not write there: give it the right to, or choose another --data-dir."
                        : reason == ENOSPC                                     ? "the disk is full: free some space."
                        : reason == ENOENT                                     ? "its folder does not exist."
                        : reason == EISDIR                                     ? "it is a folder."
                                                                               : std::string(std::strerror(reason)) + ".";
      throw Failure(FailureKind::Unavailable, "The application database " + file.string() + " cannot be opened: " + why);
    }
  }
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  int code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    try {
      fail(code, "open");
    } catch (...) {
      sqlite3_close(handle_);
      handle_ = nullptr;
      throw;
    }
  }
  try {
    sqlite3_busy_timeout(handle_, static_cast<int>(opening.busy_timeout.count()));
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);  // "x" is a name, never a text
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    // An acknowledged write survives a power cut: FULL. The journal mode is only touched when it differs, because setting
    // it takes a lock.
    execute_script(std::string("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=") +
                   (opening.foreign_keys ? "ON" : "OFF"));
    auto mode = query_one("PRAGMA journal_mode");
    if (opening.write_ahead_log) {
      if (!mode || mode->text("journal_mode") != "wal") execute_script("PRAGMA journal_mode=WAL");
    } else {
      execute_script("PRAGMA journal_mode=MEMORY");
    }
    if (opening.read_only) execute_script("PRAGMA query_only=ON");
  } catch (...) {
    for (auto& prepared : kept_) sqlite3_finalize(prepared.statement);
    kept_.clear();
    sqlite3_close(handle_);
    handle_ = nullptr;
    throw;
  }
}

SqliteConnection::~SqliteConnection() {
  for (auto& prepared : kept_) sqlite3_finalize(prepared.statement);
  sqlite3_close_v2(handle_);
}

bool SqliteConnection::is_replaced() const {
  int moved = 0;
  return sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

void SqliteConnection::keep_log_on_close() { sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void SqliteConnection::protect(std::set<std::string, std::less<>> tables) {
  protected_ = std::move(tables);
  refused_.clear();
  sqlite3_set_authorizer(handle_, protected_.empty() ? nullptr : authorize, this);  // what is prepared already is prepared anew
}

int SqliteConnection::authorize(void* self, int action, const char* first, const char* second, const char* database, const char* trigger) {
  auto& connection = *static_cast<SqliteConnection*>(self);
  const char* table = nullptr;
  if (action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE || action == SQLITE_DROP_TABLE) table = first;
  if (action == SQLITE_ALTER_TABLE) table = second, database = first;
  if (!table || (database && std::strcmp(database, "main") != 0) || !connection.protected_.contains(std::string_view(table))) return SQLITE_OK;
  connection.refused_ = std::string(table) + (trigger ? " by the trigger " + std::string(trigger) : "");
  return SQLITE_DENY;
}

void SqliteConnection::fail(int code, std::string_view sql) const {
  if (code == SQLITE_AUTH && !refused_.empty())
    throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("it would write to table " + refused_ + ", which it should leave alone").with_error_type(std::string(protected_table));
  std::string message = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  std::string details = "SQLite " + std::to_string(code) + ": " + message + "; " + std::string(sql.substr(0, 500));
  auto raise = [&](FailureKind kind, std::string sentence) -> void { throw Failure(kind, std::move(sentence)).with_details(details); };
  std::string name = "The application database " + file_.string();
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: raise(FailureKind::Conflict, conflict_sentence(message)); break;
    case SQLITE_CONSTRAINT_FOREIGNKEY: raise(FailureKind::BadRequest, "This refers to something that does not exist, or something still refers to it."); break;
    case SQLITE_CONSTRAINT_NOTNULL: raise(FailureKind::BadRequest, "A required value is missing."); break;
    case SQLITE_CONSTRAINT_CHECK: raise(FailureKind::BadRequest, "A value is not one of those allowed."); break;
    default: break;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: raise(FailureKind::Unavailable, "The application database is busy with another change; try again in a moment."); break;
    case SQLITE_FULL: raise(FailureKind::Unavailable, "The disk that holds the application database " + file_.string() + " is full; nothing was changed. Free some space and try again."); break;
    case SQLITE_READONLY: raise(FailureKind::Unavailable, name + " is read-only for Basalt; give it the right to write the file and its folder."); break;
    case SQLITE_CANTOPEN: raise(FailureKind::Unavailable, name + " cannot be opened: check that its folder exists and that Basalt may write there."); break;
    case SQLITE_NOTADB: raise(FailureKind::BadRequest, file_.string() + " is not a SQLite database; choose another --data-dir or move the file away."); break;
    case SQLITE_CORRUPT: raise(FailureKind::Unavailable, name + " is damaged; restore a backup with `basalt restore`."); break;
    case SQLITE_IOERR: raise(FailureKind::Unavailable, name + " cannot be read or written (input/output error); check the disk."); break;
    case SQLITE_NOMEM: raise(FailureKind::Unavailable, "Basalt is out of memory."); break;
    case SQLITE_TOOBIG: raise(FailureKind::TooLarge, "This is too large to be stored."); break;
    case SQLITE_CONSTRAINT: raise(FailureKind::BadRequest, "A value breaks a rule of the application database."); break;
    default: break;
  }
  throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details(details);
}

SqliteConnection::Prepared SqliteConnection::prepare(std::string_view sql) {
  for (auto it = kept_.begin(); it != kept_.end(); ++it)
    if (it->sql == sql) {
      Prepared found = std::move(*it);
      kept_.erase(it);
      return found;
    }
  Prepared prepared;
  prepared.sql = sql;
  const char* tail = nullptr;
  int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &prepared.statement, &tail);
  if (code != SQLITE_OK) fail(code, sql);
  if (!prepared.statement) throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("empty SQL statement");
  return prepared;
}

void SqliteConnection::keep(Prepared prepared) {
  kept_.push_front(std::move(prepared));
  if (kept_.size() > statements_kept) {
    sqlite3_finalize(kept_.back().statement);
    kept_.pop_back();
  }
}

std::int64_t SqliteConnection::run(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>* row) {
  if (streaming_)
    throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("a statement inside each() on the same connection: " + std::string(sql.substr(0, 200)));
  Prepared prepared = prepare(sql);
  auto* statement = prepared.statement;
  struct Reset {
    SqliteConnection& connection;
    Prepared& prepared;
    ~Reset() {
      connection.streaming_ = false;
      sqlite3_reset(prepared.statement);
      sqlite3_clear_bindings(prepared.statement);
      connection.keep(std::move(prepared));
    }
  } reset{*this, prepared};
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != parameters.size())
    throw Failure(FailureKind::Bug, "Something went wrong on our side.").with_details("another number of values than placeholders: " + std::string(sql.substr(0, 500)));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    int at = static_cast<int>(i) + 1;
    auto& value = parameters[i].value();
    int code = SQLITE_OK;
    if (std::holds_alternative<std::nullptr_t>(value)) code = sqlite3_bind_null(statement, at);
    else if (auto* b = std::get_if<bool>(&value)) code = sqlite3_bind_int(statement, at, *b ? 1 : 0);
    else if (auto* n = std::get_if<std::int64_t>(&value)) code = sqlite3_bind_int64(statement, at, *n);
    else if (auto* d = std::get_if<double>(&value)) code = sqlite3_bind_double(statement, at, *d);
    else if (auto* s = std::get_if<std::string>(&value)) code = sqlite3_bind_text64(statement, at, s->data(), s->size(), SQLITE_STATIC, SQLITE_UTF8);
    else if (auto* blob = std::get_if<Blob>(&value)) code = sqlite3_bind_blob64(statement, at, blob->bytes.data() ? blob->bytes.data() : "", blob->bytes.size(), SQLITE_STATIC);
    if (code != SQLITE_OK) fail(code, sql);
  }
  streaming_ = row != nullptr;
  for (;;) {
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_ROW) fail(code, sql);
    if (!row) continue;
    // A cached statement is prepared anew by itself after a schema change, so the columns are looked at here, not earlier.
    int width = sqlite3_column_count(statement);
    if (!prepared.names || static_cast<int>(prepared.names->size()) != width) {
      auto names = std::make_shared<std::vector<std::string>>();
      prepared.booleans.clear();
      for (int i = 0; i < width; ++i) {
        names->emplace_back(sqlite3_column_name(statement, i));
        auto* declared = sqlite3_column_decltype(statement, i);
        prepared.booleans.push_back(declared && sqlite3_stricmp(declared, "BOOLEAN") == 0);
      }
      prepared.names = std::move(names);
    }
    std::vector<Value> values;
    values.reserve(static_cast<std::size_t>(width));
    for (int i = 0; i < width; ++i) {
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_NULL: values.emplace_back(nullptr); break;
        case SQLITE_INTEGER: {
          auto n = static_cast<std::int64_t>(sqlite3_column_int64(statement, i));
          if (prepared.booleans[static_cast<std::size_t>(i)] && (n == 0 || n == 1)) values.emplace_back(n == 1);
          else values.emplace_back(n);
          break;
        }
        case SQLITE_FLOAT: values.emplace_back(sqlite3_column_double(statement, i)); break;
        case SQLITE_TEXT: {
          auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
          values.emplace_back(std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, i))));
          break;
        }
        default: {
          auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
          values.emplace_back(Blob{bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, i))) : std::string()});
        }
      }
    }
    (*row)(Row(prepared.names, std::move(values)));
  }
  return sqlite3_changes64(handle_);
}

void SqliteConnection::each(std::string_view sql, const Parameters& parameters, const std::function<void(const Row&)>& row) {
  run(sql, parameters, &row);
}

std::int64_t SqliteConnection::execute(std::string_view sql, const Parameters& parameters) { return run(sql, parameters, nullptr); }

void SqliteConnection::execute_script(std::string_view sql) {
  std::string text(sql);
  int code = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, sql);
}

void SqliteConnection::copy_to(const std::filesystem::path& target, const std::function<void(double)>& progress) {
  std::filesystem::remove(target);
  std::filesystem::remove(target.string() + "-wal");
  std::filesystem::remove(target.string() + "-journal");
  int descriptor = ::open(target.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw Failure(FailureKind::Unavailable, target.string() + " cannot be written: " + std::strerror(errno) + ".");
  ::close(descriptor);
  sqlite3* copy = nullptr;
  int code = sqlite3_open_v2(target.c_str(), &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  struct Close {
    sqlite3*& handle;
    ~Close() { sqlite3_close(handle); }
  } close{copy};
  if (code != SQLITE_OK) fail(code, "open the copy");
  sqlite3_exec(copy, "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
  auto* backup = sqlite3_backup_init(copy, "main", handle_, "main");
  if (!backup) fail(sqlite3_extended_errcode(copy), "start the copy");
  do {
    // All at once when nobody watches; else in pieces. A writer in between only makes SQLite begin the copy anew.
    code = sqlite3_backup_step(backup, progress ? 20000 : -1);
    if (progress && sqlite3_backup_pagecount(backup) > 0)
      progress(1.0 - static_cast<double>(sqlite3_backup_remaining(backup)) / sqlite3_backup_pagecount(backup));
  } while (code == SQLITE_OK);
  int finished = sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE || finished != SQLITE_OK) {
    int reason = code != SQLITE_DONE ? code : finished;
    if ((reason & 0xff) == SQLITE_FULL)
      throw Failure(FailureKind::Unavailable, "The disk is full: " + target.string() + " could not be written; nothing was changed. Free some space and try again.");
    fail(reason, "copy");
  }
}

}  // namespace basalt::appdb
