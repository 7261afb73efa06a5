// Canonical JSON: the one text that a tree has, so that what was signed cannot be written in another way. Keys ascend byte by byte
// and stand once; no blanks; whole numbers of 64 bits only; strings in UTF-8 with the shortest escapes ("\u001f" lower case).
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace basalt::release {

// Strict: whatever is not canonical is refused (Failure BadRequest: what stands where). `what`: "The list of releases", for the
// sentence. At most 20 levels deep. canonical(parse_canonical(t)) is t.
json::value parse_canonical(std::string_view text, std::string_view what);
// Keys are put in order. The tree holds no fractions (Failure Bug).
std::string canonical(const json::value& tree);

}  // namespace basalt::release
