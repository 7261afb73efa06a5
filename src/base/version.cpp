#include "base/version.h"

namespace basalt {
namespace {
std::string& stored() { static std::string text = "0.0.0"; return text; }
}  // namespace
void set_version(std::string version) { stored() = std::move(version); }
const std::string& version() { return stored(); }
}  // namespace basalt
