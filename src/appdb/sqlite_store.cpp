#include "appdb/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "base/failure.h"

namespace basalt::appdb {

SqliteStore::SqliteStore(StoreOptions options) : options_(std::move(options)) {
  auto& file = options_.sqlite_path;
  if (file.empty()) throw Failure(FailureKind::BadRequest, "The application database has no file; give one with --data-dir.");
  std::error_code error;
  auto folder = file.parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    std::filesystem::create_directories(folder, error);
    if (error) throw Failure(FailureKind::Unavailable, "The folder " + folder.string() + " cannot be made: " + error.message() + ".");
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  auto lock_file = file.string() + ".in-use";
  in_use_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (in_use_ < 0) {
    std::string why = errno == ENOSPC ? "the disk is full; free some space." : "Basalt may not write there (" + std::string(std::strerror(errno)) + "); give it the right to, or choose another --data-dir.";
    throw Failure(FailureKind::Unavailable, "The folder of the application database " + file.string() + " cannot be used: " + why);
  }
  auto until = std::chrono::steady_clock::now() + options_.patience;
  while (::flock(in_use_, LOCK_SH | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::close(in_use_);
      throw Failure(FailureKind::Unavailable, "Another Basalt process is upgrading or restoring " + file.string() + "; start again when it is done.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  try {
    check_ours();
  } catch (...) {
    ::close(in_use_);
    throw;
  }
}

SqliteStore::~SqliteStore() { ::close(in_use_); }

void SqliteStore::check_ours() {
  auto connection = std::make_unique<SqliteConnection>(options_.sqlite_path);
  auto id = connection->count("PRAGMA application_id");
  if (id != sqlite_application_id) {
    auto tables = connection->count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    if (id != 0 || tables != 0)
      throw Failure(FailureKind::BadRequest, options_.sqlite_path.string() + " is another program's database, not Basalt's; choose another --data-dir or move the file away.");
  }
  writer_ = std::move(connection);
}

std::unique_ptr<Connection> SqliteStore::connect() { return std::make_unique<SqliteConnection>(options_.sqlite_path); }

std::unique_ptr<SqliteConnection> SqliteStore::take(bool write) {
  std::unique_lock lock(mutex_);
  auto available = [&] { return write ? !writer_out_ : readers_out_ < options_.connections; };
  if (!returned_.wait_for(lock, options_.patience, available))
    throw Failure(FailureKind::Unavailable, "The application database is busy; try again in a moment.");
  std::unique_ptr<SqliteConnection> connection;
  if (write) {
    writer_out_ = true;
    connection = std::move(writer_);
  } else {
    ++readers_out_;
    if (!readers_.empty()) {
      connection = std::move(readers_.back());
      readers_.pop_back();
    }
  }
  lock.unlock();
  if (connection) return connection;
  try {
    return std::make_unique<SqliteConnection>(options_.sqlite_path, SqliteOpening{.read_only = !write, .busy_timeout = options_.patience});
  } catch (...) {
    give_back(write, nullptr);
    throw;
  }
}

void SqliteStore::give_back(bool write, std::unique_ptr<SqliteConnection> connection) {
  {
    std::lock_guard lock(mutex_);
    if (write) {
      writer_out_ = false;
      writer_ = std::move(connection);
    } else {
      --readers_out_;
      if (connection) readers_.push_back(std::move(connection));
    }
  }
  // Readers and writers wait on one condition: waking one only could wake the wrong kind.
  returned_.notify_all();
}

void SqliteStore::run_in_transaction(bool write, const std::function<void(Connection&)>& work) {
  gate_.enter(write, options_.patience);
  struct Leave {
    Gate& gate;
    bool write;
    ~Leave() { gate.leave(write); }
  } leave{gate_, write};
  auto connection = take(write);
  try {
    connection->execute(write ? "BEGIN IMMEDIATE" : "BEGIN");
    work(*connection);
    connection->execute("COMMIT");
  } catch (...) {
    bool usable = true;
    try {
      if (connection->in_transaction()) connection->execute("ROLLBACK");
    } catch (...) {
      usable = false;  // the connection is of no more use, the first failure is the one that counts
    }
    give_back(write, usable ? std::move(connection) : nullptr);
    throw;
  }
  give_back(write, std::move(connection));
}

void SqliteStore::close_gate(Closed what) {
  gate_.close(what);
  if (what == Closed::Writes) return;
  std::lock_guard lock(mutex_);
  readers_.clear();
  writer_.reset();
}

void SqliteStore::open_gate() { gate_.open(); }

bool SqliteStore::try_exclusive() {
  if (::flock(in_use_, LOCK_EX | LOCK_NB) == 0) return true;
  // A failed conversion may have let the shared lock go.
  ::flock(in_use_, LOCK_SH);
  return false;
}

void SqliteStore::share_again() { ::flock(in_use_, LOCK_SH); }

}  // namespace basalt::appdb
