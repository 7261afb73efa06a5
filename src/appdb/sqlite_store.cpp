#include "appdb/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/failure.h"

namespace basalt::appdb {
namespace {

using Clock = std::chrono::steady_clock;

// Asks again until it is so or the time is over: a lock that another process holds cannot be waited for with a limit.
template <class Try>
bool asked_until(Clock::time_point until, const Try& attempt) {
  for (auto pause = std::chrono::microseconds(200);; pause = std::min(pause * 2, std::chrono::microseconds(10000))) {
    if (attempt()) return true;
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(pause);
  }
}

// LOCK_SH, LOCK_EX or LOCK_UN, without waiting.
bool lock(int descriptor, int how) {
  while (::flock(descriptor, how | LOCK_NB) != 0)
    if (errno != EINTR) return false;
  return true;
}

// F_RDLCK, F_WRLCK or F_UNLCK on the first byte; belongs to the descriptor, not to the process.
bool lock_turnstile(int descriptor, short how) {
  struct flock range {};
  range.l_type = how;
  range.l_whence = SEEK_SET;
  range.l_len = 1;
  return ::fcntl(descriptor, F_OFD_SETLK, &range) == 0;
}

int lock_file(const std::filesystem::path& database, const char* ending) {
  int descriptor = ::open((database.string() + ending).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string why = errno == ENOSPC ? "the disk is full; free some space." : "Basalt may not write there (" + std::string(std::strerror(errno)) + "); give it the right to, or choose another --data-dir.";
  throw Failure(FailureKind::Unavailable, "The folder of the application database " + database.string() + " cannot be used: " + why);
}

struct Descriptor {
  int number = -1;
  explicit Descriptor(int opened) : number(opened) {}
  ~Descriptor() { ::close(number); }
};

}  // namespace

// Held by a write for its transaction.
class SqliteStore::WritingLock {
 public:
  WritingLock(int descriptor, Deadline until) : descriptor_(descriptor) {
    bool passed = asked_until(until, [&] {
      if (!lock_turnstile(descriptor_, F_RDLCK)) return false;
      bool held = lock(descriptor_, LOCK_SH);
      lock_turnstile(descriptor_, F_UNLCK);
      return held;
    });
    if (!passed) throw Failure(FailureKind::Unavailable, paused);
  }
  ~WritingLock() { lock(descriptor_, LOCK_UN); }
  WritingLock(const WritingLock&) = delete;

