#include "sql/dialect.h"

namespace basalt::sql {

std::span<const Dialect* const> dialects() {
  static const Dialect* const all[] = {&duckdb(), &mysql(), &postgres(), &sqlite()};
  return all;
}

const Dialect* find_dialect(std::string_view name) {
  for (auto* dialect : dialects())
    if (dialect->name == name) return dialect;
  return nullptr;
}

}  // namespace basalt::sql
