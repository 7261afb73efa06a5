// One launcher, or one command that changes versions, at a time.
#pragma once
#include <filesystem>
#include <memory>

namespace basalt::launch {

// flock on <versions folder>/lock, given back by the kernel when the process ends however it ends. Not inherited by children.
class Lock {
 public:
  // Makes the folder (0700) when it is missing. Failure Conflict that names the process which holds the lock; Unavailable when
  // the folder cannot be made or written.
  static std::unique_ptr<Lock> take(const std::filesystem::path& versions_folder);
  ~Lock();
  Lock(const Lock&) = delete;

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace basalt::launch
