#include "sql/dialect.h"

namespace basalt::sql {

void Dialect::quote(std::string& out, std::string_view identifier) const {
  if (trims_names) {
    while (!identifier.empty() && (static_cast<unsigned char>(identifier.front()) <= ' ' || identifier.front() == '\x7f')) identifier.remove_prefix(1);
    while (!identifier.empty() && identifier.back() == ' ') identifier.remove_suffix(1);
    if (identifier.empty()) identifier = "_";
  }
  out += identifier_quote;
  for (char c : identifier) {
    if (c == '\0') continue;  // would end the statement's text
    if (c == identifier_quote) out += c;
    out += c;
  }
  out += identifier_quote;
}

void Dialect::write_placeholder(std::string& out, std::size_t number) const {
  out += placeholder;
  if (!numbered) return;
  out += std::to_string(number);
}

}  // namespace basalt::sql
