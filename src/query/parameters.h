// Values people pick in filters and variables, turned into clauses.
#pragma once
#include <optional>
#include <string>

#include "base/json.h"
#include "query/query.h"

namespace basalt::query {

// The clause that filters `subject` by a parameter of this type ("string/contains", "date/relative", …) and value. Absent: no
// filter (null, empty list). `options`: case-sensitive. Throws Failure BadRequest (invalid-parameter) for values that do not fit.
std::optional<Expression> parameter_filter(const std::string& type, const json::value& value, const Expression& subject, const json::object& options);

// The target of a parameter: a column of a stage, or a variable of native SQL.
struct ParameterTarget {
  std::optional<Expression> column = {};
  std::string tag = {}, tag_id = {};
  std::int64_t stage = -1;
};
// Absent: no target this version knows (text cards, nothing).
std::optional<ParameterTarget> parameter_target(const json::value& target);

// The parameter's value, else its own default; null: none.
json::value parameter_value(const json::value& parameter);

}  // namespace basalt::query
