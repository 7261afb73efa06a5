#include "migrations/migration.h"

#include "base/crypto.h"

namespace basalt::migrations {

Structure structure_after(const std::vector<Migration>& migrations) {
  Structure s;
  for (auto& migration : migrations) {
    int number = 0;
    for (auto& operation : migration.operations) apply_to(s, prepare(operation, s), migration.number, number++);
  }
  return s;
}

std::string operations_text(const std::vector<Operation>& prepared) {
  json::array out;
  for (auto& operation : prepared) out.push_back(to_json(operation));
  return json::write(out);
}

std::string checksum(std::string_view text) { return sha256_hex(text); }

}  // namespace basalt::migrations
