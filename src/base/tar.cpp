#include "base/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "base/failure.h"

namespace basalt {
namespace {

constexpr std::size_t longest_name = 4096;

bool safe_path(std::string_view path) {
  if (path.empty() || path.size() > longest_name || path.front() == '/') return false;
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
  archive* reader = archive_read_new();
  std::int64_t left = 0;  // of the entry that is read

  ~State() { archive_read_free(reader); }

  [[noreturn]] void refuse(const std::string& why) const { throw Failure(FailureKind::BadRequest, "The archive " + name + " " + why + "."); }
  [[noreturn]] void damaged() const {
    auto* text = archive_error_string(reader);
    throw Failure(FailureKind::BadRequest, "The archive " + name + " is cut off or damaged.").with_details(text ? text : "");
  }
};

TarReader::TarReader(const std::filesystem::path& file) : state_(std::make_unique<State>()) {
  auto& s = *state_;
  s.name = file.filename().string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) throw Failure(FailureKind::BadRequest, "There is no file " + file.string() + ".");
  // Only what we make: nothing that was written for other formats ever reads what comes from outside.
  archive_read_support_filter_gzip(s.reader);
  archive_read_support_format_tar(s.reader);
  if (archive_read_open_filename(s.reader, file.c_str(), 256 << 10) != ARCHIVE_OK) s.damaged();
}

TarReader::~TarReader() = default;

std::optional<TarEntry> TarReader::next() {
  auto& s = *state_;
  for (;;) {
    archive_entry* header = nullptr;
    int result = archive_read_next_header(s.reader, &header);
    if (result == ARCHIVE_EOF) return std::nullopt;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) s.damaged();
    auto* path = archive_entry_pathname(header);
    if (!path || !safe_path(path)) s.refuse("holds a path that leads out of it");
    TarEntry entry;
    entry.path = plain(path);
    entry.executable = (archive_entry_perm(header) & 0111) != 0;
    s.left = 0;
    auto type = archive_entry_filetype(header);
    if (archive_entry_hardlink(header)) {
      s.refuse("holds something that is neither file nor folder: " + entry.path);
    } else if (type == AE_IFREG) {
      s.left = entry.bytes = archive_entry_size(header);
    } else if (type == AE_IFDIR) {
      entry.kind = TarEntry::Kind::Folder;
    } else if (type == AE_IFLNK) {
      entry.kind = TarEntry::Kind::Link;
      auto* to = archive_entry_symlink(header);
      entry.link_to = to ? to : "";
      if (entry.link_to.empty() || entry.link_to == ".." || entry.link_to.find('/') != std::string::npos) s.refuse("holds a link that leads out of its folder");
    } else {
      s.refuse("holds something that is neither file nor folder: " + entry.path);
    }
    if (entry.path.empty()) {
      if (entry.kind != TarEntry::Kind::Folder) s.damaged();
      continue;  // "./"
    }
    return entry;
  }
}

std::string TarReader::read(std::size_t most) {
  auto& s = *state_;
  std::string out(static_cast<std::size_t>(std::min<std::int64_t>(s.left, static_cast<std::int64_t>(most))), '\0');
  for (std::size_t got = 0; got < out.size();) {
    auto one = archive_read_data(s.reader, out.data() + got, out.size() - got);
    if (one <= 0) s.damaged();
    got += static_cast<std::size_t>(one);
  }
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
