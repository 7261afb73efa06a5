#include "launch/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/durable_file.h"
#include "base/failure.h"

namespace basalt::launch {

std::unique_ptr<Lock> Lock::take(const std::filesystem::path& folder) {
  std::error_code error;
  bool made = std::filesystem::create_directories(folder, error);
  if (!error && made) {
    ::chmod(folder.c_str(), 0700);
    keep_owner(folder);  // a command of root's must not lock the server's user out
  }
  auto file = folder / "lock";
  int fd = error ? -1 : ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    auto why = error ? error.message() : std::string(std::strerror(errno));
    throw Failure(FailureKind::Unavailable, "The folder for versions, " + folder.string() + ", cannot be used: " + why + ". The option versions-dir can name another one.");
  }
  keep_owner(file);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    (void)!::pread(fd, text, sizeof text - 1, 0);
    ::close(fd);
    auto pid = std::strtol(text, nullptr, 10);
    throw Failure(FailureKind::Conflict, "Another launcher or upgrade command works with " + folder.string() + (pid > 0 ? " (process " + std::to_string(pid) + ")" : "") + "; end that one first.");
  }
  auto text = std::to_string(getpid()) + "\n";
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, text.data(), text.size(), 0);
  return std::unique_ptr<Lock>(new Lock(fd));
}

Lock::~Lock() { ::close(fd_); }

}  // namespace basalt::launch
