// Files that must survive a power cut, and the space for them.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace basalt::upgrade {

void sync_file(const std::filesystem::path&);
void sync_folder(const std::filesystem::path&);
// Temporary file, synced, renamed over `file`, folder synced: old or new, never half.
void write_durably(const std::filesystem::path& file, std::string_view text);
std::int64_t free_bytes(const std::filesystem::path& folder);
// Failure Unavailable in one sentence when `folder` has less than `bytes` free.
void require_space(const std::filesystem::path& folder, std::int64_t bytes, std::string_view what_for);
// The file of a SQLite store with what it still has in its log.
std::int64_t sqlite_bytes(const std::filesystem::path& file);
std::string megabytes(std::int64_t bytes);  // "12.3 MB"

// Everything in a folder that nobody else has seen yet, to the disk.
void sync_new(const std::filesystem::path& folder);

// Removes what a crash left in `folder` among the names that `is_scratch`, unless some process works with scratch files there now.
void remove_left_overs(const std::filesystem::path& folder, const std::function<bool(const std::string& name)>& is_scratch);

// While this lives scratch files in `folder`, which must exist, are in use.
class ScratchUse {
 public:
  explicit ScratchUse(const std::filesystem::path& folder);
  ~ScratchUse();
  ScratchUse(const ScratchUse&) = delete;

 private:
  int lock_ = -1;
};

// Removed when the object goes, with SQLite's side files. Its folder must exist.
class ScratchFile {
 public:
  explicit ScratchFile(std::filesystem::path path) : path_(std::move(path)), use_(path_.parent_path()) {}
  ~ScratchFile() { remove(); }
  ScratchFile(const ScratchFile&) = delete;
  const std::filesystem::path& path() const { return path_; }
  void remove();  // now already

 private:
  std::filesystem::path path_;
  ScratchUse use_;
};

}  // namespace basalt::upgrade
