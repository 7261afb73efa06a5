// Which Basalt this is. Set once by main() (the test-only second binary reports a later one).
#pragma once
#include <string>

namespace basalt {
void set_version(std::string version);
const std::string& version();                             // "0.1.0"
inline constexpr const char* api_level = "v0.58.0";       // the Metabase API level we speak; clients parse it
}  // namespace basalt
