// For the test-only binary basalt-next: this Basalt's migrations and three later ones that are hard to step down from.
#pragma once
#include "migrations/migration.h"

namespace basalt::migrations {

std::vector<Migration> all_next();

Migration m0002_add_card_audience();
Migration m0003_allow_snippets_of_one_name();
Migration m0004_nest_card_notes();

}  // namespace basalt::migrations
