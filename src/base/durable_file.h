// Small files that must survive a power cut.
#pragma once
#include <filesystem>
#include <string_view>

namespace basalt {

// Temporary file beside it, synced, renamed over `file`, folder synced: what is there afterwards is the old or the new, never half.
// `mode` as for chmod. Failure Unavailable in one sentence when the disk refuses; then the old file is untouched.
// Written by root it belongs to whom the folder belongs to: a command of an administrator locks no server out.
void write_durably(const std::filesystem::path& file, std::string_view text, unsigned mode = 0600);

// As root: gives `path` the owner and group of the folder that it lies in. Otherwise, or when that fails: nothing.
void keep_owner(const std::filesystem::path& path);

}  // namespace basalt
