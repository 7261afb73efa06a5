// What of an upgrade may happen while nodes of the older version go on working, and what has to wait for the last of them.
#pragma once
#include "migrations/migration.h"

namespace basalt::migrations {

// Expand: older nodes neither see nor miss it (a table, a column, an index, rows). Finalise: they would read or write something
// wrong beside it.
enum class Phase { Expand, Finalise };
Phase phase_of(const Operation&);

// Whether it makes no difference which of the two comes first: the same structure (but for the order of tables, and of
// a table's rules and indexes) and the same rows. Says no when in doubt. Takes operations prepared or not.
bool commute(const Operation&, const Operation&);

// What must wait while older nodes serve, as (migration number, operation's place), in order: everything of phase Finalise,
// and what does not commute with something that waits before it. All operations must be prepared in the order in which the
// migrations list them, whatever the order in which they are then run: `was` belongs to that order, and so does the way down.
std::vector<std::pair<int, int>> put_off(const std::vector<Migration>& ups);

// What is wrong with a migration, in sentences; empty when nothing is. Beside what its operations say: one that has something
// to finalise must raise the floor to its own number (older versions cannot open the data then), and new references must let
// older nodes delete what is referred to.
std::vector<std::string> lint(const Migration&, const Structure& before);

}  // namespace basalt::migrations
