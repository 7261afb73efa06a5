// For the test-only binary basalt-next: this Basalt's migrations and three later ones that are hard to step down from.
#pragma once
#include "migrations/migration.h"

namespace basalt::migrations {

// With BASALT_NEXT_BENCH=additive or =worst in the environment: one large migration instead, for bench/upgrade.
std::vector<Migration> all_next();

Migration m0002_add_card_audience();
Migration m0003_allow_snippets_of_one_name();
Migration m0004_nest_card_notes();
Migration bench_additive();
Migration bench_worst_mix();

}  // namespace basalt::migrations
