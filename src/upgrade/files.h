// Files that must survive a power cut, and the space for them.
#pragma once
#include <filesystem>
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

// zstd, as public tools read it. `head` travels in front in a skippable frame, a SHA-256 of everything in one at the end. Failure Unavailable / BadRequest with a sentence.
void compress(const std::filesystem::path& from, const std::filesystem::path& to, std::string_view head);
void decompress(const std::filesystem::path& from, const std::filesystem::path& to);
std::string read_head(const std::filesystem::path& file);  // Failure BadRequest when there is none

// Removed when the object goes.
class ScratchFile {
 public:
  explicit ScratchFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace basalt::upgrade
