// What the Updates page shows, as JSON: runs with their steps, parked values with the names of what they belong to.
#pragma once
#include "features/services.h"
#include "upgrade/parked.h"

namespace basalt::features {

// Newest first, at most `most`: {run, direction, from, to, state, binary, started_at, ended_at, rows, ms, backup, error,
// steps: [{migration, name, direction, state, rows, ms, at}]}. `error` is the sentence of a run that failed. Steps that no run
// claims (the creation of the data) come as runs of their own.
json::array runs_json(appdb::Connection&, std::size_t most);

// One parked value: its own JSON (secrets left out), with title (the name of the row it belongs to, or null), kind: "value" |
// "row", current (what is there now, or null), can_take and why_not (a sentence when it cannot be put back).
json::object parked_json(appdb::Connection&, const upgrade::ParkedValue&);

// {table, column, state, count} of everything parked, superseded or orphaned.
json::array parked_counts(appdb::Connection&);

}  // namespace basalt::features
