#include "base/tar_write.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failure.h"

namespace basalt {
namespace {

struct Close {
  int number;
  ~Close() { if (number >= 0) ::close(number); }
};

}  // namespace

void write_tar(const std::filesystem::path& path, const std::filesystem::path& folder, const std::vector<std::string>& names) {
  Close out{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  if (out.number < 0) throw Failure(FailureKind::Conflict, "The file " + path.string() + " exists already or cannot be made.");
  struct Left {
    const std::filesystem::path& path;
    bool kept = false;
    ~Left() { if (!kept) ::unlink(path.c_str()); }
  } left{path};
  std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  auto need = [&](bool worked) { if (!worked) throw Failure(FailureKind::Unavailable, "The file " + path.string() + " cannot be written; is the disk full?"); };
  need(writer && archive_write_set_format_ustar(writer.get()) == ARCHIVE_OK && archive_write_open_fd(writer.get(), out.number) == ARCHIVE_OK);
  std::string piece(256 << 10, '\0');
  for (auto& name : names) {
    auto unreadable = [&] { throw Failure(FailureKind::Unavailable, "The file " + (folder / name).string() + " cannot be read."); };
    Close in{::open((folder / name).c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat info {};
    if (in.number < 0 || ::fstat(in.number, &info) != 0 || !S_ISREG(info.st_mode)) unreadable();
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    need(entry != nullptr);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), info.st_size);
    need(archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK);
    for (std::int64_t rest = info.st_size; rest > 0;) {
      auto got = ::read(in.number, piece.data(), piece.size());
      if (got <= 0 || got > rest) unreadable();  // it became another while it was read
      need(archive_write_data(writer.get(), piece.data(), static_cast<std::size_t>(got)) == got);
      rest -= got;
    }
  }
  need(archive_write_close(writer.get()) == ARCHIVE_OK && ::fsync(out.number) == 0);
  left.kept = true;
}

}  // namespace basalt
