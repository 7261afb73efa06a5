// Reading of tar archives, plain or gzip, a piece at a time: nothing is ever whole in memory.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace basalt {

struct TarEntry {
  enum class Kind { File, Folder, Link };  // Link: a symbolic one
  std::string path;                        // relative, without "..", without a slash at its end
  Kind kind = Kind::File;
  std::int64_t bytes = 0;                  // of a file
  bool executable = false;
  std::string link_to;                     // of a link: the name of something beside it
};

// All calls throw Failure BadRequest, in one sentence that names the file, when it is cut off or damaged, or holds what an
// archive of ours never holds (absolute paths, "..", devices, hard links, links that lead elsewhere).
class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& file);
  ~TarReader();
  // The next entry, absent at the end; what was not read of the one before is left out.
  std::optional<TarEntry> next();
  // The next bytes of the entry, at most `most`; empty when it has no more.
  std::string read(std::size_t most);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct UnpackLimits {
  std::int64_t bytes = std::int64_t{4} << 30;
  int entries = 20'000;
};
// Unpacks everything below the one folder at the archive's top into `folder`, which must exist; nothing that is there is written
// over. Failure as TarReader, or Unavailable when the disk refuses. What was unpacked until then stays: unpack into a new folder.
void unpack_tar(const std::filesystem::path& file, const std::filesystem::path& folder, UnpackLimits limits = {});

}  // namespace basalt
