// Texts as JSON strings and CSV fields, fast for the usual plain ones.
#pragma once
#include <string>
#include <string_view>

namespace basalt::stream {

// Quoted and escaped; bytes that are no UTF-8 become U+FFFD.
void append_json_text(std::string& out, std::string_view text);
// RFC 4180: in quotes when it holds a comma, a quote or a line break; bytes that are no UTF-8 become U+FFFD.
void append_csv_text(std::string& out, std::string_view text);

}  // namespace basalt::stream
