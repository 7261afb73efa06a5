// Passwords that everybody tries first.
#pragma once
#include <string_view>

namespace basalt::session {

// Also with digits and signs around it and with 0 for o, 1 for i, 3 for e, 4 for a, 5 for s, @ for a, $ for s.
bool is_common_password(std::string_view password);

}  // namespace basalt::session
