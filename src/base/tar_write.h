// Writing of plain tar archives.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace basalt {

// Writes the files `names` of `folder` into a new archive (ustar; no owners, no times), in that order. Failure Conflict when `archive`
// exists, Unavailable when something cannot be read or written; then nothing is left.
void write_tar(const std::filesystem::path& archive, const std::filesystem::path& folder, const std::vector<std::string>& names);

}  // namespace basalt
