// Small files that must survive a power cut.
#pragma once
#include <filesystem>
#include <string_view>

namespace basalt {

// Temporary file beside it, synced, renamed over `file`, folder synced: what is there afterwards is the old or the new, never half.
// `mode` as for chmod. Failure Unavailable in one sentence when the disk refuses; then the old file is untouched.
void write_durably(const std::filesystem::path& file, std::string_view text, unsigned mode = 0600);

}  // namespace basalt
