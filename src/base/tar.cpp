#include "base/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/failure.h"

namespace basalt {
namespace {

constexpr std::size_t block = 512;
constexpr std::int64_t longest_name = 64 << 10;

std::string_view field(const char* header, std::size_t at, std::size_t size) {
  std::string_view all(header + at, size);
  return all.substr(0, std::min(all.find('\0'), size));
}

bool safe_path(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  for (std::size_t at = 0; at <= path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    if (path.substr(at, end - at) == "..") return false;
    at = end + 1;
  }
  return true;
}

// "./a//b/" is "a/b".
std::string plain(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at <= path.size();) {
    auto end = std::min(path.find('/', at), path.size());
    auto part = path.substr(at, end - at);
    if (!part.empty() && part != ".") out += (out.empty() ? "" : "/") + std::string(part);
    at = end + 1;
  }
  return out;
}

}  // namespace

struct TarReader::State {
  std::string name;
  gzFile file = nullptr;
  std::int64_t left = 0, padding = 0;  // of the entry that is read

  ~State() {
    if (file) gzclose(file);
  }

  [[noreturn]] void refuse(const std::string& why) const { throw Failure(FailureKind::BadRequest, "The archive " + name + " " + why + "."); }

  // Exactly `size` bytes, or none at the very end.
  bool take(char* to, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
      int one = gzread(file, to + got, static_cast<unsigned>(std::min<std::size_t>(size - got, 1 << 20)));
      if (one < 0) refuse("is damaged");
      if (one == 0) break;
      got += static_cast<std::size_t>(one);
    }
    if (got == 0) {
      int error = Z_OK;
      gzerror(file, &error);
      if (error != Z_OK && error != Z_STREAM_END) refuse("is cut off");
      return false;
    }
    if (got < size) refuse("is cut off");
    return true;
  }
  void skip(std::int64_t bytes) {
    char buffer[16 << 10];
    while (bytes > 0) {
      auto piece = std::min<std::int64_t>(bytes, sizeof buffer);
      if (!take(buffer, static_cast<std::size_t>(piece))) refuse("is cut off");
      bytes -= piece;
    }
  }
  std::int64_t number(std::string_view text) const {
    // Sizes beyond eight gigabytes are written in binary; no archive of ours has any.
    std::int64_t out = 0;
    for (char c : text) {
      if (c == ' ' || c == '\0') continue;
      if (c < '0' || c > '7') refuse("is damaged");
      out = out * 8 + (c - '0');
    }
    return out;
  }
  std::string text_of(std::int64_t bytes) {
    if (bytes < 0 || bytes > longest_name) refuse("holds a name that is too long");
    std::string out(static_cast<std::size_t>(bytes), '\0');
    if (bytes > 0 && !take(out.data(), out.size())) refuse("is cut off");
    skip((block - static_cast<std::size_t>(bytes) % block) % block);
    return out;
  }
};

TarReader::TarReader(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  state_->name = file.filename().string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) throw Failure(FailureKind::BadRequest, "There is no file " + file.string() + ".");
  state_->file = gzopen(file.c_str(), "rbe");  // reads plain files as they are
  if (!state_->file) throw Failure(FailureKind::BadRequest, "The file " + file.string() + " cannot be read: " + std::strerror(errno) + ".");
}

TarReader::~TarReader() = default;

std::optional<TarEntry> TarReader::next() {
  auto& s = *state_;
  s.skip(s.left + s.padding);
  s.left = s.padding = 0;
  std::string long_name, long_link;
  for (;;) {
    char header[block];
    if (!s.take(header, block)) return std::nullopt;
    if (std::all_of(header, header + block, [](char c) { return c == '\0'; })) return std::nullopt;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < block; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
    if (sum != s.number(field(header, 148, 8))) s.refuse("is damaged");
    auto bytes = s.number(field(header, 124, 12));
    char type = header[156];
    if (type == 'L') { long_name = s.text_of(bytes); long_name.resize(std::strlen(long_name.c_str())); continue; }
    if (type == 'K') { long_link = s.text_of(bytes); long_link.resize(std::strlen(long_link.c_str())); continue; }
    if (type == 'g') { s.text_of(bytes); continue; }
    if (type == 'x') {
      // Lines "<length> <key>=<value>\n".
      auto all = s.text_of(bytes);
      std::string_view rest = all;
      while (!rest.empty()) {
        auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        rest = rest.substr(std::min(end + 1, rest.size()));
        auto blank = line.find(' '), equals = line.find('=');
        if (blank == std::string_view::npos || equals == std::string_view::npos || equals < blank) continue;
        auto key = line.substr(blank + 1, equals - blank - 1);
        if (key == "path") long_name = line.substr(equals + 1);
        if (key == "linkpath") long_link = line.substr(equals + 1);
        if (key == "size") s.refuse("holds a file that is too large");
      }
      continue;
    }
    TarEntry entry;
    auto prefix = std::string_view(header + 257, 5) == "ustar" && header[262] == '\0' ? std::string(field(header, 345, 155)) : std::string();
    auto path = !long_name.empty() ? long_name : (prefix.empty() ? "" : prefix + "/") + std::string(field(header, 0, 100));
    if (!safe_path(path)) s.refuse("holds a path that leads out of it");
    entry.path = plain(path);
    entry.executable = (s.number(field(header, 100, 8)) & 0111) != 0;
    if (type == '0' || type == '\0') {
      entry.bytes = bytes;
      s.left = bytes;
      s.padding = static_cast<std::int64_t>((block - static_cast<std::size_t>(bytes) % block) % block);
    } else if (type == '5') {
      entry.kind = TarEntry::Kind::Folder;
    } else if (type == '2') {
      entry.kind = TarEntry::Kind::Link;
      entry.link_to = !long_link.empty() ? long_link : std::string(field(header, 157, 100));
      if (entry.link_to.empty() || entry.link_to == ".." || entry.link_to.find('/') != std::string::npos) s.refuse("holds a link that leads out of its folder");
    } else {
      s.refuse("holds something that is neither file nor folder: " + entry.path);
    }
    if (entry.path.empty()) {
      if (entry.kind != TarEntry::Kind::Folder) s.refuse("is damaged");
      continue;  // "./"
    }
    return entry;
  }
}