 private:
  int descriptor_;
};

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
  in_use_ = lock_file(file, ".in-use");
  auto until = std::chrono::steady_clock::now() + options_.patience;
  while (::flock(in_use_, LOCK_SH | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > until) {
      ::close(in_use_);
      throw Failure(FailureKind::Unavailable, "Another Basalt process is upgrading or restoring " + file.string() + "; start again when it is done.");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  try {
    writing_ = lock_file(file, ".writing");
    check_ours();
  } catch (...) {
    if (writing_ >= 0) ::close(writing_);
    ::close(in_use_);
    throw;
  }
}

SqliteStore::~SqliteStore() {
  // The last connection that closes moves the log into the file and removes it. Not while somebody swaps the file: it could
  // be the new file's log by then.
  try {
    WritingLock quiet(writing_, Clock::now() + std::chrono::seconds(2));
    readers_.clear();
    writer_.reset();
  } catch (const Failure&) {
    for (auto& reader : readers_) reader->keep_log_on_close();
    if (writer_) writer_->keep_log_on_close();
    readers_.clear();
    writer_.reset();
  }
  ::close(writing_);
  ::close(in_use_);
}

// A file that was taken away is not made anew under a server; and what is open of it is kept, because that may be all there is.
void SqliteStore::require_file() const {
  std::error_code error;
  if (std::filesystem::exists(options_.sqlite_path, error)) return;
  throw Failure(FailureKind::Unavailable, "The file of the application database " + options_.sqlite_path.string() + " is not there any more; put it back, or stop Basalt and restore a backup.");
}

std::unique_ptr<SqliteConnection> SqliteStore::opened(const SqliteOpening& opening) const {
  Descriptor swapping{lock_file(options_.sqlite_path, ".swapping")};
  if (!asked_until(Clock::now() + options_.patience, [&] { return lock(swapping.number, LOCK_SH); })) throw Failure(FailureKind::Unavailable, paused);
  if (found_) require_file();
  auto connection = std::make_unique<SqliteConnection>(options_.sqlite_path, opening);
  connection->count("SELECT count(*) FROM sqlite_master");  // the log is opened by the first read
  return connection;
}

std::shared_ptr<void> SqliteStore::pause_writers(Connection&, std::chrono::milliseconds patience) {
  auto until = Clock::now() + patience;
  auto held = std::make_shared<Descriptor>(lock_file(options_.sqlite_path, ".writing"));  // its own, so that this process's writers are held back too
  // Writers that come now wait at the turnstile; those that run are waited for. When one of them lasts, the others go on
  // for a moment in between.
  for (auto moment = std::chrono::milliseconds(100);; moment = std::min(moment * 2, std::chrono::milliseconds(1000))) {
    auto limit = std::min(until, Clock::now() + moment);
    bool first = asked_until(limit, [&] { return lock_turnstile(held->number, F_WRLCK); });
    if (first && asked_until(limit, [&] { return lock(held->number, LOCK_EX); })) break;
    if (first) lock_turnstile(held->number, F_UNLCK);
    if (Clock::now() >= until)
      throw Failure(FailureKind::Unavailable, "A write to the application database does not end; the change was not begun. Try again when less goes on.");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return held;
}

void SqliteStore::check_ours() {
  auto connection = opened({});
  auto id = connection->count("PRAGMA application_id");
  if (id != sqlite_application_id) {
    auto tables = connection->count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    if (id != 0 || tables != 0)
      throw Failure(FailureKind::BadRequest, options_.sqlite_path.string() + " is another program's database, not Basalt's; choose another --data-dir or move the file away.");
  }
  writer_ = std::move(connection);
  found_ = true;
}

std::unique_ptr<Connection> SqliteStore::connect() { return opened({}); }

std::unique_ptr<SqliteConnection> SqliteStore::take(bool write, Deadline until) {
  std::unique_lock lock(mutex_);
  auto available = [&] { return write ? !writer_out_ : readers_out_ < options_.connections; };
  if (!returned_.wait_until(lock, until, available))
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
  try {
    // Whoever swapped the file has seen to it that all of it is in the new one. The old one is closed here: SQLite leaves a
    // log alone that belongs to a file which is no longer at its path.
    if (connection && connection->is_replaced()) {
      require_file();
      connection.reset();
    }
    if (connection) return connection;
    return opened(SqliteOpening{.read_only = !write, .busy_timeout = options_.patience});
  } catch (...) {
    give_back(write, std::move(connection));
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
  auto until = Clock::now() + options_.patience;
  gate_.enter(write, options_.patience);
  struct Leave {
    Gate& gate;
    bool write;
    ~Leave() { gate.leave(write); }
  } leave{gate_, write};
  auto connection = take(write, until);
  std::optional<WritingLock> writing;
  try {
    if (write) {
      writing.emplace(writing_, until);
      // Nobody swaps the file from here on; before, while this waited, somebody may have.
      if (connection->is_replaced()) {
        require_file();
        connection.reset();
        connection = opened(SqliteOpening{.busy_timeout = options_.patience});
      }
    }
    connection->execute(write ? "BEGIN IMMEDIATE" : "BEGIN");
    if (write) {
      bool there = connection->count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'upgrade_meta'") > 0;
      may_write(there ? connection->query(marks_query) : std::vector<Row>{});
    }
    work(*connection);
    connection->execute("COMMIT");
  } catch (...) {
    bool usable = connection != nullptr;
    try {
      if (connection && connection->in_transaction()) connection->execute("ROLLBACK");
    } catch (...) {
      usable = false;  // the connection is of no more use, the first failure is the one that counts
    }
    if (!usable) connection.reset();
    writing.reset();
    give_back(write, std::move(connection));
    throw;
  }
  writing.reset();  // before the next writer of this process asks with the same descriptor
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
