// JSON to the typed query.
#pragma once
#include "base/json.h"
#include "query/query.h"

namespace basalt::query {

// Reads MBQL 4 or MBQL 5, structured or native, in every spelling clients use (keys in any case, underscores, old clause names).
// Throws Failure BadRequest with error_type "invalid-query" and the place ("query.filter[1]") for anything that is not a query:
// wrong shapes, unknown clauses, wrong numbers of arguments, too deep or too large. Never looks anything up.
Query parse_query(const json::value& dataset_query);

// One clause in MBQL 4 order, e.g. the field reference of a parameter's target.
Expression parse_expression(const json::value& clause, std::string_view place);

}  // namespace basalt::query
