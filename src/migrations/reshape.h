// A JSON document there and back again, with what the way back cannot hold.
#pragma once
#include "migrations/operations.h"

namespace basalt::migrations {

enum class Direction { Up, Down };

// The document in the other shape. Documents that are no objects come back as they are.
json::value reshaped(json::value document, const std::vector<JsonChange>& changes, Direction direction);

// What merging into `made` must bring to get `wanted`: an RFC 7396 merge patch; absent when a merge patch cannot say it.
std::optional<json::value> merge_patch(const json::value& made, const json::value& wanted);
json::value merged(json::value target, const json::value& patch);

// Applies the patch leaf by leaf, only where `edited` still agrees with `shown`. `all`: nothing was left out.
struct CarefulMerge { json::value document; bool all = true; };
CarefulMerge merged_where_untouched(json::value edited, const json::value& shown, const json::value& patch);

}  // namespace basalt::migrations
