// Percent-encoding, as it comes in request targets and form posts.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace basalt::http {

enum class Plus { Literal, Space };

// Absent when an escape is broken ("%4", "%zz") or hides a control character.
std::optional<std::string> percent_decoded(std::string_view text, Plus plus = Plus::Literal);
std::string percent_encoded(std::string_view text);  // everything but unreserved characters
// "a=1&b=%20" in order; pairs with broken escapes are kept as they came.
std::vector<std::pair<std::string, std::string>> parse_query_text(std::string_view text);

}  // namespace basalt::http
