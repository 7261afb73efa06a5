// A JSON document there and back again, with what the way back cannot hold.
#pragma once
#include "migrations/operations.h"

namespace basalt::migrations {

enum class Direction { Up, Down };

// The document in the other shape. Documents that are no objects come back as they are.
json::value reshaped(json::value document, const std::vector<JsonChange>& changes, Direction direction);

// One stored document in the other shape, with all that there is to say about it.
struct ReshapedText {
  std::optional<std::string> text;    // what is to be stored; absent: the text stays as it is
  json::value document;               // what it then says; null when `lost` is absent and nothing was changed
  std::optional<json::value> lost;    // what the way back could not give: {"patch": …} or {"text": …}
};
// A text that is no JSON object stays as it is, both ways.
ReshapedText reshaped_text(const std::string& text, const std::vector<JsonChange>& changes, Direction direction);
// The same for a document that was reshaped by other means: what going back from `made` cannot give of `document`.
std::optional<json::value> lost_by(const json::value& document, const std::string& text, const json::value& made, const std::vector<JsonChange>& changes, Direction direction);

// What merging into `made` must bring to get `wanted`: an RFC 7396 merge patch; absent when a merge patch cannot say it.
std::optional<json::value> merge_patch(const json::value& made, const json::value& wanted);
json::value merged(json::value target, const json::value& patch);

// Applies the patch leaf by leaf, only where `edited` still agrees with `shown`. `all`: nothing was left out.
struct CarefulMerge { json::value document; bool all = true; };
CarefulMerge merged_where_untouched(json::value edited, const json::value& shown, const json::value& patch);

}  // namespace basalt::migrations
