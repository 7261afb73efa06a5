#include "upgrade/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <vector>

#include "base/failure.h"
#include "upgrade/raw_file.h"

namespace basalt::upgrade {

void sync_file(const std::filesystem::path& path) { RawFile(path, O_RDWR).sync(); }

void sync_folder(const std::filesystem::path& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void write_durably(const std::filesystem::path& file, std::string_view text) {
  auto temporary = file.string() + ".new";
  {
    RawFile out(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    out.write(text.data(), text.size());
    out.sync();
  }
  std::filesystem::rename(temporary, file);
  sync_folder(file.parent_path());
}

std::int64_t free_bytes(const std::filesystem::path& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) return INT64_MAX;  // not told: not a reason to refuse
  return static_cast<std::int64_t>(info.f_bavail) * static_cast<std::int64_t>(info.f_frsize);
}

std::string megabytes(std::int64_t bytes) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return buffer;
}

void require_space(const std::filesystem::path& folder, std::int64_t bytes, std::string_view what_for) {
  auto free = free_bytes(folder);
  if (free >= bytes) return;
  throw Failure(FailureKind::Unavailable, folder.string() + " has " + megabytes(free) + " free and " + std::string(what_for) + " needs " + megabytes(bytes) + "; free some space. Nothing was changed.");
}

std::int64_t sqlite_bytes(const std::filesystem::path& file) {
  std::error_code error;
  auto size = [&](const std::filesystem::path& p) {
    auto bytes = std::filesystem::file_size(p, error);
    return error ? std::int64_t{0} : static_cast<std::int64_t>(bytes);
  };
  return size(file) + size(file.string() + "-wal");
}

void sync_new(const std::filesystem::path& folder) {
  std::error_code error;
  for (auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_directory(error)) sync_folder(entry.path());
    else if (entry.is_regular_file(error)) sync_file(entry.path());
  }
  sync_folder(folder);
}

namespace {

std::filesystem::path scratch_lock_of(const std::filesystem::path& folder) { return folder / ".scratch-in-use"; }

}  // namespace

ScratchUse::ScratchUse(const std::filesystem::path& folder) : lock_(::open(scratch_lock_of(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  // Shared, so that left-overs of a crash can be told from another process's work.
  if (lock_ >= 0) ::flock(lock_, LOCK_SH);
}

ScratchUse::~ScratchUse() {
  if (lock_ >= 0) ::close(lock_);
}

void ScratchFile::remove() {
  std::error_code ignored;
  for (auto& suffix : {"", "-wal", "-shm", "-journal"}) std::filesystem::remove(path_.string() + suffix, ignored);
}

void remove_left_overs(const std::filesystem::path& folder, const std::function<bool(const std::string& name)>& is_scratch) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return;
  std::vector<std::filesystem::path> found;
  for (auto& entry : std::filesystem::directory_iterator(folder, error))
    if (is_scratch(entry.path().filename().string())) found.push_back(entry.path());
  if (found.empty()) return;
  int lock = ::open(scratch_lock_of(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return;
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0)
    for (auto& path : found) std::filesystem::remove_all(path, error);
  ::close(lock);
}

}  // namespace basalt::upgrade
