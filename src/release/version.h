// Versions as numbers.
#pragma once
#include <optional>
#include <string_view>

namespace basalt::release {

// -1, 0 or 1 as `a` is older, the same or newer than `b`; absent when one is no version. "1.2" is "1.2.0"; "1.2.0-rc1" is older
// than "1.2.0"; what follows "+" does not count.
std::optional<int> compare_versions(std::string_view a, std::string_view b);
// For text that is known to hold versions (a verified release): false when one is none.
bool is_newer(std::string_view a, std::string_view b);
bool is_version(std::string_view text);

// "linux-x64" or "linux-arm64": the platform of this program, as artefacts are named.
const char* this_platform();

}  // namespace basalt::release
