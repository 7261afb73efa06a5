// The little SQL that rules, defaults and indexes consist of, in one form whatever the engine wrote it as: what SQLite keeps
// as `"kind" IN ('a', 'b')` PostgreSQL tells as `(kind = ANY (ARRAY['b'::text, 'a'::text]))`. Internal to this folder.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace basalt::upgrade {

// Equal for expressions that mean the same, as far as this knows; what it cannot read comes back word by word.
std::string canonical(std::string_view expression);
// A condition as the parts that must all hold, canonical, sorted, each once.
std::vector<std::string> conditions(std::string_view expression);

struct CreateTableText {
  std::vector<std::string> checks;  // the conditions of its CHECK rules, as written
  bool counts_ids = false;          // AUTOINCREMENT
};
CreateTableText read_create_table(std::string_view sql);  // SQLite's
struct CreateIndexText {
  std::vector<std::string> items;   // columns and expressions, canonical
  std::string where;                // canonical, empty when it covers all rows
};
CreateIndexText read_create_index(std::string_view sql);

}  // namespace basalt::upgrade
