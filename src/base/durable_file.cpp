#include "base/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.h"
#include "base/random.h"

namespace basalt {
namespace {

struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  ~Descriptor() { if (number >= 0) ::close(number); }
  Descriptor(const Descriptor&) = delete;
};

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    auto wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

void keep_owner(const std::filesystem::path& path) {
  struct stat folder {};
  auto parent = path.parent_path();
  if (::geteuid() != 0 || ::stat(parent.empty() ? "." : parent.c_str(), &folder) != 0) return;
  if (::lchown(path.c_str(), folder.st_uid, folder.st_gid) != 0) return;  // a file system without owners
}

void write_durably(const std::filesystem::path& file, std::string_view text, unsigned mode) {
  auto temporary = file.string() + ".new-" + random_hex(4);
  auto refused = [&] {
    auto why = std::string(std::strerror(errno));
    ::unlink(temporary.c_str());
    throw Failure(FailureKind::Unavailable, "The file " + file.string() + " cannot be written: " + why + ".");
  };
  {
    Descriptor out(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (out.number >= 0) keep_owner(temporary);
    if (out.number < 0 || ::fchmod(out.number, mode) != 0 || !write_all(out.number, text) || ::fsync(out.number) != 0) refused();
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) refused();
  auto parent = file.parent_path();
  Descriptor folder(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number >= 0) ::fsync(folder.number);
}

}  // namespace basalt
