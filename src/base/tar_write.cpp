#include "base/tar_write.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <numeric>

#include "base/failure.h"

// Written by hand: whatever writes with libarchive links all formats that it can write, and with them libxml2, lzma and nettle.
namespace basalt {
namespace {

constexpr std::size_t block = 512;

struct Close {
  int number;
  ~Close() { if (number >= 0) ::close(number); }
};

// POSIX.1-1988 ("ustar"): names of at most 100 bytes, sizes of at most 8 GB.
std::array<char, block> header(const std::string& name, std::int64_t bytes) {
  std::array<char, block> out{};
  auto put = [&](std::size_t at, const std::string& text) { std::copy(text.begin(), text.end(), out.begin() + static_cast<std::ptrdiff_t>(at)); };
  auto octal = [](std::int64_t number, int digits) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(number));
    return std::string(text);
  };
  put(0, name);
  put(100, octal(0644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(bytes, 11));
  put(136, octal(0, 11));
  put(148, "        ");  // counted as blanks
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  auto sum = std::accumulate(out.begin(), out.end(), 0, [](int so_far, char c) { return so_far + static_cast<unsigned char>(c); });
  put(148, octal(sum, 6) + std::string(1, '\0') + " ");
  return out;
}

}  // namespace

void write_tar(const std::filesystem::path& path, const std::filesystem::path& folder, const std::vector<std::string>& names) {
  Close out{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  if (out.number < 0) throw Failure(FailureKind::Conflict, "The file " + path.string() + " exists already or cannot be made.");
  struct Left {
    const std::filesystem::path& path;
    bool kept = false;
    ~Left() { if (!kept) ::unlink(path.c_str()); }
  } left{path};
  auto write = [&](const char* data, std::size_t size) {
    while (size > 0) {
      auto wrote = ::write(out.number, data, size);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be written; is the disk full?");
      data += wrote;
      size -= static_cast<std::size_t>(wrote);
    }
  };
  const std::string zeros(2 * block, '\0');
  std::string piece(256 << 10, '\0');
  for (auto& name : names) {
    auto unreadable = [&] { throw Failure(FailureKind::Unavailable, "The file " + (folder / name).string() + " cannot be read."); };
    Close in{::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat info {};
    if (in.number < 0 || ::fstat(in.number, &info) != 0 || !S_ISREG(info.st_mode)) unreadable();
    if (name.size() > 99 || info.st_size >= std::int64_t{8} << 30) throw Failure(FailureKind::BadRequest, "The file " + name + " does not go into an archive: its name is longer than 99 bytes, or it is larger than 8 GB.");
    auto head = header(name, info.st_size);
    write(head.data(), head.size());
    for (std::int64_t rest = info.st_size; rest > 0;) {
      auto got = ::read(in.number, piece.data(), piece.size());
      if (got <= 0 || got > rest) unreadable();  // it became another while it was read
      write(piece.data(), static_cast<std::size_t>(got));
      rest -= got;
    }
    write(zeros.data(), (block - static_cast<std::size_t>(info.st_size) % block) % block);
  }
  write(zeros.data(), zeros.size());
  if (::fsync(out.number) != 0) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be written; is the disk full?");
  left.kept = true;
}

}  // namespace basalt