std::string TarReader::read(std::size_t most) {
  auto& s = *state_;
  std::string out(static_cast<std::size_t>(std::min<std::int64_t>(s.left, static_cast<std::int64_t>(most))), '\0');
  if (!out.empty() && !s.take(out.data(), out.size())) s.refuse("is cut off");
  s.left -= static_cast<std::int64_t>(out.size());
  return out;
}

void unpack_tar(const std::filesystem::path& file, const std::filesystem::path& folder, UnpackLimits limits) {
  TarReader reader(file);
  auto name = file.filename().string();
  auto refused = [&](const std::string& why) { return Failure(FailureKind::BadRequest, "The archive " + name + " " + why + "."); };
  auto disk = [&](const std::filesystem::path& where) {
    return Failure(FailureKind::Unavailable, "The file " + where.string() + " could not be written: " + std::strerror(errno) + ".");
  };
  std::string top;
  std::int64_t bytes = 0;
  int entries = 0;
  while (auto entry = reader.next()) {
    auto slash = entry->path.find('/');
    auto first = entry->path.substr(0, slash);
    if (top.empty()) top = first;
    if (first != top) throw refused("must have one folder at its top; it has " + top + " and " + first);
    if (++entries > limits.entries) throw refused("holds more than " + std::to_string(limits.entries) + " files");
    if ((bytes += entry->bytes) > limits.bytes) throw refused("is larger than " + std::to_string(limits.bytes >> 20) + " MB when it is unpacked");
    if (slash == std::string::npos) {
      if (entry->kind != TarEntry::Kind::Folder) throw refused("must have one folder at its top");
      continue;
    }
    auto to = folder / entry->path.substr(slash + 1);
    std::error_code error;
    // A link that was unpacked before must not become a way out.
    for (auto above = to.parent_path(); above != folder && above.string().size() > folder.string().size(); above = above.parent_path())
      if (std::filesystem::is_symlink(above, error)) throw refused("holds a file behind a link");
    std::filesystem::create_directories(entry->kind == TarEntry::Kind::Folder ? to : to.parent_path(), error);
    if (error) throw Failure(FailureKind::Unavailable, "The folder " + to.string() + " could not be made: " + error.message() + ".");
    if (entry->kind == TarEntry::Kind::Link) {
      std::filesystem::create_symlink(entry->link_to, to, error);
      if (error) throw Failure(FailureKind::Unavailable, "The link " + to.string() + " could not be made: " + error.message() + ".");
    }
    if (entry->kind != TarEntry::Kind::File) continue;
    int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, entry->executable ? 0755 : 0644);
    if (fd < 0) throw disk(to);
    try {
      for (std::string piece; !(piece = reader.read(256 << 10)).empty();)
        for (std::string_view rest = piece; !rest.empty();) {
          auto wrote = ::write(fd, rest.data(), rest.size());
          if (wrote < 0 && errno == EINTR) continue;
          if (wrote <= 0) throw disk(to);
          rest.remove_prefix(static_cast<std::size_t>(wrote));
        }
      // Not left to the umask: another user than the one who unpacks may run it.
      if (::fchmod(fd, entry->executable ? 0755 : 0644) != 0) throw disk(to);
    } catch (...) {
      ::close(fd);
      throw;
    }
    if (::close(fd) != 0) throw disk(to);
  }
  if (top.empty()) throw refused("is empty");
}

}  // namespace basalt
