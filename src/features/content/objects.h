// What cards, dashboards, collections and snippets share: ids in paths, people and edits as JSON, common checks.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "appdb/store.h"
#include "features/services.h"

namespace basalt::features {

// At most this many rows go out where a client does not page.
inline constexpr std::int64_t list_cap = 20'000;

// The id of the row that a path names by number or by its 21 characters of entity id; NotFound when the text is neither or
// no such row exists. `table` is one of ours, never input.
std::int64_t object_id(appdb::Connection& connection, std::string_view table, std::string_view text);
// The same without looking a number up: for callers that read the row anyway.
std::int64_t id_in_path(appdb::Store& store, std::string_view table, std::string_view text);
bool is_entity_id(std::string_view text);
// A collection in a body: an integer, an entity id, "root" or null. Absent inside: the root collection.
std::optional<CollectionId> collection_from(appdb::Connection& connection, const json::value& value);

// Columns of a person joined in as `alias`, and the person from such a row: null when there is none.
std::string person_columns(std::string_view alias);
json::value person_json(const appdb::Row& row, std::string_view alias);           // id, email, names, common_name
// {id, email, first_name, last_name, timestamp}; null when nobody has edited.
json::value edit_json(const appdb::Row& row, std::string_view alias, std::string_view time_column);
std::string common_name(const std::optional<std::string>& first, const std::optional<std::string>& last, const std::string& email);

json::value text_or_null(const appdb::Row& row, std::string_view column);
json::value integer_or_null(const appdb::Row& row, std::string_view column);
// A stored JSON document; `otherwise` when the column is null.
json::value json_or(const appdb::Row& row, std::string_view column, json::value otherwise);
json::value array_or_empty(const appdb::Row& row, std::string_view column);
json::value object_or_empty(const appdb::Row& row, std::string_view column);

// Parameters for `IN (placeholders(ids.size()))`.
appdb::Parameters id_parameters(const std::vector<std::int64_t>& ids);
void append(appdb::Parameters& parameters, const std::vector<std::int64_t>& ids);

// A LIKE pattern for "contains `text`" with '\' as escape; the text in lower case as `lower()` of both engines makes it.
std::string contains_pattern(std::string_view text);
std::string lower_ascii(std::string_view text);
// Lower-case letters beyond ASCII too (Latin, Greek, Cyrillic); what is not UTF-8 stays as it is.
std::string lower_utf8(std::string_view text);
// "Ärzte & Co" -> "%C3%A4rzte___co": lower case, ASCII that is no letter or digit as '_', the rest percent-encoded.
std::string slug_of(std::string_view name);

// Sentence when the name is longer than 254 bytes or blank; for field().
const char* object_name(const json::value& value);
// "" is refused: older clients turn it into null.
const char* description_text(const json::value& value);

// Failure BadRequest in plain text.
[[noreturn]] void refuse(std::string sentence);

}  // namespace basalt::features
