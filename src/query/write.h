// A query as JSON again, in either form of the query language.
#pragma once
#include "query/query.h"

namespace basalt::query {

enum class Form { Mbql4, Mbql5 };

// The same query in the wanted form: what the parser reads from both is the same. Keys beside the query itself (`parameters`,
// `info`, `settings`…) stay as they are. In MBQL 5 each clause gets a uuid, which is made from its place, so that the same query
// gives the same text. Throws as parse_query.
json::object convert_query(const json::value& query, Form form);
// The inner parts alone: {"stages": […]} or {"type": …, "query" | "native": …}, with "database".
json::object write_query(const Query& query, Form form);

}  // namespace basalt::query
