// A file by its descriptor, with sentences for its failures. Header only, internal to this folder. Never for a SQLite file that
// is open in this process: closing the descriptor would drop the locks that SQLite holds on it.
#pragma once
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/failure.h"

namespace basalt::upgrade {

class RawFile {
 public:
  RawFile(const std::filesystem::path& path, int flags) : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail(flags & O_CREAT ? "written" : "read");
  }
  ~RawFile() { ::close(descriptor_); }
  RawFile(const RawFile&) = delete;

  std::size_t read(void* to, std::size_t count) {
    for (;;) {
      auto got = ::read(descriptor_, to, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) fail("read");
    }
  }
  void write(const void* from, std::size_t count) {
    auto* at = static_cast<const char*>(from);
    while (count > 0) {
      auto put = ::write(descriptor_, at, count);
      if (put < 0) {
        if (errno == EINTR) continue;
        fail("written");
      }
      at += put;
      count -= static_cast<std::size_t>(put);
    }
  }
  void seek(std::uintmax_t to) { if (::lseek(descriptor_, static_cast<off_t>(to), SEEK_SET) < 0) fail("read"); }
  void sync() { if (::fsync(descriptor_) != 0) fail("written"); }

 private:
  [[noreturn]] void fail(const char* how) const {
    std::string why = errno == ENOSPC ? "the disk is full; free some space" : std::strerror(errno);
    throw Failure(errno == ENOENT ? FailureKind::NotFound : FailureKind::Unavailable, path_.string() + " cannot be " + how + ": " + why + ".");
  }
  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace basalt::upgrade
